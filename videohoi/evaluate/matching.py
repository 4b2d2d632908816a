"""Which predicted triplets are right, and how precise each class is: compiled, with numpy twins for the tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.evaluate import _matching_kernels as kernels
from videohoi.evaluate.conventions import LEAST_IOU, Convention
from videohoi.evaluate.triplet_sets import TripletPredictions, TripletTruth

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class Matches:
    """Predictions after matching, in order of class, then score; equal scores keep the order they came in."""

    rows: Ints
    """(D,) prediction rows, grouped by class, best score first"""
    class_offsets: Ints
    """(K + 1,) class k is ``rows[class_offsets[k]:class_offsets[k + 1]]``"""
    outcomes: NDArray[np.int8]
    """(D,) by prediction row: 1 right, 0 wrong, -1 not counted (beyond top k, picture left out)"""
    truth_rows: Ints
    """(D,) by prediction row: annotation whose boxes it fits, -1 none; a second one of an annotation has it too"""
    positives: Ints
    """(K,) annotations of each class"""
    recall_points: Floats
    """(R,)"""


@dataclass(frozen=True, repr=False)
class ClassScores:
    """Results of a mode for each class."""

    average_precisions: Floats
    """(K,) in [0, 1]; nan where no annotation exists"""
    highest_recalls: Floats
    """(K,) in [0, 1]; nan where no annotation exists"""
    counted: Ints
    """(K,) predictions that count"""


def match(
    truth: TripletTruth, predictions: TripletPredictions, convention: Convention, *, repeats: bool = False,
    compiled: bool = True,
) -> Matches:  # fmt: skip
    """Match every prediction under ``convention``.

    ``repeats`` counts each prediction that fits an annotation as right, even a second one: only for showing what
    evaluators do that forget it. ``compiled`` False takes the numpy twin: slower, same result.

    Raises:
        UsageError: a prediction that cannot be matched (unknown picture or class, NaN).
    """
    predictions.require_fit(truth)
    true = truth.moved(convention.truth_shift_xyxy_px)
    if not compiled:
        return _match_numpy(true, predictions, convention, repeats)
    best_first = np.argsort(-predictions.scores, kind="stable")
    by_image, offsets = kernels.grouped_rows(best_first, predictions.image_rows, len(truth.image_names))
    outcomes, truth_rows = kernels.match_images(
        by_image, offsets, predictions.class_ids, predictions.human_boxes_xyxy_px, predictions.object_boxes_xyxy_px,
        true.image_offsets, true.class_ids, true.human_boxes_xyxy_px, true.object_boxes_xyxy_px,
        -1 if convention.top_k is None else convention.top_k, convention.border_px, convention.apart_when_touching,
        LEAST_IOU, convention.strict_iou, convention.counts_images_without_truth, repeats,
    )  # fmt: skip
    rows, class_offsets = kernels.grouped_rows(best_first, predictions.class_ids, truth.class_count)
    return Matches(rows, class_offsets, outcomes, truth_rows, truth.positives(), convention.recall_points())


def class_scores(matches: Matches, kept: Bools | None = None, *, compiled: bool = True) -> ClassScores:
    """Average precision of each class over the predictions that count and that ``kept`` (D,) has (default: all)."""
    kept = np.ones(len(matches.rows), np.bool_) if kept is None else kept
    if compiled:
        return ClassScores(
            *kernels.class_precisions(
                matches.rows, matches.class_offsets, matches.outcomes, kept, matches.positives, matches.recall_points
            )
        )
    values = [_class_numpy(matches, kept, class_id) for class_id in range(len(matches.positives))]
    table = np.array(values, np.float64).reshape(-1, 3)
    return ClassScores(table[:, 0], table[:, 1], table[:, 2].astype(np.int64))


def ranked_outcomes(matches: Matches, class_id: int, kept: Bools | None = None) -> Bools:
    """(C,) right or wrong of the counted predictions of one class, best score first: a precision-recall curve."""
    rows = matches.rows[matches.class_offsets[class_id] : matches.class_offsets[class_id + 1]]
    counts = matches.outcomes[rows] >= 0
    counts = counts if kept is None else counts & kept[rows]
    return np.asarray(matches.outcomes[rows[counts]] == 1)


def eleven_points(outcomes: Bools, positives: int, recall_points: Floats) -> float:
    """Mean over recalls of the best precision there or beyond (VOC 2007); ``outcomes`` best score first."""
    right = np.cumsum(outcomes)
    recall, precision = right / positives, right / np.arange(1, len(right) + 1)
    return float(sum(precision[recall >= point].max(initial=0.0) / len(recall_points) for point in recall_points))


def _class_numpy(matches: Matches, kept: Bools, class_id: int) -> tuple[float, float, int]:
    outcomes, positives = ranked_outcomes(matches, class_id, kept), int(matches.positives[class_id])
    if positives == 0:
        return float("nan"), float("nan"), len(outcomes)
    average = eleven_points(outcomes, positives, matches.recall_points)
    return average, float(outcomes.sum() / positives), len(outcomes)


def _match_numpy(true: TripletTruth, found: TripletPredictions, convention: Convention, repeats: bool) -> Matches:
    outcomes, truth_rows = np.full(len(found), -1, np.int8), np.full(len(found), -1, np.int64)
    taken: set[int] = set()
    order = np.argsort(-found.scores, kind="stable")
    for image in range(len(true.image_names)):
        first, behind = true.image_offsets[image], true.image_offsets[image + 1]
        if first == behind and not convention.counts_images_without_truth:
            continue
        for row in order[found.image_rows[order] == image][: convention.top_k]:
            own = np.arange(first, behind)
            own = own[true.class_ids[first:behind] == found.class_ids[row]]
            best = _best(true, own, found, row, convention)
            if best is not None:
                truth_rows[row] = best
            outcomes[row] = best is not None and (repeats or best not in taken)
            taken |= set() if best is None else {best}
    rows = order[np.argsort(found.class_ids[order], kind="stable")]
    offsets = np.searchsorted(found.class_ids[rows], np.arange(true.class_count + 1))
    return Matches(
        rows.astype(np.int64), offsets.astype(np.int64), outcomes, truth_rows, true.positives(),
        convention.recall_points(),
    )  # fmt: skip


def _best(true: TripletTruth, own: Ints, found: TripletPredictions, row: int, convention: Convention) -> int | None:
    """Annotation among ``own`` that fits prediction ``row`` best; None where none fits well enough."""
    if len(own) == 0:
        return None
    iou = np.minimum(
        _ious(found.human_boxes_xyxy_px[row], true.human_boxes_xyxy_px[own], convention),
        _ious(found.object_boxes_xyxy_px[row], true.object_boxes_xyxy_px[own], convention),
    )
    best = int(np.argmax(iou))
    enough = iou[best] > LEAST_IOU if convention.strict_iou else iou[best] >= LEAST_IOU
    return int(own[best]) if enough else None


def _ious(box: Floats, boxes: Floats, convention: Convention) -> Floats:
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    sides = high - low + convention.border_px
    meet = (sides > 0).all(axis=1)
    if convention.apart_when_touching:
        meet &= (high > low).all(axis=1)
    shared = sides.prod(axis=1)
    own, others = ((b[..., 2:] - b[..., :2] + convention.border_px).prod(axis=-1) for b in (boxes, box))
    ious: Floats = np.zeros(len(boxes))
    np.divide(shared, own + others - shared, out=ious, where=meet)
    return ious


def mean_of(values: Floats, classes: Bools | Sequence[int]) -> float:
    """Mean over the chosen classes that have annotations; nan where none has."""
    chosen = values[np.asarray(classes)]
    known = chosen[~np.isnan(chosen)]
    return float(known.mean()) if len(known) else float("nan")
