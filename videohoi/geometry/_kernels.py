"""Compiled box overlaps and suppression. The numpy twins are in ``videohoi.geometry.boxes``.

float64 throughout, no fast-math: the same operations in the same order as the twins, so results are equal bit by bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry.compiled_kernels import compiled, vectorised


@compiled
def _area(box: NDArray[np.floating[Any]]) -> float:
    width = np.float64(box[2]) - np.float64(box[0])
    height = np.float64(box[3]) - np.float64(box[1])
    area = max(width, 0.0) * max(height, 0.0)
    return area if np.isfinite(area) else 0.0


@vectorised
def _columns(boxes: NDArray[np.floating[Any]]) -> tuple[NDArray[np.float64], ...]:
    """(5, N) left, top, right, bottom and area, each contiguous; all 0 for a box without area.

    A box at the origin of no size meets no other box in a positive area, so what reads the columns needs no mask.
    """
    columns = np.zeros((5, len(boxes)), np.float64)
    for row in range(len(boxes)):
        area = _area(boxes[row])
        if area > 0.0:
            for side in range(4):
                columns[side, row] = boxes[row, side]
            columns[4, row] = area
    return columns[0], columns[1], columns[2], columns[3], columns[4]


@vectorised
def iou_kernel(boxes_a: NDArray[np.floating[Any]], boxes_b: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(N, M) IoU of (N, 4) and (M, 4) corners; see ``boxes.pairwise_iou``. The inner loop has no branch."""
    left, top, right, bottom, areas = _columns(boxes_b)
    iou = np.zeros((len(boxes_a), len(boxes_b)), np.float64)
    for i in range(len(boxes_a)):
        area = _area(boxes_a[i])
        if area > 0.0:
            x1, y1 = np.float64(boxes_a[i, 0]), np.float64(boxes_a[i, 1])
            x2, y2 = np.float64(boxes_a[i, 2]), np.float64(boxes_a[i, 3])
            row = iou[i]
            for j in range(len(boxes_b)):
                width = (x2 if x2 < right[j] else right[j]) - (x1 if x1 > left[j] else left[j])
                height = (y2 if y2 < bottom[j] else bottom[j]) - (y1 if y1 > top[j] else top[j])
                inter = (width if width > 0.0 else 0.0) * (height if height > 0.0 else 0.0)
                row[j] = inter / (area + areas[j] - inter)
    return iou


@vectorised
def _hull_columns(boxes: NDArray[np.floating[Any]]) -> tuple[NDArray[np.float64], ...]:
    """(5, N) left, top, right, bottom and area; NaN corners where one is not finite, which spoils every hull."""
    columns = np.full((5, len(boxes)), np.nan)
    for row in range(len(boxes)):
        if np.isfinite(boxes[row]).all():
            for side in range(4):
                columns[side, row] = boxes[row, side]
        columns[4, row] = _area(boxes[row])
    return columns[0], columns[1], columns[2], columns[3], columns[4]


@vectorised
def giou_kernel(boxes_a: NDArray[np.floating[Any]], boxes_b: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(N, M) generalised IoU of (N, 4) and (M, 4) corners; see ``boxes.pairwise_giou``. No branch inside either."""
    left, top, right, bottom, areas = _hull_columns(boxes_b)
    giou = np.full((len(boxes_a), len(boxes_b)), -1.0)
    for i in range(len(boxes_a)):
        if not np.isfinite(boxes_a[i]).all():
            continue
        area, row = _area(boxes_a[i]), giou[i]
        x1, y1 = np.float64(boxes_a[i, 0]), np.float64(boxes_a[i, 1])
        x2, y2 = np.float64(boxes_a[i, 2]), np.float64(boxes_a[i, 3])
        for j in range(len(boxes_b)):
            width = (x2 if x2 < right[j] else right[j]) - (x1 if x1 > left[j] else left[j])
            height = (y2 if y2 < bottom[j] else bottom[j]) - (y1 if y1 > top[j] else top[j])
            inter = (width if width > 0.0 else 0.0) * (height if height > 0.0 else 0.0)
            inter = inter if (area > 0.0) & (areas[j] > 0.0) else 0.0
            union = area + areas[j] - inter
            iou = inter / (union if union > 0.0 else 1.0)
            # comparisons written so that a NaN corner of b wins and makes the hull NaN
            wide = (x2 if x2 > right[j] else right[j]) - (x1 if x1 < left[j] else left[j])
            high = (y2 if y2 > bottom[j] else bottom[j]) - (y1 if y1 < top[j] else top[j])
            hull = (wide if wide > 0.0 else 0.0) * (high if high > 0.0 else 0.0)
            row[j] = iou - (hull - union) / hull if (hull > 0.0) & (hull < np.inf) else -1.0
    return giou


@compiled
def _suppressed(box: NDArray[np.floating[Any]], area: float, rivals: NDArray[np.float64], iou_threshold: float) -> bool:
    """One of ``rivals`` (R, 5: corners, area) overlaps ``box`` by more than the threshold."""
    left, top, right, bottom = np.float64(box[0]), np.float64(box[1]), np.float64(box[2]), np.float64(box[3])
    for k in range(len(rivals)):
        width = min(right, rivals[k, 2]) - max(left, rivals[k, 0])
        height = min(bottom, rivals[k, 3]) - max(top, rivals[k, 1])
        if width <= 0.0 or height <= 0.0 or rivals[k, 4] <= 0.0:
            continue
        inter = width * height
        if inter / (area + rivals[k, 4] - inter) > iou_threshold:
            return True
    return False


@compiled
def nms_kernel(
    boxes: NDArray[np.floating[Any]],
    scores: NDArray[np.floating[Any]],
    class_ids: NDArray[np.int64],
    iou_threshold: float,
    limit: int,
) -> NDArray[np.int64]:
    """Kept rows, best score first; see ``nms.class_aware_nms``.

    Classes are done one after another (rows sorted by class, then score), so that a candidate meets only the kept
    boxes of its own class; the kept rows of all classes are then merged by score and cut to ``limit``.
    """
    best_first = np.argsort(-scores.astype(np.float64), kind="mergesort")
    by_class = best_first[np.argsort(class_ids[best_first], kind="mergesort")]
    keep = np.zeros(len(boxes), np.bool_)
    rivals = np.empty((len(boxes), 5), np.float64)
    count = 0
    previous = -1
    for row in by_class:
        if previous < 0 or class_ids[row] != class_ids[previous]:
            count = 0
        previous = row
        if not np.isfinite(scores[row]) or not np.isfinite(boxes[row]).all():
            continue
        area = _area(boxes[row])
        if area > 0.0 and _suppressed(boxes[row], area, rivals[:count], iou_threshold):
            continue
        keep[row] = True
        rivals[count, :4] = boxes[row]
        rivals[count, 4] = area
        count += 1
    return best_first[keep[best_first]][:limit]
