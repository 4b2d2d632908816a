"""Numbers about each human-object pair from the boxes of a picture; one function for training and for run time.

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
class _Pairs:
    """The boxes of P pairs in the mirrored picture; axes: human and object (2), x and y (2), pair (P)."""

    low: Array
    """(2, 2, P) left and top"""
    high: Array
    """(2, 2, P) right and bottom"""
    picture: Array
    """(2, P) width and height of the picture"""
    sides: Array
    """(2, 2, P) width and height, at least a pixel"""
    centres: Array
    """(2, 2, P)"""
    areas: Array
    """(2, P)"""


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
    pairs = _mirrored(instances, human_rows, object_rows)
    overlap = _overlap(pairs)
    blocks = [
        *_spatial(pairs, overlap),
        *_frame(pairs, overlap),
        *_scene(instances, human_rows, object_rows, overlap, person_id),
    ]
    return np.ascontiguousarray(np.concatenate(blocks).T, np.float32)


def _mirrored(instances: Instances, human_rows: NDArray[np.int64], object_rows: NDArray[np.int64]) -> _Pairs:
    picture = instances.picture_sizes_px[human_rows].T.astype(np.float64)
    corners = instances.boxes_xyxy_px[np.array([human_rows, object_rows])].astype(np.float64).transpose(0, 2, 1)
    low, high = corners[:, :2].copy(), corners[:, 2:].copy()
    flip = low[1, 0] + high[1, 0] < low[0, 0] + high[0, 0]
    low[:, 0] = np.where(flip, picture[0] - corners[:, 2], corners[:, 0])
    high[:, 0] = np.where(flip, picture[0] - corners[:, 0], corners[:, 2])
    sides = np.maximum(high - low, MIN_SIDE_PX)
    return _Pairs(low, high, picture, sides, (low + high) / 2, sides[:, 0] * sides[:, 1])


def _overlap(pairs: _Pairs) -> _Overlap:
    common = np.maximum(np.minimum(*pairs.high) - np.maximum(*pairs.low), 0)
    hull_sides = np.maximum(*pairs.high) - np.minimum(*pairs.low)
    intersection = common[0] * common[1]
    union = pairs.areas[0] + pairs.areas[1] - intersection
    hull = np.maximum(hull_sides[0] * hull_sides[1], union)
    iou = intersection / union
    apart = np.hypot(*(pairs.centres[1] - pairs.centres[0]))
    sizes = np.sqrt(pairs.areas)
    distance = 2 * apart / (sizes[0] + sizes[1])
    # generalised IoU, arXiv 1902.09630, equation 2
    return _Overlap(intersection, union, iou, iou - (hull - union) / hull, distance)


def _spatial(pairs: _Pairs, overlap: _Overlap) -> tuple[Array, Array]:
    """(SPATIAL_COUNT, P) numbers: plain ones and their logarithms."""
    picture, sides, areas = pairs.picture, pairs.sides, pairs.areas
    towards = (pairs.centres[1] - pairs.centres[0]) / sides[0]
    plain = np.concatenate([
        (pairs.centres / picture).reshape(4, -1),
        (sides / picture).reshape(4, -1),
        areas / (picture[0] * picture[1]),
        areas[1:] / areas[:1],
        sides[:, 0] / sides[:, 1],
        overlap.iou[None],
        np.abs(towards[:1]), np.maximum(towards[1:], 0), np.maximum(-towards[1:], 0),
    ])  # fmt: skip
    # products and ratios have long tails; their logarithms carry the far values
    logs = np.log(np.maximum(plain, 0) + EPSILON).clip(LOG_FLOOR, LOG_LIMIT)
    return plain.clip(0, FRAME_LIMIT), logs


def _frame(pairs: _Pairs, overlap: _Overlap) -> tuple[Array, ...]:
    """(FRAME_COUNT, P) numbers: the object's edges in the human's frame, ratios, shares, and what borders cut."""
    (low, other_low), (high, other_high) = pairs.low, pairs.high
    sides, (width, height) = pairs.sides, pairs.picture
    alike = np.array([other_low - low, other_high - high]) / sides[0]  # (2, 2, P) edges, then axes
    across, above, below = other_low[0] - high[0], other_high[1] - low[1], other_low[1] - high[1]
    facing = np.array([across, above, below]) / sides[0][[0, 1, 1]]
    steps = np.concatenate([alike[:, 0], facing[:1], alike[:, 1], facing[1:]])
    logs = np.log(np.concatenate([sides[1] / sides[0, 1], (width / height)[None]])).clip(-LOG_LIMIT, LOG_LIMIT)
    shares = np.array([
        overlap.intersection / pairs.areas[0], overlap.intersection / pairs.areas[1], overlap.generalised_iou,
        overlap.union / (width * height),
    ])  # fmt: skip
    return steps.clip(-FRAME_LIMIT, FRAME_LIMIT), logs, shares, _cut(pairs)


def _cut(pairs: _Pairs) -> Array:
    """(8, P), near 1 where the picture's left, right, top or bottom border cuts the human (4) and the object (4)."""
    low, high = pairs.low / pairs.picture, 1 - pairs.high / pairs.picture
    gaps = np.array([low, high]).transpose(1, 2, 0, 3).reshape(8, -1)
    return np.asarray(np.exp(-BORDER_SOFTNESS * np.maximum(gaps, 0)), np.float64)


