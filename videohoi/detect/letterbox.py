"""Fits a picture of any size into a network input: scaled, placed at the top left, padded with grey, in BGR."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from videohoi.errors import InputError, UsageError

PAD_VALUE = 114
"""grey of the padding, as in YOLOX's training (arXiv 2107.08430, public code)"""
SIZE_MULTIPLE_PX = 32
"""the coarsest stride; sides of a network input are multiples of it"""


@dataclass(frozen=True)
class Letterboxed:
    """A network input, and how its pixels map back to the source picture."""

    canvas_bgr: NDArray[np.uint8]
    """(H, W, 3) uint8 BGR; owned by the ``Letterbox`` and overwritten by its next call"""
    scale_xy: tuple[float, float]
    """network pixels per source pixel in x and y; they differ by the rounding to whole pixels only"""
    picture_hw_px: tuple[int, int]
    """height and width of the source picture"""


def check_input_size(input_size_px: int) -> int:
    """Return ``input_size_px`` if it is a positive multiple of 32.

    Raises:
        UsageError: it is not; the message offers the nearest that is.
    """
    if input_size_px <= 0 or input_size_px % SIZE_MULTIPLE_PX:
        nearest = max(SIZE_MULTIPLE_PX, round(input_size_px / SIZE_MULTIPLE_PX) * SIZE_MULTIPLE_PX)
        raise UsageError(
            f"detector input size {input_size_px} px: expected a multiple of {SIZE_MULTIPLE_PX}; try {nearest}"
        )
    return input_size_px


def rectangular_shape(height_px: int, width_px: int, input_size_px: int) -> tuple[int, int]:
    """Network input (H, W) whose long side is ``input_size_px`` and whose short side is padded to a multiple of 32."""
    short = min(height_px, width_px) * input_size_px / max(height_px, width_px)
    padded = max(1, -(-round(short) // SIZE_MULTIPLE_PX)) * SIZE_MULTIPLE_PX
    return (padded, input_size_px) if width_px >= height_px else (input_size_px, padded)


class Letterbox:
    """Letterboxes RGB pictures. Keeps one canvas, replaced when the picture size changes. Not thread-safe.

    Args:
        input_size_px: long side of a rectangular network input.
        fixed_shape: (H, W) of a network that takes one size only; then ``input_size_px`` is not used.
    """

    def __init__(self, input_size_px: int, *, fixed_shape: tuple[int, int] | None = None) -> None:
        self._input_size_px = input_size_px if fixed_shape else check_input_size(input_size_px)
        self._fixed_shape = fixed_shape
        self._source_hw = (0, 0)
        self._canvas = np.empty((0, 0, 3), np.uint8)
        self._inside = (0, 0)

    def __call__(self, image_rgb: NDArray[np.uint8]) -> Letterboxed:
        """``image_rgb`` (h, w, 3) uint8 RGB.

        Raises:
            InputError: the picture has no pixels.
        """
        height, width = image_rgb.shape[:2]
        if (height, width) != self._source_hw:
            self._lay_out(height, width)
        inside_height, inside_width = self._inside
        small = shrink(image_rgb, inside_height, inside_width)
        # swapping channels of the small picture costs a tenth of what it costs on the large one
        self._canvas[:inside_height, :inside_width] = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
        return Letterboxed(self._canvas, (inside_width / width, inside_height / height), (height, width))

    def _lay_out(self, height: int, width: int) -> None:
        if not height or not width:
            raise InputError(f"picture of {width}x{height} px has no pixels; expected at least 1x1")
        shape = self._fixed_shape or rectangular_shape(height, width, self._input_size_px)
        scale = min(shape[0] / height, shape[1] / width)
        self._inside = (max(1, round(height * scale)), max(1, round(width * scale)))
        self._canvas = np.full((*shape, 3), PAD_VALUE, np.uint8)
        self._source_hw = (height, width)


def shrink(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize to (height, width). Bilinear sampling skips pixels under half size, so halve by averaging first."""
    while image.shape[0] >= 2 * height and image.shape[1] >= 2 * width:
        half = (image.shape[1] // 2, image.shape[0] // 2)
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
