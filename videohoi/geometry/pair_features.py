"""What the boxes of a picture say about each human-object pair; one function for training and for run time.

Three groups of numbers, all independent of the picture's resolution:

- the spatial encoding of SCG (arXiv 2012.06060, appendix) as used by UPT (arXiv 2112.01838, section 3.2): centres,
  sizes, areas, area ratio, aspect ratios, IoU and the direction from human to object, each also as ``log(x + eps)``;
- the object in the human's frame (what lies at the feet, above the head), and which boxes the picture's border cuts;
- the scene: how many humans and objects there are, and whether another human is nearer to the object or another
  object nearer to the human.

Pairs are mirrored so that the object lies to the right of the human. Mirroring the picture therefore changes nothing,
and two of the 36 numbers (direction "left", and its logarithm) would be constant and are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EPSILON = 1e-10
"""Keeps divisions and logarithms finite (value of UPT's spatial encoding)."""
MIN_SIDE_PX = 1.0
"""A box is at least one pixel wide and high."""
BORDER_SOFTNESS = 30.0
"""A box 1/30 of the picture away from the border counts as cut by it with weight 1/e."""
FRAME_LIMIT = 4.0
"""Positions in the human's frame are clipped here, in human sizes: beyond, the object is simply far."""
LOG_LIMIT = 5.0
"""Logarithms of ratios and distances are clipped to +-this, as far boxes differ by less than their noise."""
LOG_FLOOR = -9.0
"""Least logarithm of the spatial encoding: an area of 1/8000 of the picture, and the value of "none" (IoU 0)."""

SMALL_LABELS = 1 << 16
"""Group labels below may have holes: the tables over them stay within half a megabyte."""

SPATIAL_COUNT = 34
FRAME_COUNT = 22
SCENE_COUNT = 16
FEATURE_COUNT = SPATIAL_COUNT + FRAME_COUNT + SCENE_COUNT


@dataclass(frozen=True, repr=False)
class Instances:
    """N boxes of one or several pictures; pairs refer to their rows."""

    boxes_xyxy_px: NDArray[np.float32]
    """(N, 4)"""
    class_ids: NDArray[np.int64]
    """(N,)"""
    picture_sizes_px: NDArray[np.float32]
    """(N, 2) width and height of the picture each instance is in"""
    picture_ids: NDArray[np.int64]
    """(N,) which picture, counted from 0; instances of different pictures never meet in a pair"""

    def __len__(self) -> int:
        return len(self.class_ids)

    @staticmethod
    def of_picture(
        boxes_xyxy_px: NDArray[np.float32], class_ids: NDArray[np.int64], size_px: tuple[int, int]
    ) -> Instances:
        """All from one picture of ``size_px`` (width, height)."""
        sizes = np.tile(np.asarray(size_px, np.float32), (len(class_ids), 1))
        return Instances(boxes_xyxy_px, class_ids, sizes, np.zeros(len(class_ids), np.int64))


@dataclass(frozen=True, repr=False)
class _Box:
    """Corners, sides, centre and area of (P,) boxes, in the mirrored picture."""

    x1: Array
    y1: Array
    x2: Array
    y2: Array
    width: Array
    height: Array
    area: Array

    @property
    def centre_x(self) -> Array:
        return (self.x1 + self.x2) / 2

    @property
    def centre_y(self) -> Array:
        return (self.y1 + self.y2) / 2


@dataclass(frozen=True, repr=False)
class _Overlap:
    """How (P,) pairs of boxes touch."""

    intersection: Array
    union: Array
    iou: Array
    generalised_iou: Array
    distance: Array
    """between centres, in units of the mean of the boxes' sizes (square root of area)"""


def pair_features(
    instances: Instances, human_rows: NDArray[np.int64], object_rows: NDArray[np.int64], person_id: int
) -> NDArray[np.float32]:
    """(P, FEATURE_COUNT) numbers of the pairs ``instances[human_rows[p]], instances[object_rows[p]]``.

    A pair's row depends on the other pairs of its picture (the scene), not on the order of pairs or instances. It does
    not change when the picture is mirrored or scaled.
    """
    width, height = instances.picture_sizes_px[human_rows].astype(np.float64).T
    human, other = _mirrored(instances, human_rows, object_rows, width)
    overlap = _overlap(human, other)
    blocks = [
        _spatial(human, other, overlap, width, height),
        _frame(human, other, overlap, width, height),
        _scene(instances, human_rows, object_rows, overlap, person_id),
    ]
    return np.ascontiguousarray(np.concatenate(blocks).T, np.float32)


def _mirrored(
    instances: Instances, human_rows: NDArray[np.int64], object_rows: NDArray[np.int64], width: Array
) -> tuple[_Box, _Box]:
    corners = instances.boxes_xyxy_px[np.stack([human_rows, object_rows])].astype(np.float64)
    x1, y1, x2, y2 = corners.transpose(2, 0, 1)  # (2, P) each: of the human and of the object
    flip = x1[1] + x2[1] < x1[0] + x2[0]
    x1, x2 = np.where(flip, width - x2, x1), np.where(flip, width - x1, x2)
    wide, high = np.maximum(x2 - x1, MIN_SIDE_PX), np.maximum(y2 - y1, MIN_SIDE_PX)
    human, other = zip(x1, y1, x2, y2, wide, high, wide * high, strict=True)
    return _Box(*human), _Box(*other)


def _overlap(human: _Box, other: _Box) -> _Overlap:
    wide = np.minimum(human.x2, other.x2) - np.maximum(human.x1, other.x1)
    high = np.minimum(human.y2, other.y2) - np.maximum(human.y1, other.y1)
    intersection = np.maximum(wide, 0) * np.maximum(high, 0)
    union = human.area + other.area - intersection
    hull_wide = np.maximum(human.x2, other.x2) - np.minimum(human.x1, other.x1)
    hull_high = np.maximum(human.y2, other.y2) - np.minimum(human.y1, other.y1)
    hull = np.maximum(hull_wide * hull_high, union)
    iou = intersection / union
    apart = np.hypot(other.centre_x - human.centre_x, other.centre_y - human.centre_y)
    distance = 2 * apart / (np.sqrt(human.area) + np.sqrt(other.area))
    # generalised IoU, arXiv 1902.09630, equation 2
    return _Overlap(intersection, union, iou, iou - (hull - union) / hull, distance)


def _spatial(human: _Box, other: _Box, overlap: _Overlap, width: Array, height: Array) -> Array:
    """(SPATIAL_COUNT, P) numbers."""
    across = np.abs(other.centre_x - human.centre_x) / human.width
    down = (other.centre_y - human.centre_y) / human.height
    plain = np.stack([
        human.centre_x / width, human.centre_y / height, other.centre_x / width, other.centre_y / height,
        human.width / width, human.height / height, other.width / width, other.height / height,
        human.area / (width * height), other.area / (width * height), other.area / human.area,
        human.width / human.height, other.width / other.height, overlap.iou,
        across, np.maximum(down, 0), np.maximum(-down, 0),
    ])  # fmt: skip
    # products and ratios have long tails; their logarithms carry the far values
    logs = np.log(np.maximum(plain, 0) + EPSILON).clip(LOG_FLOOR, LOG_LIMIT)
    return np.concatenate([plain.clip(0, FRAME_LIMIT), logs])


def _frame(human: _Box, other: _Box, overlap: _Overlap, width: Array, height: Array) -> Array:
    """(FRAME_COUNT, P) numbers."""
    steps = np.stack([
        (other.x1 - human.x1) / human.width, (other.x2 - human.x2) / human.width, (other.x1 - human.x2) / human.width,
        (other.y1 - human.y1) / human.height, (other.y2 - human.y2) / human.height,
        (other.y2 - human.y1) / human.height, (other.y1 - human.y2) / human.height,
    ])  # fmt: skip
    ratios = np.stack([other.width / human.height, other.height / human.height, width / height])
    shares = np.stack([
        overlap.intersection / human.area, overlap.intersection / other.area, overlap.generalised_iou,
        overlap.union / (width * height),
    ])  # fmt: skip
    logs = np.log(ratios).clip(-LOG_LIMIT, LOG_LIMIT)
    return np.concatenate(
        [steps.clip(-FRAME_LIMIT, FRAME_LIMIT), logs, shares, _cut(human, other, width, height)],
    )


def _cut(human: _Box, other: _Box, width: Array, height: Array) -> Array:
    """(8, P), near 1 where the picture's left, right, top or bottom border cuts the human (4) and the object (4)."""
    gaps = []
    for box in (human, other):
        gaps += [box.x1 / width, 1 - box.x2 / width, box.y1 / height, 1 - box.y2 / height]
    return np.asarray(np.exp(-BORDER_SOFTNESS * np.maximum(np.stack(gaps), 0)), np.float64)


def _scene(
    instances: Instances,
    human_rows: NDArray[np.int64],
    object_rows: NDArray[np.int64],
    overlap: _Overlap,
    person_id: int,
) -> Array:
    """(SCENE_COUNT, P) numbers."""
    distance = np.log(overlap.distance + np.exp(-LOG_LIMIT)).clip(-LOG_LIMIT, LOG_LIMIT)
    classes = instances.class_ids[object_rows]
    kinds = _labels(human_rows, classes)  # this human with objects of this class
    near = np.stack([distance, -overlap.generalised_iou])  # both are small where the boxes are close
    least = _group_min(near, [object_rows, human_rows, kinds])
    lead = (near - least).transpose(1, 0, 2).reshape(6, -1)  # by distance first, then by overlap
    crowd = _crowd(instances, human_rows, object_rows, person_id)
    return np.concatenate([distance[None], lead, least[:2, 0], crowd])


def _labels(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """(P,) one number for each combination that occurs, small enough to index a table."""
    labels = first * (int(second.max(initial=0)) + 1) + second
    if labels.max(initial=0) < SMALL_LABELS:  # of one picture: a table with holes costs less than sorting
        return labels
    return np.asarray(np.unique(labels, return_inverse=True)[1].reshape(-1), np.int64)


def _group_min(values: Array, groupings: Sequence[NDArray[np.int64]]) -> Array:
    """(G, K, P) the least of each of the K rows of ``values`` among the columns of the same group."""
    sizes = [int(groups.max(initial=-1)) + 1 for groups in groupings]
    begins = np.concatenate([[0], np.cumsum(sizes)])
    places = np.stack([groups + begin for groups, begin in zip(groupings, begins[:-1], strict=True)])  # (G, P)
    places = places[:, None] + begins[-1] * np.arange(len(values))[:, None]
    least = np.full(int(begins[-1]) * len(values), np.inf)
    np.minimum.at(least, places.reshape(-1), np.tile(values.reshape(-1), len(groupings)))
    return np.asarray(least[places], np.float64)


def _crowd(
    instances: Instances, human_rows: NDArray[np.int64], object_rows: NDArray[np.int64], person_id: int
) -> Array:
    """log(1 + n) of humans, instances and instances of the class; sizes of both against the largest of their kind."""
    sides = instances.boxes_xyxy_px[:, 2:].astype(np.float64) - instances.boxes_xyxy_px[:, :2]
    size = -np.log(np.maximum(sides, MIN_SIDE_PX).prod(axis=1)) / 2
    pictures, kinds = instances.picture_ids, _labels(instances.picture_ids, instances.class_ids)
    alike, total = np.bincount(kinds)[kinds], np.bincount(pictures)[pictures]
    humans = np.bincount(pictures, weights=instances.class_ids == person_id)[pictures]
    behind = (size - _group_min(size[None], [kinds, pictures])[:, 0]).clip(0, LOG_LIMIT)
    counts = np.log1p([humans[human_rows], total[human_rows], alike[object_rows]])
    return np.concatenate([counts, behind[:, [human_rows, object_rows]].reshape(4, -1)])
