"""HICO-DET (arXiv 1702.05448): mean average precision over 600 interactions, in one pass for every mode and split.

Modes: *Default* counts the predictions of all pictures; *Known Object* scores a class only in the pictures whose
image-level labels hold some interaction with its object. Matching does not depend on the mode, and a split is a subset
of classes, so both are masks over one matching.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.evaluate.conventions import OFFICIAL, Convention
from videohoi.evaluate.matching import ClassScores, Matches, class_scores, match, mean_of
from videohoi.evaluate.triplet_sets import TripletPredictions, TripletTruth
from videohoi.structures.checks import require_shape

DEFAULT_MODE = "default"
KNOWN_OBJECT_MODE = "known_object"


@dataclass(frozen=True, repr=False)
class KnownObjects:
    """Which objects a picture is known to hold an interaction with."""

    in_image: NDArray[np.bool_]
    """(I, O) by picture and object class"""
    of_class: NDArray[np.int64]
    """(K,) object class of each interaction"""
    source: str
    """where ``in_image`` comes from"""

    def kept(self, predictions: TripletPredictions) -> NDArray[np.bool_]:
        """(D,): the prediction counts in the Known Object mode."""
        return np.asarray(self.in_image[predictions.image_rows, self.of_class[predictions.class_ids]])


@dataclass(frozen=True, repr=False)
class HicoScores:
    """Scores of each class in each mode; the means are taken over any subset of classes afterwards."""

    convention: Convention
    modes: Mapping[str, ClassScores]
    """``default`` and, where known objects were given, ``known_object``"""
    matches: Matches
    predictions: int
    """all that were given"""
    images: int
    images_without_truth: int

    def mean(self, mode: str = DEFAULT_MODE, classes: NDArray[np.bool_] | None = None) -> float:
        """Mean average precision over the classes of a (K,) mask that have annotations; nan where none has."""
        values = self._mode(mode).average_precisions
        return mean_of(values, np.ones(len(values), np.bool_) if classes is None else classes)

    def mean_highest_recall(self, mode: str = DEFAULT_MODE, classes: NDArray[np.bool_] | None = None) -> float:
        """Mean over classes of the recall that all counted predictions reach."""
        values = self._mode(mode).highest_recalls
        return mean_of(values, np.ones(len(values), np.bool_) if classes is None else classes)

    def means(self, groups: Mapping[str, NDArray[np.bool_]]) -> dict[str, dict[str, float]]:
        """Mean average precision by mode and by named (K,) mask."""
        return {mode: {name: self.mean(mode, classes) for name, classes in groups.items()} for mode in self.modes}

    @property
    def not_counted(self) -> int:
        """Predictions the convention leaves out: beyond the top k of their picture, or in a picture it does not use."""
        return int((self.matches.outcomes < 0).sum())

    def _mode(self, mode: str) -> ClassScores:
        if mode not in self.modes:
            raise UsageError(f"mode {mode!r} was not scored; there is {', '.join(self.modes)}")
        return self.modes[mode]


def evaluate_hico(
    truth: TripletTruth,
    predictions: TripletPredictions,
    convention: Convention = OFFICIAL,
    *,
    known_objects: KnownObjects | None = None,
) -> HicoScores:
    """Score ``predictions``; with ``known_objects`` also in the Known Object mode.

    Raises:
        UsageError: a prediction that cannot be matched, or known objects of other pictures.
    """
    matches = match(truth, predictions, convention)
    modes = {DEFAULT_MODE: class_scores(matches)}
    if known_objects is not None:
        require_shape("KnownObjects", "in_image", known_objects.in_image, (len(truth.image_names), None))
        modes[KNOWN_OBJECT_MODE] = class_scores(matches, known_objects.kept(predictions))
    return HicoScores(
        convention=convention,
        modes=modes,
        matches=matches,
        predictions=len(predictions),
        images=len(truth.image_names),
        images_without_truth=int((np.diff(truth.image_offsets) == 0).sum()),
    )


def class_groups(
    class_count: int, rare: NDArray[np.bool_] | None = None, seen: NDArray[np.bool_] | None = None
) -> dict[str, NDArray[np.bool_]]:
    """The (K,) masks papers report: ``full``, ``rare`` and ``non_rare``, ``unseen`` and ``seen``.

    Raises:
        UsageError: a mask of another number of classes.
    """
    groups = {"full": np.ones(class_count, np.bool_)}
    for mask, names in ((rare, ("rare", "non_rare")), (seen, ("seen", "unseen"))):
        if mask is not None:
            if mask.shape != (class_count,):
                raise UsageError(f"{names[0]}: expected a mask of {class_count} classes, got shape {mask.shape}")
            groups |= {names[0]: mask.astype(np.bool_), names[1]: ~mask.astype(np.bool_)}
    return groups
