"""Public models by name, and where their files are. Nothing here uses the network."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from videohoi.errors import UsageError
from videohoi.files import user_path
from videohoi.names import did_you_mean, nearest_names

CACHE_VARIABLE = "VIDEOHOI_CACHE"
"""environment variable that names the cache folder"""


@dataclass(frozen=True)
class PublicModel:
    """Facts about a model that others publish."""

    name: str
    what: str
    """one line: architecture, size, published accuracy"""
    licence: str
    url: str
    sha256: str | None
    """None: unknown, so a download cannot be verified"""
    input_size_px: int

    @property
    def file_name(self) -> str:
        """Name of the file in the cache."""
        return f"{self.name}.onnx"


def _yolox(name: str, parameters: str, input_size_px: int, average_precision: float) -> PublicModel:
    """A row of the table in YOLOX's demo/ONNXRuntime/README.md; AP on COCO val2017 as published, in percent."""
    return PublicModel(
        name=name,
        what=f"YOLOX detector, 80 COCO classes, {parameters} parameters, published COCO AP {average_precision}",
        licence="Apache-2.0",
        url=f"https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/{name}.onnx",
        sha256=None,
        input_size_px=input_size_px,
    )


CATALOGUE: Mapping[str, PublicModel] = MappingProxyType(
    {
        model.name: model
        for model in (
            _yolox("yolox_nano", "0.91 M", 416, 25.8),
            _yolox("yolox_tiny", "5.06 M", 416, 32.8),
            _yolox("yolox_s", "9.0 M", 640, 40.5),
            _yolox("yolox_m", "25.3 M", 640, 46.9),
            _yolox("yolox_l", "54.2 M", 640, 49.7),
        )
    }
)
"""models that ``videohoi models pull`` can fetch; the starter is not among them because it ships with the package"""


def lookup(name: str, catalogue: Mapping[str, PublicModel] = CATALOGUE) -> PublicModel:
    """The model called ``name``.

    Raises:
        UsageError: there is none; the message offers the nearest.
    """
    if name in catalogue:
        return catalogue[name]
    hint = did_you_mean(nearest_names(name, catalogue)[:1]) or f"; known: {', '.join(catalogue)}"
    raise UsageError(f"unknown model {name!r}{hint}")


def cache_folder() -> Path:
    """Folder of downloaded models: $VIDEOHOI_CACHE, else the platform's cache folder (XDG on Linux). Not created."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return user_path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "videohoi"


def cached_model(name: str, catalogue: Mapping[str, PublicModel] = CATALOGUE) -> Path | None:
    """The downloaded file of ``name``, or None when it is not on this machine; ``UsageError`` on an unknown name."""
    path = cache_folder() / lookup(name, catalogue).file_name
    return path if path.is_file() else None
