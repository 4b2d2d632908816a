"""Greedy suppression as its definition reads: the reference of ``class_aware_nms``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry.boxes import Boxes, pairwise_iou


def plain_nms(
    boxes_xyxy_px: Boxes,
    scores: NDArray[np.floating[Any]],
    class_ids: NDArray[np.int64],
    *,
    iou_threshold: float,
    limit: int | None = None,
) -> NDArray[np.int64]:
    """Rows to keep, best first."""
    usable = np.isfinite(boxes_xyxy_px).all(axis=1) & np.isfinite(scores)
    iou = pairwise_iou(boxes_xyxy_px, boxes_xyxy_px)
    kept: list[int] = []
    for row in np.argsort(-scores.astype(np.float64), kind="stable"):
        if limit is not None and len(kept) >= limit:
            break
        rivals = [k for k in kept if class_ids[k] == class_ids[row]]
        if usable[row] and not (iou[row, rivals] > iou_threshold).any():
            kept.append(int(row))
    return np.array(kept, np.int64)
