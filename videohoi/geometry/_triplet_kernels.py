"""Compiled triplet suppression. The numpy twin and the rule's source are in ``videohoi.geometry.triplet_nms``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry.compiled_kernels import vectorised

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Corners = NDArray[np.floating[Any]]


@vectorised
def _power(value: float, power: float) -> float:
    if power == 0.5:
        return math.sqrt(value)
    raised: float = value if power == 1.0 else value**power
    return raised


@vectorised
def _best_first(scores: NDArray[np.floating[Any]]) -> Ints:
    """Rows by falling score, equal ones in their order; the sort is left out where it is done already."""
    for row in range(1, len(scores)):
        if not scores[row] <= scores[row - 1]:
            return np.argsort(-scores.astype(np.float64), kind="mergesort")
    return np.arange(len(scores))


@vectorised
def _areas(boxes: Corners, border: float) -> Floats:
    """(N,) area with a border on each side; NaN for a box that is not finite."""
    areas = np.full(len(boxes), np.nan)
    for row in range(len(boxes)):
        if np.isfinite(boxes[row]).all():
            width = np.float64(boxes[row, 2]) - np.float64(boxes[row, 0]) + border
            height = np.float64(boxes[row, 3]) - np.float64(boxes[row, 1]) + border
            areas[row] = max(width, 0.0) * max(height, 0.0)
    return areas


@vectorised
def _iou(boxes: Corners, areas: Floats, a: int, b: int, border: float) -> float:
    """``triplet_nms.bordered_iou`` of rows ``a`` and ``b``."""
    width: float = np.float64(min(boxes[a, 2], boxes[b, 2])) - np.float64(max(boxes[a, 0], boxes[b, 0])) + border
    height: float = np.float64(min(boxes[a, 3], boxes[b, 3])) - np.float64(max(boxes[a, 1], boxes[b, 1])) + border
    if width <= 0.0 or height <= 0.0 or areas[a] <= 0.0 or areas[b] <= 0.0:
        return 0.0
    inter = width * height
    union = areas[a] + areas[b] - inter
    if not 0.0 < union < np.inf:
        return 0.0
    share: float = inter / union
    return min(share, 1.0)


@vectorised
def _bucket_count(triplets: int) -> int:
    """Power of two, at least twice the triplets."""
    count = 8
    while count < 2 * triplets:
        count *= 2
    return count


@vectorised
def triplet_nms_kernel(
    boxes: Corners,
    class_ids: Ints,
    human_rows: Ints,
    object_rows: Ints,
    verbs: Ints,
    scores: NDArray[np.floating[Any]],
    rule: tuple[float, float, float, float],
) -> tuple[Ints, bool]:
    """Kept rows, best first, and whether every triplet names boxes that are there.

    Kept triplets of a class are a chain (``head`` of its bucket, then ``behind``), found by hashing the class.
    """
    human_power, object_power, threshold, border = rule
    kept, size = np.empty(len(scores), np.int64), 0
    for row in range(len(scores)):
        if not (0 <= human_rows[row] < len(boxes) and 0 <= object_rows[row] < len(boxes)):
            return kept[:0], False
    areas = _areas(boxes, border)
    buckets = _bucket_count(len(scores))
    head, behind = np.full(buckets, -1, np.int64), np.empty(len(scores), np.int64)
    for row in _best_first(scores):
        human, thing = human_rows[row], object_rows[row]
        if not np.isfinite(scores[row]) or np.isnan(areas[human]) or np.isnan(areas[thing]):
            continue
        human_class, thing_class, verb = class_ids[human], class_ids[thing], verbs[row]
        bucket = (verb * 31 + thing_class * 7919 + human_class * 104729) & (buckets - 1)
        rival, suppressed = head[bucket], False
        while rival >= 0 and not suppressed:
            his, its = human_rows[rival], object_rows[rival]
            if verbs[rival] == verb and class_ids[its] == thing_class and class_ids[his] == human_class:
                overlap = _iou(boxes, areas, human, his, border)
                # the objects' part is at most 1: humans apart enough decide alone
                if overlap > 0.0 and _power(overlap, human_power) > threshold:
                    other = _iou(boxes, areas, thing, its, border)
                    joint = _power(overlap, human_power) * _power(other, object_power)
                    suppressed = other > 0.0 and joint > threshold
            rival = behind[rival]
        if not suppressed:
            behind[row], head[bucket] = head[bucket], row
            kept[size] = row
            size += 1
    return kept[:size], True
