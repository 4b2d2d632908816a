"""Filters, histories and velocities against hand-worked and closed-form values."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.smooth.filters import exponential_weights, interaction_scores, logit, shifted, sigmoid
from videohoi.smooth.history import Histories, slope
from videohoi.smooth.motion import camera_velocity, gap_sizes, relative_speed
from videohoi.smooth.timed_rows import TimedRows


@settings(deadline=None, max_examples=25)
@given(st.floats(0.01, 0.2), st.floats(0.05, 1.0), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_weights_of_past_samples_are_the_exponential_moving_average(dt, tau, values) -> None:
    times = np.arange(len(values)) * dt
    alpha = 1 - math.exp(-dt / tau)
    weighed = total = 0.0
    for value in values:  # the average with its start-up bias divided out
        weighed, total = weighed + alpha * (value - weighed), total + alpha * (1 - total)
    weights = exponential_weights(times, float(times[-1]), tau)
    assert weights.sum() == pytest.approx(1.0)
    assert weights @ np.array(values) == pytest.approx(weighed / total, abs=1e-9)


def test_weights_are_the_same_on_both_sides() -> None:
    weights = exponential_weights(np.array([-0.2, 0.0, 0.2]), 0.0, 0.2)
    e = math.exp(-1)
    np.testing.assert_allclose(weights, np.array([e, 1, e]) / (1 + 2 * e))


def test_interaction_scores_worked_by_hand() -> None:
    """Union of 0.5 and 0.25: 1 - 0.5 * 0.75 = 0.625; the weaker verb gets (0.25 / 0.5) ** 2 of it."""
    np.testing.assert_allclose(interaction_scores(np.array([0.5, 0.25, 0.0]), 2.0), [0.625, 0.15625, 0.0])


def test_interaction_scores_of_one_verb_and_of_none() -> None:
    rows = np.array([[0.7, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(interaction_scores(rows, 2.0), rows)


def test_logit_and_sigmoid_undo_each_other() -> None:
    values = np.array([0.001, 0.3, 0.5, 0.999])
    np.testing.assert_allclose(sigmoid(logit(values)), values)
    assert np.all(np.isfinite(logit(np.array([0.0, 1.0]))))
    np.testing.assert_allclose(sigmoid(np.array([-1e4, 1e4])), [0, 1])


def test_what_is_not_valid_is_not_shifted_into_being() -> None:
    np.testing.assert_allclose(shifted(np.array([0.0, 0.5]), math.log(3)), [0.0, 0.75])


def test_the_median_of_the_tracks_is_the_cameras_motion() -> None:
    velocities = [np.array([10.0, 0.0]), np.array([12.0, 1.0]), np.array([300.0, -90.0])]
    np.testing.assert_allclose(camera_velocity(velocities), [12.0, 0.0])


@pytest.mark.parametrize("count", [0, 1, 2])
def test_two_tracks_say_nothing_about_the_camera(count) -> None:
    np.testing.assert_array_equal(camera_velocity([np.array([50.0, 50.0])] * count), [0.0, 0.0])


def box(x, y=0.0, side=10.0):
    return np.array([x, y, x + side, y + side])


def test_velocity_is_the_slope_through_the_boxes_in_the_window() -> None:
    histories = Histories()
    for index in range(10):
        histories.push(7, index * 0.1, box(30 * index * 0.1, -20 * index * 0.1))
    np.testing.assert_allclose(histories.get(7).velocity(0.2, 0.6), [30, -20])
    assert histories.get(7).velocity(0.2, 0.35) is None, "two boxes are too few"
    assert histories.get(8).velocity(0.0, 1.0) is None, "never seen"


def test_velocities_are_renewed_by_new_boxes() -> None:
    histories = Histories()
    for index in range(3):
        histories.push(7, float(index), box(10.0 * index))
    assert histories.get(7).velocity(0, 9)[0] == pytest.approx(10)
    histories.push(7, 3.0, box(90.0))
    assert histories.get(7).velocity(0, 9)[0] == pytest.approx(
        slope(np.arange(4.0), np.array([[0.0], [10], [20], [90]]))[0]
    )


def test_old_boxes_and_then_their_track_are_forgotten() -> None:
    histories = Histories()
    for index in range(5):
        histories.push(7, float(index), box(0))
    histories.push(8, 9.0, box(0))
    histories.forget(before_seconds=3.0)
    assert histories.get(7).between(0, 9)[0].tolist() == [3.0, 4.0]
    histories.forget(before_seconds=5.0)
    assert len(histories) == 1


def test_gap_is_measured_in_object_sizes() -> None:
    assert gap_sizes(box(0), box(5)) == 0
    assert gap_sizes(box(0), box(13, 14)) == pytest.approx(math.hypot(3, 4) / 10)


def test_relative_speed_counts_back_and_forth_and_only_common_frames() -> None:
    times = np.array([0.0, 0.1, 0.2, 0.3])
    human = np.tile(box(0, side=100.0), (4, 1))
    thing = np.stack([box(0), box(20), box(0), box(20)])
    assert relative_speed(times, human, times, thing) == pytest.approx(60 / 0.3 / 100)
    assert relative_speed(times[1:], human[1:], times, thing) == pytest.approx(40 / 0.2 / 100)
    assert relative_speed(times[2:], human[2:], times, thing) == 0


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=120))
def test_timed_rows_behave_like_a_list(steps) -> None:
    rows, expected, now = TimedRows(2), [], 0.0
    for step, drop in steps:
        now += step
        rows.append(now, np.array([now, -now]))
        expected.append(now)
        if drop:
            rows.drop_before(now - 1.0)
            expected = [time for time in expected if time >= now - 1.0]
        assert rows.times.tolist() == expected
        assert rows.rows[:, 1].tolist() == [-time for time in expected]


def test_timed_rows_take_room_for_what_they_hold_not_for_what_passed() -> None:
    rows = TimedRows(1)
    for index in range(5000):
        rows.append(float(index), np.zeros(1))
        rows.drop_before(index - 20.0)
    assert len(rows) == 21
    assert len(rows._times) <= 64
