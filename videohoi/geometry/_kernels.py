"""Compiled box overlaps and suppression. The numpy twins are in ``videohoi.geometry.boxes``.

float64 throughout, no fast-math: the same operations in the same order as the twins, so results are equal bit by bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

_F = TypeVar("_F", bound=Callable[..., Any])


def _compiled(function: _F) -> _F:
    """Numba without the GIL, cached on disk beside this file."""
    kernel: _F = njit(cache=True, nogil=True)(function)
    return kernel


@_compiled
def _area(box: NDArray[np.floating[Any]]) -> float:
    width = np.float64(box[2]) - np.float64(box[0])
    height = np.float64(box[3]) - np.float64(box[1])
    area = max(width, 0.0) * max(height, 0.0)
    return area if np.isfinite(area) else 0.0


@_compiled
def _areas(boxes: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    areas = np.empty(len(boxes), np.float64)
    for row in range(len(boxes)):
        areas[row] = _area(boxes[row])
    return areas


@_compiled
def _intersection(a: NDArray[np.floating[Any]], b: NDArray[np.floating[Any]]) -> float:
    width: float = np.float64(min(a[2], b[2])) - np.float64(max(a[0], b[0]))
    height: float = np.float64(min(a[3], b[3])) - np.float64(max(a[1], b[1]))
    return max(width, 0.0) * max(height, 0.0)


@_compiled
def iou_kernel(boxes_a: NDArray[np.floating[Any]], boxes_b: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(N, M) IoU of (N, 4) and (M, 4) corners; see ``boxes.pairwise_iou``."""
    areas_a, areas_b = _areas(boxes_a), _areas(boxes_b)
    iou = np.zeros((len(boxes_a), len(boxes_b)), np.float64)
    for i in range(len(boxes_a)):
        for j in range(len(boxes_b)):
            if areas_a[i] > 0.0 and areas_b[j] > 0.0:
                inter = _intersection(boxes_a[i], boxes_b[j])
                union = areas_a[i] + areas_b[j] - inter
                iou[i, j] = inter / union
    return iou


@_compiled
def _hull(a: NDArray[np.floating[Any]], b: NDArray[np.floating[Any]]) -> float:
    width: float = np.float64(max(a[2], b[2])) - np.float64(min(a[0], b[0]))
    height: float = np.float64(max(a[3], b[3])) - np.float64(min(a[1], b[1]))
    return max(width, 0.0) * max(height, 0.0)


@_compiled
def giou_kernel(boxes_a: NDArray[np.floating[Any]], boxes_b: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(N, M) generalised IoU of (N, 4) and (M, 4) corners; see ``boxes.pairwise_giou``."""
    areas_a, areas_b = _areas(boxes_a), _areas(boxes_b)
    giou = np.full((len(boxes_a), len(boxes_b)), -1.0)
    for i in range(len(boxes_a)):
        for j in range(len(boxes_b)):
            hull = _hull(boxes_a[i], boxes_b[j])
            finite = np.isfinite(boxes_a[i]).all() and np.isfinite(boxes_b[j]).all()
            if not finite or not np.isfinite(hull) or hull <= 0.0:
                continue
            inter = _intersection(boxes_a[i], boxes_b[j]) if areas_a[i] > 0.0 and areas_b[j] > 0.0 else 0.0
            union = areas_a[i] + areas_b[j] - inter
            iou = inter / union if union > 0.0 else 0.0
            giou[i, j] = iou - (hull - union) / hull
    return giou


@_compiled
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


@_compiled
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