def _scene(
    instances: Instances,
    human_rows: NDArray[np.int64],
    object_rows: NDArray[np.int64],
    overlap: _Overlap,
    person_id: int,
) -> tuple[Array, ...]:
    """(SCENE_COUNT, P) numbers: distance, by how much others are nearer, the nearest, and how many there are."""
    distance = np.log(overlap.distance + np.exp(-LOG_LIMIT)).clip(-LOG_LIMIT, LOG_LIMIT)
    classes = instances.class_ids[object_rows]
    kinds = _labels(human_rows, classes)  # this human with objects of this class
    near = np.array([distance, -overlap.generalised_iou])  # both are small where the boxes are close
    least = _group_min(near, [object_rows, human_rows, kinds])
    lead = (near - least).transpose(1, 0, 2).reshape(6, -1)  # by distance first, then by overlap
    crowd = _crowd(instances, human_rows, object_rows, person_id)
    return distance[None], lead, least[:2, 0], *crowd


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
    places = np.array(groupings) + begins[:-1, None]  # (G, P)
    places = places[:, None] + begins[-1] * np.arange(len(values))[:, None]
    least = np.full(int(begins[-1]) * len(values), np.inf)
    np.minimum.at(least, places, values)
    return np.asarray(least[places], np.float64)


def _crowd(
    instances: Instances, human_rows: NDArray[np.int64], object_rows: NDArray[np.int64], person_id: int
) -> tuple[Array, Array]:
    """log(1 + n) of humans, instances and instances of the class; sizes of both against the largest of their kind."""
    sides = instances.boxes_xyxy_px[:, 2:].astype(np.float64) - instances.boxes_xyxy_px[:, :2]
    size = -np.log(np.maximum(sides, MIN_SIDE_PX).prod(axis=1)) / 2
    pictures, kinds = instances.picture_ids, _labels(instances.picture_ids, instances.class_ids)
    alike, total = np.bincount(kinds)[kinds], np.bincount(pictures)[pictures]
    humans = np.bincount(pictures, weights=instances.class_ids == person_id)[pictures]
    behind = (size - _group_min(size[None], [kinds, pictures])[:, 0]).clip(0, LOG_LIMIT)
    counts = np.log1p([humans[human_rows], total[human_rows], alike[object_rows]])
    return counts, behind[:, [human_rows, object_rows]].reshape(4, -1)
