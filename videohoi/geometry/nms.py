"""Class-aware non-maximum suppression in numpy: one overlap matrix, then one pass over the rows that overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.structures.checks import require_shape


def class_aware_nms(
    boxes_xyxy_px: NDArray[np.floating[Any]],
    scores: NDArray[np.floating[Any]],
    class_ids: NDArray[np.int64],
    *,
    iou_threshold: float,
    limit: int | None = None,
) -> NDArray[np.int64]:
    """Rows to keep of N candidate boxes, best score first, at most ``limit``.

    Greedy: a box goes when it overlaps a better box of the same class by more than ``iou_threshold``. Equal scores
    keep the order they came in. A row whose box or score is not finite is never kept. Give zeros as ``class_ids`` to
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
    kept = np.ones(len(order), np.bool_)
    for row in np.flatnonzero(beaten.any(axis=1)).tolist():
        if kept[row]:
            kept &= ~beaten[row]
    rows: NDArray[np.int64] = order[kept][:limit]
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
