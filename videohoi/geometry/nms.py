"""Non-maximum suppression: the compiled form, or its numpy twin while that is being compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.geometry._kernels import nms_kernel
from videohoi.geometry.boxes import class_aware_nms_numpy
from videohoi.structures.checks import require_shape


def class_aware_nms(
    boxes_xyxy_px: NDArray[np.floating[Any]],
    scores: NDArray[np.floating[Any]],
    class_ids: NDArray[np.int64],
    *,
    iou_threshold: float,
    limit: int | None = None,
    compiled: bool = True,
) -> NDArray[np.int64]:
    """Rows to keep of N candidate boxes, best score first, at most ``limit``.

    Greedy: a box goes when it overlaps a better box of the same class by more than ``iou_threshold``. Equal scores
    keep the order they came in. A row whose box or score is not finite is never kept. Give zeros as ``class_ids`` to
    suppress across classes. ``compiled`` False takes the numpy twin: slower, same rows.

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
    if not compiled:
        return class_aware_nms_numpy(boxes_xyxy_px, scores, class_ids, iou_threshold=iou_threshold, limit=limit)
    most = len(boxes_xyxy_px) if limit is None else limit
    kept: NDArray[np.int64] = nms_kernel(
        np.ascontiguousarray(boxes_xyxy_px),
        np.ascontiguousarray(scores),
        np.ascontiguousarray(class_ids, np.int64),
        float(iou_threshold),
        most,
    )
    return kept


def warm_up() -> None:
    """Compile (or load from the cache) the float32 form, so that the first frame does not wait for it."""
    boxes = np.array([[0, 0, 2, 2], [0, 0, 2, 1]], np.float32)
    class_aware_nms(boxes, np.array([0.9, 0.8], np.float32), np.zeros(2, np.int64), iou_threshold=0.5)
