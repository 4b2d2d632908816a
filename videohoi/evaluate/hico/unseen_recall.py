"""U-R@K: of the interacting pairs training could not see, how many are among the K surest pairs of their picture.

EoID (Wu et al., AAAI 2023, arXiv 2204.03541), table 1: recall of unseen pairs on the HICO-DET test set at K = 3, 5, 10.
The paper gives no code for it. Ours, where it leaves room:

- HICO-DET draws new boxes for every annotation. Annotations of one picture and object class whose boxes overlap with
  IoU >= 0.5 (both) are one pair. It is unseen when none of its classes is seen; ``no_interaction`` does not count.
- A predicted pair is a (human box, object box, object class); its score is that of its surest interaction, or the
  interactive score where the method has one (``pair_scores``).
- It recalls a pair of the same object class when both IoUs are >= 0.5, with the border pixel of EoID's evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.evaluate.conventions import LEAST_IOU
from videohoi.evaluate.triplet_sets import TripletPredictions, TripletTruth
from videohoi.geometry.boxes import bordered_iou

BORDER_PX = 1.0
KS = (3, 5, 10)


@dataclass(frozen=True)
class UnseenRecall:
    """Recall at each K, in [0, 1]; nan without unseen pairs."""

    recalls: dict[int, float]
    unseen_pairs: int
    pictures: int
    """that hold an unseen pair"""


@dataclass(frozen=True, repr=False)
class ClassFacts:
    """What is known of the K interaction classes."""

    seen: NDArray[np.bool_]
    """(K,) training may see it"""
    of_object: NDArray[np.int64]
    """(K,) object class"""
    acting: NDArray[np.bool_]
    """(K,) it is an interaction, i.e. not ``no_interaction``"""


def unseen_recall(
    truth: TripletTruth,
    predictions: TripletPredictions,
    facts: ClassFacts,
    *,
    ks: Sequence[int] = KS,
    pair_scores: NDArray[np.float64] | None = None,
) -> UnseenRecall:
    """Recall of the unseen pairs among the best K pairs of each picture.

    ``pair_scores`` (D,) is the interactive score of the pair of each prediction; default: its own score.

    Raises:
        UsageError: masks of another number of classes, scores of another number of predictions, a K below 1.
    """
    _check(truth, predictions, facts, ks, pair_scores)
    scores = predictions.scores if pair_scores is None else pair_scores
    usable = np.flatnonzero(facts.acting[predictions.class_ids])
    order = usable[np.argsort(-scores[usable], kind="stable")]
    order = order[np.argsort(predictions.image_rows[order], kind="stable")]
    starts = np.searchsorted(predictions.image_rows[order], np.arange(len(truth.image_names) + 1))
    found, pairs, pictures = dict.fromkeys(ks, 0), 0, 0
    for image in range(len(truth.image_names)):
        unseen = _unseen_pairs(truth, image, facts)
        if unseen:
            pairs, pictures = pairs + len(unseen), pictures + 1
            best = _best_pairs(predictions, order[starts[image] : starts[image + 1]], facts, max(ks))
            for k in ks:
                found[k] += sum(_recalled(truth, pair, predictions, best[:k], facts) for pair in unseen)
    recalls = {k: found[k] / pairs if pairs else float("nan") for k in ks}
    return UnseenRecall(recalls, pairs, pictures)


def _check(
    truth: TripletTruth, predictions: TripletPredictions, facts: ClassFacts, ks: Sequence[int],
    pair_scores: NDArray[np.float64] | None,
) -> None:  # fmt: skip
    predictions.require_fit(truth)
    for name in ("seen", "of_object", "acting"):
        if getattr(facts, name).shape != (truth.class_count,):
            raise UsageError(f"unseen recall: {name}: expected {truth.class_count} classes")
    if not ks or min(ks) < 1:
        raise UsageError(f"unseen recall: expected every K to be 1 or more, got {tuple(ks)}")
    if pair_scores is not None and pair_scores.shape != predictions.scores.shape:
        raise UsageError(f"unseen recall: expected a pair score for each of {len(predictions)} predictions")


def _unseen_pairs(truth: TripletTruth, image: int, facts: ClassFacts) -> list[int]:
    """A truth row for each unseen pair of the picture."""
    rows = np.arange(truth.image_offsets[image], truth.image_offsets[image + 1])
    rows = rows[facts.acting[truth.class_ids[rows]]]
    left, unseen = list(rows), []
    while left:
        first = left[0]
        same = _same_pair(truth, first, np.array(left), facts)
        group = [row for row, joins in zip(left, same, strict=True) if joins]
        left = [row for row, joins in zip(left, same, strict=True) if not joins]
        if not facts.seen[truth.class_ids[group]].any():
            unseen.append(int(first))
    return unseen


def _same_pair(truth: TripletTruth, first: int, rows: NDArray[np.int64], facts: ClassFacts) -> NDArray[np.bool_]:
    objects = facts.of_object[truth.class_ids]
    humans = bordered_iou(truth.human_boxes_xyxy_px[first], truth.human_boxes_xyxy_px[rows], BORDER_PX)
    things = bordered_iou(truth.object_boxes_xyxy_px[first], truth.object_boxes_xyxy_px[rows], BORDER_PX)
    fits = (humans >= LEAST_IOU) & (things >= LEAST_IOU) & (objects[rows] == objects[first])
    return np.asarray(fits | (rows == first))  # a box without area does not even overlap itself


def _best_pairs(
    predictions: TripletPredictions, rows: NDArray[np.int64], facts: ClassFacts, count: int
) -> NDArray[np.int64]:
    """The first row of each of the ``count`` best pairs among ``rows``, best first."""
    if len(rows) == 0:
        return rows
    names = np.concatenate(
        [
            predictions.human_boxes_xyxy_px[rows],
            predictions.object_boxes_xyxy_px[rows],
            facts.of_object[predictions.class_ids[rows], None],
        ],
        axis=1,
    )
    first = np.unique(names, axis=0, return_index=True)[1]
    return np.asarray(rows[np.sort(first)[:count]])


def _recalled(
    truth: TripletTruth, pair: int, predictions: TripletPredictions, rows: NDArray[np.int64], facts: ClassFacts
) -> bool:
    same = facts.of_object[predictions.class_ids[rows]] == facts.of_object[truth.class_ids[pair]]
    humans = bordered_iou(truth.human_boxes_xyxy_px[pair], predictions.human_boxes_xyxy_px[rows], BORDER_PX)
    things = bordered_iou(truth.object_boxes_xyxy_px[pair], predictions.object_boxes_xyxy_px[rows], BORDER_PX)
    return bool((same & (humans >= LEAST_IOU) & (things >= LEAST_IOU)).any())
