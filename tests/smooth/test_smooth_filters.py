"""Filters, histories and velocities against hand-worked and closed-form values."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.errors import ConfigError
from videohoi.smooth.config import REACH_TAUS, SmoothingConfig
from videohoi.smooth.motion import TrackBoxes, Window, camera_velocity, gap_sizes, relative_speeds
from videohoi.smooth.scoring import KERNELS, filter_weights, interaction_scores, logit, shifted, sigmoid
from videohoi.smooth.timed_grid import Columns, TimedGrid
from videohoi.structures import Detections, Frame, FrameResult, Tracks


@settings(deadline=None, max_examples=25)
@given(st.floats(0.01, 0.2), st.floats(0.05, 1.0), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_weights_of_past_samples_are_the_exponential_moving_average(dt, tau, values) -> None:
    times = np.arange(len(values)) * dt
    alpha = 1 - math.exp(-dt / tau)
    weighed = total = 0.0
    for value in values:  # the average with its start-up bias divided out
        weighed, total = weighed + alpha * (value - weighed), total + alpha * (1 - total)
    weights = filter_weights(times, float(times[-1]), tau, "exponential")
    far = math.exp(-REACH_TAUS)  # what is left out beyond the reach weighs less than this
    assert weights @ np.array(values) / weights.sum() == pytest.approx(weighed / total, abs=2 * far)


def test_weights_are_the_same_on_both_sides() -> None:
    e = math.exp(-1)
    np.testing.assert_allclose(filter_weights(np.array([-0.2, 0.0, 0.2]), 0.0, 0.2, "exponential"), [e, 1, e])
    np.testing.assert_allclose(filter_weights(np.array([-0.2, 0.0, 0.2]), 0.0, 0.2, "gaussian"), [e**0.5, 1, e**0.5])
    np.testing.assert_allclose(filter_weights(np.array([-0.2, 0.0, 0.2]), 0.0, 0.2, "none"), [0, 1, 0])


@pytest.mark.parametrize("kernel", KERNELS)
def test_samples_out_of_reach_weigh_nothing(kernel) -> None:
    assert filter_weights(np.array([-0.61, 0.61]), 0.0, 0.2, kernel).tolist() == [0, 0]


def test_an_unknown_filter_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"smooth\.filter: expected one of exponential, gaussian, none"):
        SmoothingConfig(filter="median")


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
    velocities = np.array([[10.0, 0.0], [12.0, 1.0], [300.0, -90.0]])
    np.testing.assert_allclose(camera_velocity(velocities), [12.0, 0.0])


@pytest.mark.parametrize("count", [0, 1, 2])
def test_two_tracks_say_nothing_about_the_camera(count) -> None:
    np.testing.assert_array_equal(camera_velocity(np.full((count, 2), 50.0)), [0.0, 0.0])


def box(x, y=0.0, side=10.0):
    return [x, y, x + side, y + side]


def seen_at(pts, **boxes):
    """A frame at ``pts`` with tracks t1=box, t2=box, ..."""
    ids = np.array([int(name[1:]) for name in boxes], np.int64)
    found = Detections(np.array(list(boxes.values()), np.float32).reshape(-1, 4), np.ones(len(ids), np.float32), ids)
    return FrameResult(Frame(np.zeros((1, 1, 3), np.uint8), 0, pts, "scene"), found, None, Tracks(ids, ids))


def column(tracks, track):
    return int(tracks.columns_of(np.array([track]))[0])


def test_velocity_is_the_slope_through_the_boxes_in_the_window() -> None:
    tracks = TrackBoxes()
    for index in range(10):
        tracks.push(
            seen_at(index * 0.1, t7=box(30 * index * 0.1, -20 * index * 0.1), **({"t9": box(5)} if index % 2 else {}))
        )
    window = tracks.window(0.2, 0.6)
    np.testing.assert_allclose(window.velocities[column(tracks, 7)], [30, -20], atol=1e-4)
    assert window.moving[column(tracks, 7)]
    assert not window.moving[column(tracks, 9)], "two boxes are too few"
    whole = tracks.window(0.0, 1.0)
    np.testing.assert_allclose(whole.velocities[column(tracks, 9)], [0, 0], atol=1e-9)
    assert not whole.moving[column(tracks, 8)], "never seen"
    assert not tracks.window(5.0, 6.0).velocities.any(), "no frame there"


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000))
def test_what_is_computed_for_all_tracks_is_what_each_gives_alone(seed) -> None:
    rng = np.random.default_rng(seed)
    tracks, alone = TrackBoxes(), {track: [] for track in range(5)}
    for index in range(12):
        here = {track: rng.uniform(0, 100, 4) for track in range(5) if rng.random() < 0.7}
        tracks.push(seen_at(index * 0.1, **{f"t{track}": corners for track, corners in here.items()}))
        for track, corners in here.items():
            alone[track].append((index * 0.1, corners.astype(np.float32).astype(np.float64)))
    window = tracks.window(0.25, 0.95)
    for track, boxes in alone.items():
        boxes = [(pts, corners) for pts, corners in boxes if 0.25 <= pts <= 0.95]
        if not boxes:
            continue
        at, corners = np.array([pts for pts, _ in boxes]), np.array([each for _, each in boxes])
        place, centres = column(tracks, track), (corners[:, :2] + corners[:, 2:]) / 2
        np.testing.assert_array_equal(window.nearest(0.6)[place], corners[np.abs(at - 0.6).argmin()])
        assert window.highest_px()[place] == centres[:, 1].min()
        assert window.median_heights_px()[place] == pytest.approx(np.median(corners[:, 3] - corners[:, 1]))
        if len(boxes) >= 3:
            expected = np.polyfit(at, centres, 1)[0]
            np.testing.assert_allclose(window.velocities[place], expected, rtol=1e-6, atol=1e-6)


def test_old_boxes_and_then_their_track_are_forgotten() -> None:
    tracks = TrackBoxes()
    for index in range(5):
        tracks.push(seen_at(float(index), t7=box(0)))
    tracks.push(seen_at(9.0, t8=box(0)))
    tracks.forget(before_seconds=3.0)
    window = tracks.window(0, 9)
    assert window.times[window.seen[:, column(tracks, 7)]].tolist() == [3.0, 4.0]
    tracks.forget(before_seconds=5.0)
    assert len(tracks) == 1
    tracks.push(seen_at(10.0, t11=box(70)))
    assert tracks.window(0, 11).counts[column(tracks, 11)] == 1, "the column of a forgotten track starts empty"


def test_gap_is_measured_in_object_sizes() -> None:
    human, things = np.array([box(0), box(0)]), np.array([box(5), box(13, 14)])
    np.testing.assert_allclose(gap_sizes(human, things), [0, math.hypot(3, 4) / 10])


def test_relative_speed_counts_back_and_forth_and_only_common_frames() -> None:
    times = np.array([0.0, 0.1, 0.2, 0.3])
    human = np.tile(box(0, side=100.0), (4, 1))
    thing = np.array([box(0), box(20), box(0), box(20)])
    boxes = np.stack([human, thing], axis=1)

    def speed(first):
        seen = np.ones((4, 2), np.bool_)
        seen[:first, 0] = False
        return relative_speeds(Window(times, boxes, seen), np.array([0]), np.array([1]))[0]

    assert speed(0) == pytest.approx(60 / 0.3 / 100)
    assert speed(1) == pytest.approx(40 / 0.2 / 100)
    assert speed(2) == 0
    middle = np.ones((4, 2), np.bool_)
    middle[1, 0] = False
    straight = relative_speeds(Window(times, boxes, middle), np.array([0]), np.array([1]))[0]
    assert straight == pytest.approx(20 / 0.3 / 100), "0, 0, 20: the way there and back was not seen"


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.booleans()), max_size=120))
def test_a_timed_grid_behaves_like_a_list(steps) -> None:
    grid, expected, now = TimedGrid(2), [], 0.0
    for step, column, drop in steps:
        now += step
        grid.push(now, np.array([column]), np.array([[now, -now]]))
        expected.append((now, column))
        if drop:
            grid.drop_before(now - 1.0)
            expected = [row for row in expected if row[0] >= now - 1.0]
        assert grid.times.tolist() == [time for time, _ in expected]
        assert [row.nonzero()[0].tolist() for row in grid.seen] == [[column] for _, column in expected]
        assert grid.values.sum(axis=1)[:, 1].tolist() == [-time for time, _ in expected]


def test_a_timed_grid_takes_room_for_what_it_holds_not_for_what_passed() -> None:
    grid = TimedGrid(1)
    for index in range(5000):
        grid.push(float(index), np.array([3]), np.zeros((1, 1)))
        grid.drop_before(index - 20.0)
    assert len(grid) == 21
    assert len(grid._times) <= 64


def test_columns_are_given_away_again() -> None:
    columns: Columns[str] = Columns()
    first, second = columns.take("a"), columns.take("b")
    columns.release("a")
    assert (columns.of("a"), columns.of("b"), columns.take("c")) == (0, second, first)
    assert columns.count == 3
