"""Overlaps of all pairs of boxes: the compiled form, or its numpy twin while that is being compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry._kernels import giou_kernel, iou_kernel
from videohoi.geometry.boxes import Boxes, pairwise_giou, pairwise_iou
from videohoi.structures.checks import require_shape


def box_iou(boxes_a_px: Boxes, boxes_b_px: Boxes, *, compiled: bool = True) -> NDArray[np.float64]:
    """(N, M) intersection over union of (N, 4) and (M, 4) corners, in [0, 1]; ``boxes.pairwise_iou`` bit for bit.

    A box that is inverted, flat or not finite overlaps nothing (0). ``compiled`` False takes the numpy twin.
    ``ValueError`` on other shapes.
    """
    a, b = _checked("box_iou", boxes_a_px, boxes_b_px)
    iou: NDArray[np.float64] = iou_kernel(a, b) if compiled else pairwise_iou(a, b)
    return iou


def box_giou(boxes_a_px: Boxes, boxes_b_px: Boxes, *, compiled: bool = True) -> NDArray[np.float64]:
    """(N, M) generalised IoU of (N, 4) and (M, 4) corners, in [-1, 1]; ``boxes.pairwise_giou`` bit for bit.

    -1 where a box is not finite or both together span no area. ``compiled`` False takes the numpy twin.
    ``ValueError`` on other shapes.
    """
    a, b = _checked("box_giou", boxes_a_px, boxes_b_px)
    giou: NDArray[np.float64] = giou_kernel(a, b) if compiled else pairwise_giou(a, b)
    return giou


def warm_up() -> None:
    """Compile (or load from the cache) both for float32, the type of a frame's detections."""
    boxes = np.array([[0, 0, 2, 2]], np.float32)
    box_iou(boxes, boxes)
    box_giou(boxes, boxes)


def _checked(owner: str, a: NDArray[Any], b: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    require_shape(owner, "boxes_a_px", a, (None, 4))
    require_shape(owner, "boxes_b_px", b, (None, 4))
    return np.ascontiguousarray(a), np.ascontiguousarray(b)
