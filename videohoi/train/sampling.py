"""What a training run draws: each picture as often as its rarest class needs, and each time in another random view.

Pictures are repeated as in Gupta, Dollar, Girshick, "LVIS: A Dataset for Large Vocabulary Instance Segmentation", CVPR
2019, arXiv 1908.03195, section 5.1: r(class) = max(1, sqrt(t / f(class))), where f is the share of pictures that show
the class. A picture is repeated as often as its rarest class. Views vary scale, crop, flip and colour; some are 2x2
mosaics.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

LEAST_PICTURES = 3
"""a class seen in fewer pictures counts as seen in this many, so that one wrong label does not dominate the order"""
WEIGHT_RANGE = (0.3, 4.0)
"""above it, a class with a handful of pictures is overfitted; below it, the most common class is forgotten"""
PAD_VALUE = 114
"""letterbox grey of YOLOX, so that teacher and student see the padding they were made for"""


def repeat_factors(classes_of_pictures: Sequence[Collection[int]], common_share: float) -> NDArray[np.float64]:
    """(N,) times each picture is drawn an epoch, 1 or more.

    ``classes_of_pictures``: the classes each picture shows; ``common_share``: t, the share of pictures from which a
    class is not repeated (0 switches balancing off). ``ValueError`` outside [0, 1].
    """
    if not 0.0 <= common_share <= 1.0:
        raise ValueError(f"common_share must lie in [0, 1], got {common_share}")
    present = [frozenset(classes) for classes in classes_of_pictures]
    counts: dict[int, int] = {}
    for classes in present:
        for class_id in classes:
            counts[class_id] = counts.get(class_id, 0) + 1
    least = {k: max(count, LEAST_PICTURES) / len(present) for k, count in counts.items()}
    factor = {k: max(1.0, float(np.sqrt(common_share / share))) for k, share in least.items()}
    return np.array([max((factor[k] for k in classes), default=1.0) for classes in present])


def class_weights(
    classes_of_pictures: Sequence[Collection[int]], class_count: int, power: float
) -> NDArray[np.float64]:
    """(O,) weight of each class in a loss: (mean share / own share) ** ``power`` within ``WEIGHT_RANGE``.

    0 weighs all classes alike; 0.5 is the square root of the inverse frequency, midway to equal classes (Mahajan et
    al., "Exploring the Limits of Weakly Supervised Pretraining", ECCV 2018, arXiv 1805.00932, section 2.2).
    """
    counts = np.full(class_count, float(LEAST_PICTURES))
    for classes in classes_of_pictures:
        counts[list(classes)] += 1.0
    weights: NDArray[np.float64] = np.clip((counts.mean() / counts) ** power, *WEIGHT_RANGE)
    return weights


def epoch_order(repeats: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """A shuffled epoch of row numbers: row i appears floor(r) or ceil(r) times, r = ``repeats[i]`` on average."""
    times = np.floor(repeats + rng.random(len(repeats))).astype(np.int64)
    return rng.permutation(np.repeat(np.arange(len(repeats)), times))


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
        """``repeats`` (N,): how often each picture is drawn an epoch; None = once each."""
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
