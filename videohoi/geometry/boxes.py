"""Boxes as rows of corners (x1, y1, x2, y2) in pixels: sizes, overlaps, suppression. Plain numpy, no compiled code.

Every function works in float64. A box with a side that is not positive, or with a number that is not finite, has
no area and overlaps nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.structures.checks import require_shape

Boxes = NDArray[np.floating[Any]]
"""(N, 4) corners, any float type"""


def box_areas(boxes_xyxy_px: Boxes) -> NDArray[np.float64]:
    """(N,) width times height in square pixels; 0 for a box that is inverted, flat or not finite."""
    require_shape("box_areas", "boxes_xyxy_px", boxes_xyxy_px, (None, 4))
    boxes = boxes_xyxy_px.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        areas = np.maximum(boxes[:, 2] - boxes[:, 0], 0.0) * np.maximum(boxes[:, 3] - boxes[:, 1], 0.0)
    return np.where(np.isfinite(areas), areas, 0.0)


def box_centres(boxes_xyxy_px: Boxes) -> NDArray[np.float64]:
    """(N, 2) centre x and y in pixels."""
    require_shape("box_centres", "boxes_xyxy_px", boxes_xyxy_px, (None, 4))
    boxes = boxes_xyxy_px.astype(np.float64)
    return (boxes[:, :2] + boxes[:, 2:]) / 2.0


def pairwise_iou(boxes_a_px: Boxes, boxes_b_px: Boxes) -> NDArray[np.float64]:
    """(N, M) intersection over union of every box of ``a`` (N, 4) with every box of ``b`` (M, 4), in [0, 1]."""
    inter, union = _intersection_union(boxes_a_px, boxes_b_px)
    return _ratio(inter, union)


def bordered_iou(box_px: NDArray[np.float64], boxes_px: NDArray[np.float64], border_px: float) -> NDArray[np.float64]:
    """(R,) IoU of a box (4,) with boxes (R, 4) whose sides are ``x2 - x1 + border_px``; 0 without area."""
    with np.errstate(invalid="ignore", over="ignore"):
        low, high = np.maximum(box_px[:2], boxes_px[:, :2]), np.minimum(box_px[2:], boxes_px[:, 2:])
        inter = np.maximum(high - low + border_px, 0.0).prod(axis=1)
        area = np.maximum(box_px[2:] - box_px[:2] + border_px, 0.0).prod()
        areas = np.maximum(boxes_px[:, 2:] - boxes_px[:, :2] + border_px, 0.0).prod(axis=1)
        union = area + areas - inter
    usable = (area > 0) & (areas > 0) & (union > 0) & (union < np.inf)
    iou: NDArray[np.float64] = np.divide(inter, union, out=np.zeros_like(inter), where=usable)
    return np.minimum(iou, 1.0)


def _intersection_union(boxes_a_px: Boxes, boxes_b_px: Boxes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    areas_a, areas_b = box_areas(boxes_a_px), box_areas(boxes_b_px)
    a, b = boxes_a_px.astype(np.float64)[:, None], boxes_b_px.astype(np.float64)[None]
    with np.errstate(invalid="ignore", over="ignore"):
        sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
        inter = np.maximum(sides[..., 0], 0.0) * np.maximum(sides[..., 1], 0.0)
    inter = np.where((areas_a[:, None] > 0.0) & (areas_b[None] > 0.0), inter, 0.0)
    return inter, areas_a[:, None] + areas_b[None] - inter


def _ratio(inter: NDArray[np.float64], union: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(inter, union, out=np.zeros_like(inter), where=union > 0.0)


def class_aware_nms(
    boxes_xyxy_px: NDArray[np.floating[Any]],
    scores: NDArray[np.floating[Any]],
    class_ids: NDArray[np.int64],
    *,
    iou_threshold: float,
    limit: int | None = None,
) -> NDArray[np.int64]:
    """Rows to keep of N candidate boxes, best score first, at most ``limit``.

    Greedy: a box is dropped when it overlaps a better box of the same class by more than ``iou_threshold``. Equal
    scores keep their order. A row whose box or score is not finite is never kept. Give zeros as ``class_ids`` to
    suppress across classes.

    Shapes: ``boxes_xyxy_px`` (N, 4), ``scores`` (N,), ``class_ids`` (N,). ``ValueError`` on other shapes,
    ``UsageError`` on a threshold outside [0, 1] or a negative limit.
    """
    require_shape("class_aware_nms", "boxes_xyxy_px", boxes_xyxy_px, (None, 4))
    require_shape("class_aware_nms", "scores", scores, (len(boxes_xyxy_px),))
    require_shape("class_aware_nms", "class_ids", class_ids, (len(boxes_xyxy_px),))
    if not 0.0 <= iou_threshold <= 1.0:
        raise UsageError(f"iou_threshold must lie in [0, 1], got {iou_threshold}")
    if limit is not None and limit < 0:
        raise UsageError(f"limit must be 0 or more, or None for no limit, got {limit}")
    order = np.argsort(-scores.astype(np.float64), kind="stable")
    order = order[(np.isfinite(boxes_xyxy_px).all(axis=1) & np.isfinite(scores))[order]]
    beaten = _overlaps(boxes_xyxy_px[order].astype(np.float64), iou_threshold)
    beaten &= class_ids[order, None] == class_ids[order]
    is_kept = np.ones(len(order), np.bool_)
    for row in np.flatnonzero(beaten.any(axis=1)).tolist():
        if is_kept[row]:
            is_kept &= ~beaten[row]
    rows: NDArray[np.int64] = order[is_kept][:limit]
    return rows


def _overlaps(boxes: NDArray[np.float64], iou_threshold: float) -> NDArray[np.bool_]:
    """(N, N): the row's box overlaps the column's, a later one, by more than the threshold."""
    left, top, right, bottom = boxes.T
    width = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    height = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    area = np.maximum(right - left, 0.0) * np.maximum(bottom - top, 0.0)
    shared = np.maximum(width, 0.0) * np.maximum(height, 0.0)
    shared[:, area <= 0.0] = shared[area <= 0.0] = 0.0
    union = area[:, None] + area - shared
    with np.errstate(divide="ignore", invalid="ignore"):
        overlap: NDArray[np.bool_] = np.triu((shared > 0.0) & (shared / union > iou_threshold), 1)
    return overlap
