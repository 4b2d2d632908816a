"""Expected calibration error, by hand and over the counted predictions of groups of classes."""

import numpy as np
import pytest
from hico_cases import FAR, HUMAN, THING, class_of, predictions_of, ride_bicycle

from videohoi.errors import UsageError
from videohoi.evaluate.calibration import calibration, calibrations
from videohoi.evaluate.conventions import QPIC
from videohoi.evaluate.hico import class_groups, evaluate_hico

RIDE = class_of("ride", "bicycle")


def test_by_hand():
    # two bins: 0.2 and 0.4 with one right (gap 0.2), 0.9 right (gap 0.1)
    found = calibration(np.array([0.2, 0.4, 0.9]), np.array([True, False, True]), bins=2)
    assert found.counts.tolist() == [2, 1]
    assert found.error == pytest.approx(2 / 3 * 0.2 + 1 / 3 * 0.1)


def test_scores_that_are_as_often_right_as_they_say_have_no_error():
    scores = np.repeat([0.25, 0.75], 4)
    assert calibration(scores, np.array([1, 0, 0, 0, 1, 1, 1, 0], np.bool_), bins=2).error == pytest.approx(0.0)


def test_the_ends_belong_to_a_bin_and_nothing_is_unknown():
    assert calibration(np.array([0.0, 1.0]), np.array([False, True])).counts.sum() == 2
    assert np.isnan(calibration(np.zeros(0), np.zeros(0, np.bool_)).error)


@pytest.mark.parametrize("score", [-0.1, 1.2, float("nan")])
def test_what_is_no_probability_is_an_error(score):
    with pytest.raises(UsageError, match=r"expected scores in \[0, 1\]"):
        calibration(np.array([0.5, score]), np.array([True, False]))


def test_seen_and_unseen_classes_apart():
    truth = ride_bicycle(1)
    found = predictions_of([(0, RIDE, HUMAN, THING, 0.7), (0, 0, FAR, FAR, 0.4), (1, RIDE, FAR, FAR, 0.9)])
    scores = evaluate_hico(truth, found, QPIC)  # leaves out the picture without annotation
    by_group = calibrations(scores, found, class_groups(600, seen=np.arange(600) != RIDE))
    assert by_group["unseen"].error == pytest.approx(0.3)
    assert by_group["seen"].error == pytest.approx(0.4)
    assert by_group["full"].counts.sum() == 2
