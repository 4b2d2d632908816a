"""Pictures whose size changes within a source: they are never stretched, and boxes stay comparable."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from videohoi.structures import Discontinuity

SAME_SHAPE = 0.02
"""relative difference of two aspect ratios that is rounding: encoders round sides to multiples of 2, 8 or 16 px"""


class PictureSizes:
    """Gives each picture the size in which its boxes are comparable with those before it.

    A picture of the same shape but smaller, as adaptive streaming sends when the network is slow, is enlarged to the
    size in use: nothing breaks. A larger one becomes the size in use, so that a recording that starts tiny grows
    with it; that, and another shape, is a discontinuity, since boxes of both sides have no common pixels.
    """

    def __init__(self) -> None:
        self._size_px: tuple[int, int] | None = None

    def fit(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Discontinuity | None]:
        """``image`` (H, W, 3) in the size in use, and the discontinuity if it changes that size."""
        size_px = (image.shape[1], image.shape[0])
        if self._size_px is None or size_px == self._size_px:
            self._size_px = size_px
            return image, None
        if _same_shape(size_px, self._size_px) and size_px[0] <= self._size_px[0]:
            enlarged = cv2.resize(image, self._size_px, interpolation=cv2.INTER_LINEAR)
            return np.asarray(enlarged, np.uint8), None
        self._size_px = size_px
        return image, Discontinuity.PICTURE_SIZE


def _same_shape(size_px: tuple[int, int], other_px: tuple[int, int]) -> bool:
    ratio = (size_px[0] * other_px[1]) / (size_px[1] * other_px[0])
    return abs(ratio - 1.0) <= SAME_SHAPE
