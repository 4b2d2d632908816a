"""Turns a stored picture upright, as the container's display matrix asks."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MATRIX_FORMAT = "=9i"
"""nine 32-bit integers in the machine's byte order (libavutil/display.h)"""


@dataclass(frozen=True)
class Orientation:
    """One of the eight orientations of a picture: transposed first, then flipped."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """``image`` (H, W, 3) turned upright, contiguous; a view when it is upright already."""
        turned = image.transpose(1, 0, 2) if self.transpose else image
        rows, columns = slice(None, None, -1 if self.flip_y else 1), slice(None, None, -1 if self.flip_x else 1)
        return np.ascontiguousarray(turned[rows, columns])

    @staticmethod
    def from_display_matrix(matrix: bytes) -> Orientation:
        """The multiple of a quarter turn, with or without mirror, nearest to a display matrix.

        libavutil/display.h: a stored point (p, q) is shown at ``x = a p + c q``, ``y = b p + d q`` (offsets aside),
        with (a, b, u, c, d, v, x, y, w) the matrix in its stored order.
        """
        a, b, _, c, d = struct.unpack(MATRIX_FORMAT, matrix[: struct.calcsize(MATRIX_FORMAT)])[:5]
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return Orientation(transpose=False, flip_x=a < 0, flip_y=d < 0)
        return Orientation(transpose=True, flip_x=c < 0, flip_y=b < 0)

    @staticmethod
    def of_frame(frame: Any) -> Orientation:
        """The orientation a decoded PyAV frame carries; upright when it carries none."""
        for side_data in frame.side_data:
            if side_data.type.name == "DISPLAYMATRIX":
                return Orientation.from_display_matrix(bytes(side_data))
        return Orientation()
