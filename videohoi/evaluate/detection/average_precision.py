"""Average precision of a detector as COCO defines it (Lin et al., ECCV 2014; cocodataset.org "Detection evaluation").

Per class and IoU threshold: detections of each picture (at most 100 a class, best score first) take the free true box
with the highest IoU at or above the threshold; precision over all pictures is made monotone and read at 101 recalls.
Crowd regions are ignored: a detection that only fits a crowd counts neither way, its IoU being shared area / own area.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.structures import Detections

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""COCO: .50, .55, ..., .95"""
RECALL_POINTS = np.linspace(0.0, 1.0, 101)
"""COCO: .00, .01, ..., 1.00"""
MAXIMUM_DETECTIONS = 100
"""COCO: a picture and class"""


@dataclass(frozen=True, repr=False)
class PictureBoxes:
    """True boxes of one picture."""

    boxes_xyxy_px: NDArray[np.float64]
    """(G, 4)"""
    class_ids: NDArray[np.int64]
    """(G,)"""
    crowd: NDArray[np.bool_]
    """(G,) the box is a crowd region: detections in it count neither way"""

    def __post_init__(self) -> None:
        count = len(self.class_ids)
        if self.boxes_xyxy_px.shape != (count, 4) or self.crowd.shape != (count,):
            got = f"{self.boxes_xyxy_px.shape}, {self.class_ids.shape}, {self.crowd.shape}"
            raise ValueError(f"PictureBoxes wants boxes (G, 4), class_ids (G,), crowd (G,); got {got}")

    def __repr__(self) -> str:
        return f"PictureBoxes(n={len(self.class_ids)}, crowd={int(self.crowd.sum())})"


@dataclass(frozen=True)
class DetectionScores:
    """Average precisions in [0, 1]; None where no picture holds a true box of the class."""

    ap: float | None
    """mean over the ten IoU thresholds and over the classes with true boxes"""
    ap50: float | None
    """the same at IoU 0.5 only"""
    per_class_ap: Mapping[str, float]
    """by class name, classes with true boxes only"""
    per_class_ap50: Mapping[str, float]
    """by class name, at IoU 0.5, classes with true boxes only"""
    person_ap: float | None
    person_ap50: float | None
    pictures: int
    true_boxes: int
    """crowd regions not counted"""

    def to_dict(self) -> dict[str, Any]:
        """Fields, for JSON."""
        return {**vars(self), "per_class_ap": dict(self.per_class_ap), "per_class_ap50": dict(self.per_class_ap50)}


def average_precision(
    predictions: Sequence[Detections],
    truths: Sequence[PictureBoxes],
    class_names: Sequence[str],
    *,
    person_class: str = "person",
    maximum_detections: int = MAXIMUM_DETECTIONS,
) -> DetectionScores:
    """COCO's average precision over pictures.

    Args:
        predictions: detections of each picture, boxes in the same pixels as the truth.
        truths: true boxes of each picture, in the same order.
        class_names: name of each class id.
        person_class: the class reported on its own.
        maximum_detections: per picture and class, best score first.

    Raises:
        UsageError: as many predictions as truths are expected.
    """
    if len(predictions) != len(truths):
        raise UsageError(f"expected detections for each of {len(truths)} pictures, got {len(predictions)}")
    per_class: dict[str, NDArray[np.float64]] = {}
    for class_id, name in enumerate(class_names):
        pictures = [
            _match_picture(found, true, class_id, maximum_detections)
            for found, true in zip(predictions, truths, strict=True)
        ]
        precision = _precision(pictures)
        if precision is not None:
            per_class[name] = precision
    return _scores(per_class, truths, person_class)


@dataclass(frozen=True)
class _Picture:
    """One picture and class after matching. T IoU thresholds, D detections best score first."""

    scores: NDArray[np.float32]
    """(D,)"""
    hit: NDArray[np.bool_]
    """(T, D) took a true box"""
    ignored: NDArray[np.bool_]
    """(T, D) fits a crowd region only"""
    true_boxes: int


