"""Boxes as rows of corners (x1, y1, x2, y2) in pixels: sizes, conversions, overlaps. Plain numpy, no compiled code.

Every function works in float64. A box with a side that is not positive, or with a number that is not finite, has
no area and overlaps nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

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
