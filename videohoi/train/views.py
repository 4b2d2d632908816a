"""Random views for distillation: scale, crop, flip, colour and 2x2 mosaics of corpus pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from videohoi.train.balance import epoch_order

PAD_VALUE = 114
"""letterbox grey of YOLOX, so that teacher and student see the padding they were made for"""


@dataclass(frozen=True)
class ViewRecipe:
    """How a view is drawn."""

    long_side_px: tuple[float, float] = (224.0, 520.0)
    """range of the picture's long side after scaling, log-uniform: around the 320-416 px of inference"""
    mosaic_probability: float = 0.3
    """share of views that are 2x2 mosaics (YOLOv4, arXiv 2004.10934)"""
    flip_probability: float = 0.5
    """share of mirrored views"""
    gain_range: tuple[float, float] = (0.6, 1.4)
    """contrast factor"""
    hue_degrees: float = 9.0
    """largest hue shift; half the YOLOX value, since the teacher must still read the view"""


class ViewSampler:
    """Draws views from decoded pictures; all randomness comes from ``rng``. Not thread-safe."""

    def __init__(
        self,
        pictures_bgr: Sequence[NDArray[np.uint8]],
        recipe: ViewRecipe,
        rng: np.random.Generator,
        repeats: NDArray[np.float64] | None = None,
    ) -> None:
        """``repeats`` (N,): how often each picture is drawn an epoch, see ``balance``; None is once each."""
        self.pictures_bgr = pictures_bgr
        self.repeats = np.ones(len(pictures_bgr)) if repeats is None else repeats
        self.recipe = recipe
        self.rng = rng
        self._order: list[int] = []

    def batch(self, count: int, size_px: int) -> NDArray[np.uint8]:
        """``count`` views, (count, size_px, size_px, 3) uint8 BGR."""
        return np.stack([self.view(size_px) for _ in range(count)])

    def view(self, size_px: int) -> NDArray[np.uint8]:
        """One view (size_px, size_px, 3) uint8 BGR."""
        canvas = np.full((size_px, size_px, 3), PAD_VALUE, np.uint8)
        if self.rng.random() < self.recipe.mosaic_probability:
            cut_x, cut_y = (int(size_px * self.rng.uniform(0.35, 0.65)) for _ in range(2))
            for rows in (slice(0, cut_y), slice(cut_y, size_px)):
                for columns in (slice(0, cut_x), slice(cut_x, size_px)):
                    self._place(canvas[rows, columns], shrink=0.7)
        else:
            self._place(canvas, shrink=1.0)
        return self._recolour(canvas)

    def _next_picture(self) -> NDArray[np.uint8]:
        if not self._order:
            self._order = epoch_order(self.repeats, self.rng).tolist()
        return self.pictures_bgr[self._order.pop()]

    def _place(self, target: NDArray[np.uint8], *, shrink: float) -> None:
        """Warp a random crop of the next picture into ``target`` (a view into the canvas)."""
        picture = self._next_picture()
        height, width = picture.shape[:2]
        target_height, target_width = target.shape[:2]
        low, high = np.log(self.recipe.long_side_px)
        scale = float(np.exp(self.rng.uniform(low, high))) * shrink / max(height, width)
        stretch = float(np.exp(self.rng.uniform(-0.1, 0.1)))
        scale_x, scale_y = scale * stretch, scale / stretch
        room_x, room_y = target_width - width * scale_x, target_height - height * scale_y
        shift_x, shift_y = (self.rng.uniform(min(0.0, room), max(0.0, room)) for room in (room_x, room_y))
        if self.rng.random() < self.recipe.flip_probability:
            scale_x, shift_x = -scale_x, shift_x + width * scale_x
        matrix = np.array([[scale_x, 0.0, shift_x], [0.0, scale_y, shift_y]])
        target[...] = cv2.warpAffine(
            picture, matrix, (target_width, target_height), flags=cv2.INTER_LINEAR, borderValue=(PAD_VALUE,) * 3
        )

    def _recolour(self, canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
        gain = self.rng.uniform(*self.recipe.gain_range)
        shift = self.rng.uniform(-25.0, 25.0)
        if self.rng.random() < 0.5:
            hsv = cv2.cvtColor(canvas, cv2.COLOR_BGR2HSV)
            hsv[..., 0] = (hsv[..., 0].astype(np.int16) + int(self.rng.uniform(-1, 1) * self.recipe.hue_degrees)) % 180
            canvas = np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), dtype=np.uint8)
        mean = float(canvas.mean())
        table = np.clip((np.arange(256) - mean) * gain + mean + shift, 0, 255).astype(np.uint8)
        return np.asarray(cv2.LUT(canvas, table), dtype=np.uint8)