def _match_picture(found: Detections, true: PictureBoxes, class_id: int, maximum_detections: int) -> _Picture:
    rows = np.flatnonzero(found.class_ids == class_id)
    rows = rows[np.argsort(-found.scores[rows], kind="stable")][:maximum_detections]
    of_class = true.class_ids == class_id
    boxes, crowds = true.boxes_xyxy_px[of_class & ~true.crowd], true.boxes_xyxy_px[of_class & true.crowd]
    own = found.boxes_xyxy_px[rows].astype(np.float64)
    hit = _take_boxes(_iou(own, boxes, crowd=False))
    in_crowd = _iou(own, crowds, crowd=True).max(axis=1, initial=0.0)
    ignored = ~hit & (in_crowd[None, :] >= IOU_THRESHOLDS[:, None])
    return _Picture(found.scores[rows], hit, ignored, len(boxes))


def _take_boxes(iou: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(T, D) which detections take a true box, given (D, G) IoU with detections best score first."""
    thresholds = IOU_THRESHOLDS[:, None]
    hit = np.zeros((len(IOU_THRESHOLDS), len(iou)), np.bool_)
    if iou.shape[1] == 0:
        return hit
    free = np.ones((len(IOU_THRESHOLDS), iou.shape[1]), np.bool_)
    for row, overlaps in enumerate(iou):
        reachable = np.where(free & (overlaps >= thresholds), overlaps, -1.0)  # (T, G)
        # of equal IoUs the last true box wins, as in the reference implementation
        best = reachable.shape[1] - 1 - np.argmax(reachable[:, ::-1], axis=1)
        hit[:, row] = reachable[np.arange(len(best)), best] >= 0
        free[hit[:, row], best[hit[:, row]]] = False
    return hit


def _iou(found: NDArray[np.float64], true: NDArray[np.float64], *, crowd: bool) -> NDArray[np.float64]:
    """(D, G) intersection over union; over the detection's own area for crowd regions."""
    low = np.maximum(found[:, None, :2], true[None, :, :2])
    high = np.minimum(found[:, None, 2:], true[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0.0), axis=2)
    own = np.prod(found[:, 2:] - found[:, :2], axis=1)[:, None]
    whole = own if crowd else own + np.prod(true[:, 2:] - true[:, :2], axis=1)[None, :] - shared
    iou: NDArray[np.float64] = np.zeros(shared.shape)
    np.divide(shared, whole, out=iou, where=whole > 0)
    return iou


def _precision(pictures: Sequence[_Picture]) -> NDArray[np.float64] | None:
    """(T, R) monotone precision at each recall point; None when there is no true box."""
    true_boxes = sum(picture.true_boxes for picture in pictures)
    if true_boxes == 0:
        return None
    scores = np.concatenate([picture.scores for picture in pictures])
    order = np.argsort(-scores, kind="stable")
    hit = np.concatenate([picture.hit for picture in pictures], axis=1)[:, order]
    ignored = np.concatenate([picture.ignored for picture in pictures], axis=1)[:, order]
    right, wrong = np.cumsum(hit, axis=1), np.cumsum(~hit & ~ignored, axis=1)
    return np.stack([_read_curve(r, w, true_boxes) for r, w in zip(right, wrong, strict=True)])


def _read_curve(right: NDArray[np.int64], wrong: NDArray[np.int64], true_boxes: int) -> NDArray[np.float64]:
    """(R,) precision at the recall points: the best precision at that recall or a higher one, 0 beyond the last."""
    precision = right / np.maximum(right + wrong, 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    rows = np.searchsorted(right / true_boxes, RECALL_POINTS, side="left")
    values: NDArray[np.float64] = np.append(best_from_here, 0.0)[rows]
    return values


def _scores(
    per_class: Mapping[str, NDArray[np.float64]], truths: Sequence[PictureBoxes], person_class: str
) -> DetectionScores:
    per_class_ap = {name: float(precision.mean()) for name, precision in per_class.items()}
    per_class_ap50 = {name: float(precision[0].mean()) for name, precision in per_class.items()}
    return DetectionScores(
        ap=float(np.mean(list(per_class_ap.values()))) if per_class else None,
        ap50=float(np.mean(list(per_class_ap50.values()))) if per_class else None,
        per_class_ap=per_class_ap,
        per_class_ap50=per_class_ap50,
        person_ap=per_class_ap.get(person_class),
        person_ap50=per_class_ap50.get(person_class),
        pictures=len(truths),
        true_boxes=sum(int((~true.crowd).sum()) for true in truths),
    )
