"""The two photographs of the demo clip, cut out along the outlines in ``data/outlines.json``.

Both are free to use and ship with the package; ``data/README.md`` states their sources and terms.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from videohoi.errors import InputError

_REMEDY = "reinstall videohoi"
# one pixel in and a blur of about one pixel: hides the rim of the old background without a hard edge
_EDGE_BLUR_PX = 1.3


@dataclass(frozen=True, repr=False)
class Cutout:
    """A person or an object cut out of a photograph."""

    colour_alpha: NDArray[np.float32]
    """(h, w, 4): RGB in 0..255 already multiplied by alpha, then alpha in 0..1"""
    outline_xy_px: NDArray[np.float32]
    """(n, 2) points of the photograph"""

    def __repr__(self) -> str:
        return f"Cutout(colour_alpha.shape={self.colour_alpha.shape}, points={len(self.outline_xy_px)})"


def load_cutout(name: str, folder: Path | None = None) -> Cutout:
    """Cut ``person`` or ``cup`` out of its photograph.

    ``folder`` holds the photographs (default: the shipped ones). Raises ``InputError`` naming the file that is
    missing, unreadable or not the photograph the outline was traced on.
    """
    data = resources.files("videohoi.demo").joinpath("data")
    entry: dict[str, Any] = json.loads(data.joinpath("outlines.json").read_text(encoding="utf-8"))[name]
    with resources.as_file(data) as shipped:
        rgb = _read_rgb((folder or shipped) / entry["photograph"], tuple(entry["size_px"]))
    return _cut(rgb, np.array(entry["outline_xy_px"], np.float32))


def _read_rgb(path: Path, size_px: tuple[int, ...]) -> NDArray[np.uint8]:
    try:
        raw = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(f"photograph {path} of the demo clip cannot be read ({error.strerror}): {_REMEDY}") from error
    bgr = cv2.imdecode(raw, cv2.IMREAD_COLOR) if raw.size else None
    if bgr is None:
        raise InputError(f"photograph {path} of the demo clip is not a readable picture: {_REMEDY}")
    height, width = bgr.shape[:2]
    if (width, height) != size_px:
        wanted = f"{size_px[0]}x{size_px[1]}"
        raise InputError(f"photograph {path} of the demo clip is {width}x{height}, expected {wanted}: {_REMEDY}")
    return np.asarray(bgr[..., ::-1], np.uint8)


def _cut(rgb: NDArray[np.uint8], outline_xy_px: NDArray[np.float32]) -> Cutout:
    """Everything inside the outline, with a soft edge; the photograph's own border stays hard."""
    mask = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(mask, [outline_xy_px.astype(np.int32)], 255)
    mask = cv2.erode(mask, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE).astype(np.uint8)
    alpha = cv2.GaussianBlur(mask, (0, 0), _EDGE_BLUR_PX, borderType=cv2.BORDER_REPLICATE)
    alpha_unit = alpha.astype(np.float32)[..., None] / np.float32(255)
    return Cutout(np.dstack([rgb * alpha_unit, alpha_unit]).astype(np.float32), outline_xy_px)
