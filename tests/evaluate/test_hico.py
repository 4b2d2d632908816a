"""HICO-DET scores: modes and splits are masks of one matching; stored values of a seeded scene."""

import numpy as np
import pytest
from hico_cases import FAR, HUMAN, THING, class_of, predictions_of, ride_bicycle, truth_of

from benchmarks.scenes_hico import synthetic_predictions, synthetic_truth
from videohoi.errors import UsageError
from videohoi.evaluate.conventions import CONVENTIONS, GEN, QPIC
from videohoi.evaluate.hico.scoring import KnownObjects, class_groups, evaluate_hico
from videohoi.evaluate.hico.truth import known_objects_of
from videohoi.vocabulary import hico_det

RIDE, HOLD_CAT = class_of("ride", "bicycle"), class_of("hold", "cat")


def test_known_object_looks_only_at_pictures_with_the_object():
    truth = truth_of([[(RIDE, HUMAN, THING)], [(HOLD_CAT, HUMAN, THING)]])
    found = predictions_of([(0, RIDE, HUMAN, THING, 0.5), (1, RIDE, FAR, FAR, 0.9)])
    scores = evaluate_hico(truth, found, QPIC, known_objects=known_objects_of(truth))
    ride = np.arange(600) == RIDE
    assert scores.mean("default", ride) == pytest.approx(0.5)
    assert scores.mean("known_object", ride) == pytest.approx(1.0)
    assert scores.mean("known_object") == pytest.approx(0.5)  # hold cat has annotations and no prediction
    assert scores.modes["known_object"].counted[RIDE] == 1


def test_image_level_labels_may_know_of_more_objects_than_the_boxes():
    truth = truth_of([[(RIDE, HUMAN, THING)], []])
    found = predictions_of([(0, RIDE, HUMAN, THING, 0.5), (1, RIDE, FAR, FAR, 0.9)])
    of_boxes = known_objects_of(truth)
    labels = KnownObjects(np.ones_like(of_boxes.in_image), of_boxes.of_class, "all")
    assert evaluate_hico(truth, found, GEN, known_objects=of_boxes).mean("known_object") == pytest.approx(1.0)
    assert evaluate_hico(truth, found, GEN, known_objects=labels).mean("known_object") == pytest.approx(0.5)


def test_splits_are_subsets_of_the_classes():
    truth = truth_of([[(RIDE, HUMAN, THING), (HOLD_CAT, HUMAN, FAR)]])
    scores = evaluate_hico(truth, predictions_of([(0, RIDE, HUMAN, THING, 0.9)]), QPIC)
    rare, seen = np.arange(600) == HOLD_CAT, np.arange(600) != RIDE
    means = scores.means(class_groups(600, rare, seen))["default"]
    assert means == pytest.approx({"full": 0.5, "rare": 0.0, "non_rare": 1.0, "seen": 0.0, "unseen": 1.0})
    assert scores.mean_highest_recall() == pytest.approx(0.5)


def test_what_was_not_counted_is_told():
    truth = ride_bicycle(1)
    found = predictions_of([(1, RIDE, HUMAN, THING, 0.9), (0, RIDE, HUMAN, THING, 0.8)])
    scores = evaluate_hico(truth, found, QPIC)
    assert (scores.predictions, scores.not_counted, scores.images_without_truth) == (2, 1, 1)


def test_a_mode_that_was_not_scored_and_a_mask_of_another_size_are_errors():
    scores = evaluate_hico(ride_bicycle(), predictions_of([]), QPIC)
    with pytest.raises(UsageError, match="known_object"):
        scores.mean("known_object")
    with pytest.raises(UsageError, match="seen: expected a mask of 600 classes, got shape"):
        class_groups(600, seen=np.ones(117, np.bool_))


STORED = {
    "official": (0.5310064362445315, 0.8735690235690237),
    "qpic": (0.5624744039029753, 0.8811207311207313),
    "pocket": (0.52848347419776, 0.8710918710918713),
    "gen": (0.5369971827114683, 0.8811207311207313),
    "upt": (0.5539606953892668, 0.8710918710918713),
}
"""mean average precision, default and known object; qpic and pocket are what their public code gives (peer test)"""


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda convention: convention.name)
def test_a_seeded_scene_keeps_its_stored_value(convention):
    truth = synthetic_truth(120, len(hico_det().interactions))
    found = synthetic_predictions(truth, at_most=20)
    scores = evaluate_hico(truth, found, convention, known_objects=known_objects_of(truth))
    values = (scores.mean(), scores.mean("known_object"))
    assert values == pytest.approx(STORED[convention.name], abs=1e-12)
