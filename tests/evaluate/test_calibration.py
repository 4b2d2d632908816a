"""Expected calibration error, by hand and over the counted predictions of groups of classes."""

import numpy as np
import pytest
from hico_cases import FAR, HUMAN, THING, class_of, predictions_of, ride_bicycle

from videohoi.errors import UsageError
from videohoi.evaluate.conventions import QPIC
from videohoi.evaluate.hico.report import calibration, calibrations, fit_calibration
from videohoi.evaluate.hico.scoring import class_groups, evaluate_hico
from videohoi.interact.scoring import Calibration

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


@pytest.mark.parametrize(("slope", "offset"), [(0.5, -1.0), (2.0, 0.7)])
def test_the_fitted_map_undoes_a_known_distortion(slope, offset):
    """Scores that are right as often as sigmoid(slope * logit + offset) says; the pipeline's own map applies it."""
    random = np.random.default_rng(3)
    scores = random.uniform(0.02, 0.98, 40_000)
    truth = 1 / (1 + np.exp(-(slope * np.log(scores / (1 - scores)) + offset)))
    right = random.random(len(scores)) < truth
    found = fit_calibration(scores, right)
    assert (found.slope, found.offset) == pytest.approx((slope, offset), abs=0.05)
    assert found.error_after < 0.015 < found.error_before
    mapped = Calibration(found.slope, found.offset)(scores.astype(np.float32))
    assert np.abs(mapped - truth).max() < 0.02
    assert found.error_after == pytest.approx(calibration(mapped.astype(np.float64), right).error, abs=1e-3)
    assert f"--set model.calibration.slope={found.slope:.4g}" in str(found)


def test_the_fitted_map_keeps_the_order_even_of_scores_that_say_the_opposite():
    """Scores of exactly 0 and 1, which the map leaves as they are, have no say."""
    right = np.array([1, 1, 0, 0], np.bool_)
    found = fit_calibration(np.array([0.1, 0.2, 0.8, 0.9]), right)
    ends = fit_calibration(np.array([0.0, 0.1, 0.2, 0.8, 0.9, 1.0]), np.concatenate([[True], right, [False]]))
    assert found.slope > 0
    assert (ends.slope, ends.offset) == (found.slope, found.offset)


@pytest.mark.parametrize("right", [[True, True], [False, False]])
def test_without_both_kinds_there_is_nothing_to_fit(right):
    assert fit_calibration(np.array([0.2, 0.6]), np.array(right)) is None
