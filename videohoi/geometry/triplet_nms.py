"""Suppression of doubled (human, verb, object) triplets: the compiled form and its numpy twin.

The rule is CDN's pair-wise NMS (Zhang et al., "Mining the Benefits of Two-stage and One-stage HOI Detection", NeurIPS
2021, arXiv 2108.05077, section 3.4): of two triplets of the same class the weaker goes when

    IoU(human, human) ** human_power * IoU(object, object) ** object_power > threshold
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.geometry._triplet_kernels import triplet_nms_kernel
from videohoi.structures.checks import require_shape

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TripletNmsRule:
    """When two triplets of one class are one; the values are those of CDN's public evaluation."""

    human_power: float = 1.0
    """weight of the humans' overlap (alpha)"""
    object_power: float = 0.5
    """weight of the objects' overlap (beta): objects are small, their boxes less sure"""
    threshold: float = 0.7
    """more overlap than this is too much"""
    border_px: float = 1.0
    """added to every side: CDN counts the pixels from x1 to x2, both included; 0 takes corners as they are"""

    def __post_init__(self) -> None:
        if self.human_power < 0 or self.object_power < 0 or not 0 <= self.threshold <= 1:
            raise UsageError(
                "triplet NMS: expected powers of 0 or more and a threshold in [0, 1], "
                f"got {self.human_power}, {self.object_power} and {self.threshold}"
            )


@dataclass(frozen=True, repr=False)
class Triplets:
    """K scored triplets over N boxes."""

    boxes_xyxy_px: NDArray[np.floating[Any]]
    """(N, 4) corners"""
    class_ids: NDArray[np.int64]
    """(N,) class of each box"""
    human_rows: NDArray[np.int64]
    """(K,) rows of boxes"""
    object_rows: NDArray[np.int64]
    """(K,) rows of boxes"""
    verbs: NDArray[np.int64]
    """(K,) columns of the vocabulary's verbs"""
    scores: NDArray[np.floating[Any]]
    """(K,)"""

    def __post_init__(self) -> None:
        require_shape("Triplets", "boxes_xyxy_px", self.boxes_xyxy_px, (None, 4))
        require_shape("Triplets", "class_ids", self.class_ids, (len(self.boxes_xyxy_px),))
        for name in ("human_rows", "object_rows", "verbs", "scores"):
            require_shape("Triplets", name, getattr(self, name), (len(self.scores),))

    def __len__(self) -> int:
        return len(self.scores)


def triplet_nms(
    triplets: Triplets, rule: TripletNmsRule | None = None, *, limit: int | None = None, compiled: bool = True
) -> NDArray[np.int64]:
    """Rows of ``triplets`` to keep, best score first, at most ``limit``.

    Greedy, within the triplets whose human class, object class and verb are the same. Equal scores keep the order they
    came in. A triplet with a box or score that is not finite is never kept; a box without area overlaps nothing.
    ``compiled`` False takes the numpy twin: slower, same rows.

    ``UsageError`` on a negative limit or a triplet that names a box that is not there.
    """
    if limit is not None and limit < 0:
        raise UsageError(f"limit must be 0 or more, or None for no limit, got {limit}")
    rule = TripletNmsRule() if rule is None else rule
    most = len(triplets) if limit is None else limit
    kept = _compiled_nms(triplets, rule) if compiled else triplet_nms_numpy(triplets, rule)
    return kept[:most]


def triplet_nms_numpy(triplets: Triplets, rule: TripletNmsRule) -> NDArray[np.int64]:
    """Twin of ``triplet_nms`` without a limit, slow and plain."""
    _require_rows(triplets)
    boxes = triplets.boxes_xyxy_px.astype(np.float64)
    humans, objects = boxes[triplets.human_rows], boxes[triplets.object_rows]
    usable = np.isfinite(humans).all(axis=1) & np.isfinite(objects).all(axis=1) & np.isfinite(triplets.scores)
    names = np.stack(
        [triplets.class_ids[triplets.human_rows], triplets.class_ids[triplets.object_rows], triplets.verbs], axis=1
    )
    kept: list[int] = []
    for row in np.argsort(-triplets.scores.astype(np.float64), kind="stable"):
        rivals = [k for k in kept if (names[k] == names[row]).all()]
        human_iou = bordered_iou(humans[row], humans[rivals], rule.border_px)
        object_iou = bordered_iou(objects[row], objects[rivals], rule.border_px)
        overlap = _power(human_iou, rule.human_power) * _power(object_iou, rule.object_power)
        meet = (human_iou > 0) & (object_iou > 0)
        if usable[row] and not (meet & (overlap > rule.threshold)).any():
            kept.append(int(row))
    return np.array(kept, np.int64)


def bordered_iou(box: Floats, boxes: Floats, border_px: float) -> Floats:
    """(R,) IoU of a box (4,) with boxes (R, 4) whose sides are ``x2 - x1 + border_px``; 0 without area."""
    with np.errstate(invalid="ignore", over="ignore"):
        low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
        inter = np.maximum(high - low + border_px, 0.0).prod(axis=1)
        area = np.maximum(box[2:] - box[:2] + border_px, 0.0).prod()
        areas = np.maximum(boxes[:, 2:] - boxes[:, :2] + border_px, 0.0).prod(axis=1)
        union = area + areas - inter
    usable = (area > 0) & (areas > 0) & (union > 0) & (union < np.inf)
    iou: Floats = np.divide(inter, union, out=np.zeros_like(inter), where=usable)
    return np.minimum(iou, 1.0)


def warm_up() -> None:
    """Compile (or load from the cache) the float32 form."""
    row = np.zeros(1, np.int64)
    triplet_nms(Triplets(np.array([[0, 0, 2, 2]], np.float32), row, row, row, row, np.ones(1, np.float32)))


def _compiled_nms(triplets: Triplets, rule: TripletNmsRule) -> NDArray[np.int64]:
    kept: NDArray[np.int64]
    kept, fine = triplet_nms_kernel(
        np.ascontiguousarray(triplets.boxes_xyxy_px),
        np.ascontiguousarray(triplets.class_ids, np.int64),
        np.ascontiguousarray(triplets.human_rows, np.int64),
        np.ascontiguousarray(triplets.object_rows, np.int64),
        np.ascontiguousarray(triplets.verbs, np.int64),
        np.ascontiguousarray(triplets.scores),
        (float(rule.human_power), float(rule.object_power), float(rule.threshold), float(rule.border_px)),
    )
    if not fine:
        _require_rows(triplets)
    return kept


def _require_rows(triplets: Triplets) -> None:
    rows = np.concatenate([triplets.human_rows, triplets.object_rows])
    count = len(triplets.boxes_xyxy_px)
    wrong = rows[(rows < 0) | (rows >= count)]
    if len(wrong):
        raise UsageError(f"triplet names box row {wrong[0]} of {count}; rows count from 0")


def _power(values: Floats, power: float) -> Floats:
    """``values ** power``, with the square root the hardware rounds exactly: the same number everywhere."""
    if power == 0.5:
        return np.sqrt(values)
    return values if power == 1.0 else np.power(values, power)
