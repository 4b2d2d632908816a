"""VidHOI (Chiou et al., ICMR workshops 2021): mean average precision of (person, predicate, object) in video frames.

The rules of the public metric (nizhf/hoi-prediction-gaze-transformer, common/metrics.py, MIT): the 100 best triplets of
a frame by interaction x human x object score; classes equal and both IoUs >= 0.5 without border pixel; VOC 2007; frames
without annotation left out; a class is rare with fewer than 25 annotations.

**Where that code is wrong**: the set of annotations already taken is made anew for every prediction, so a second
prediction of an annotation counts as right and recall can exceed 1. ``duplicates_count=True`` shows its figure; the
default counts a second prediction as wrong, as QPIC's evaluator, from which the code descends, does.

*Oracle* predictions carry the annotated boxes, *detection* ones a detector's: the rules are the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.evaluate.conventions import UNMOVED, Convention
from videohoi.evaluate.matching import ClassScores, Matches, class_scores, match, mean_of
from videohoi.evaluate.triplet_sets import TripletPredictions, TripletTruth

RARE_BELOW = 25
VIDHOI = Convention(
    name="vidhoi",
    source="nizhf/hoi-prediction-gaze-transformer, common/metrics.py mean_average_precision_qpic",
    border_px=0.0,
    strict_iou=False,
    apart_when_touching=True,
    top_k=100,
    counts_images_without_truth=False,
    truth_shift_xyxy_px=UNMOVED,
    two_ended_recalls=False,
)


@dataclass(frozen=True, repr=False)
class VidhoiScores:
    """Scores over the classes annotated in the frames given."""

    classes: ClassScores
    matches: Matches
    positives: NDArray[np.int64]
    """(K,) annotations, K = predicates x objects; class = predicate * O + object"""
    object_count: int
    """O"""

    def mean(self, mask: NDArray[np.bool_] | None = None) -> float:
        """Mean average precision over annotated classes, or those of a (K,) mask; nan where none is."""
        values = self.classes.average_precisions
        return mean_of(values, np.ones(len(values), np.bool_) if mask is None else mask)

    @property
    def rare(self) -> NDArray[np.bool_]:
        """(K,): annotated fewer than 25 times in these frames."""
        return self.positives < RARE_BELOW

    def of_predicates(self, predicates: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(K,) classes of a (P,) mask of predicates, such as the temporal ones."""
        return np.repeat(predicates, self.object_count)


def class_id(predicate: NDArray[np.int64], thing: NDArray[np.int64], object_count: int) -> NDArray[np.int64]:
    """Class of (predicate, object)."""
    return predicate * object_count + thing


def evaluate_vidhoi(
    truth: TripletTruth, predictions: TripletPredictions, object_count: int, *, duplicates_count: bool = False
) -> VidhoiScores:
    """Score triplets of frames; ``duplicates_count`` True repeats the public code's error (see above).

    Raises:
        UsageError: a prediction that cannot be matched.
    """
    matches = match(truth, predictions, VIDHOI, repeats=duplicates_count)
    return VidhoiScores(class_scores(matches), matches, truth.positives(), object_count)
