"""How large the overlay's picture is, and where a source picture stands in it: aspect kept, pixels square."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.structures import SourceInfo

READABLE_WIDTH_PX = 640
"""labels and the strip need this much; narrower pictures are enlarged to it"""
_TALLEST = 2.0
"""height of the picture over the widest width: a tall picture is limited by its height"""
_ROUNDING_PX = 2
"""bars narrower than this come from rounding and are left out"""


@dataclass(frozen=True)
class Placement:
    """The rectangle of the overlay's picture that a source picture fills."""

    x_px: int
    y_px: int
    width_px: int
    height_px: int
    scale_xy: tuple[float, float]
    """overlay pixels a source pixel takes in x and y; they differ where the source's pixels are not square"""

    @property
    def region(self) -> tuple[slice, slice]:
        """Rows and columns of the rectangle."""
        return slice(self.y_px, self.y_px + self.height_px), slice(self.x_px, self.x_px + self.width_px)

    def to_canvas(self, boxes_xyxy_px: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes (N, 4) of the source picture in pixels of the overlay."""
        moved = boxes_xyxy_px * np.array(self.scale_xy * 2, np.float32)
        return np.asarray(moved + np.array([self.x_px, self.y_px] * 2, np.float32), np.float32)


def picture_size_px(info: SourceInfo, max_width_px: int) -> tuple[int, int]:
    """Width and height of the overlay's picture: between ``READABLE_WIDTH_PX`` and ``max_width_px`` wide."""
    width, height = _shown_size(info.width_px, info.height_px, info.pixel_aspect_ratio)
    wanted = min(max(width, min(READABLE_WIDTH_PX, max_width_px)), max_width_px)
    scale = min(wanted / width, _TALLEST * max_width_px / height)
    if scale == 1.0 and (width, height) == (info.width_px, info.height_px):
        return info.width_px, info.height_px
    return _even(width * scale), _even(height * scale)


def place(
    width_px: int, height_px: int, pixel_aspect_ratio: float, picture_size_px: tuple[int, int]
) -> Placement:  # fmt: skip
    """A source picture of that size, as large as fits and centred, in the overlay's picture."""
    width, height = _shown_size(width_px, height_px, pixel_aspect_ratio)
    scale = min(picture_size_px[0] / width, picture_size_px[1] / height)
    placed_width = _fill(width * scale, picture_size_px[0])
    placed_height = _fill(height * scale, picture_size_px[1])
    return Placement(
        (picture_size_px[0] - placed_width) // 2,
        (picture_size_px[1] - placed_height) // 2,
        placed_width,
        placed_height,
        (placed_width / width_px, placed_height / height_px),
    )


def _shown_size(width_px: int, height_px: int, pixel_aspect_ratio: float) -> tuple[float, float]:
    """The size in square pixels that loses no stored pixel."""
    if not (math.isfinite(pixel_aspect_ratio) and pixel_aspect_ratio > 0):
        return width_px, height_px
    return width_px * max(1.0, pixel_aspect_ratio), height_px / min(1.0, pixel_aspect_ratio)


def _fill(length_px: float, available_px: int) -> int:
    rounded = max(1, round(length_px))
    return available_px if available_px - rounded <= _ROUNDING_PX else rounded


def _even(length_px: float) -> int:
    return max(2, 2 * round(length_px / 2))
