"""The compiled steps against their numpy twins, and the filter against what constant velocity must give."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.track import kalman, memory, similarity
from videohoi.track._kernels import (
    carriers_kernel,
    correct_kernel,
    overlap_kernel,
    places_kernel,
    predict_kernel,
    reach_kernel,
    vote_kernel,
)
from videohoi.track.byte_config import ByteConfig

MODEL = kalman.motion_model(ByteConfig())
COUNTS = [0, 1, 9]
EXACT = {"rtol": 1e-12, "atol": 1e-9}


def boxes_of(rng, count, flat=False):
    corners = rng.uniform(0, 500, (count, 2))
    return np.concatenate([corners, corners + (0.0 if flat else rng.uniform(1, 120, (count, 2)))], 1)


def state_of(rng, count):
    humans, coasting = rng.uniform(size=count) < 0.5, rng.uniform(size=count) < 0.5
    motion = kalman.first_motion(boxes_of(rng, count), humans, MODEL)
    motion[:, :, 1] = rng.normal(0, 50, (count, 4))
    motion[:, :, 3] = rng.normal(0, 1, (count, 4))
    return motion, humans, coasting


@pytest.mark.parametrize("count", COUNTS)
def test_predict_and_correct_equal_their_twins(count):
    rng = np.random.default_rng(count)
    motion, humans, coasting = state_of(rng, count)
    twin = motion.copy()
    for dt in (1e-3, 1 / 30, 0.9):
        predict_kernel(motion, coasting, humans, dt, MODEL)
        kalman.predict(twin, coasting, humans, dt, MODEL)
        np.testing.assert_allclose(motion, twin, **EXACT)
        boxes = boxes_of(rng, count)
        correct_kernel(motion, np.arange(count), boxes, MODEL)
        kalman.correct(twin, boxes, MODEL)
        np.testing.assert_allclose(motion, twin, **EXACT)


def test_correct_touches_only_the_tracks_named():
    motion, _, _ = state_of(np.random.default_rng(0), 4)
    before = motion.copy()
    correct_kernel(motion, np.array([2]), boxes_of(np.random.default_rng(1), 1), MODEL)
    assert np.array_equal(motion[[0, 1, 3]], before[[0, 1, 3]])
    assert not np.array_equal(motion[2], before[2])


@pytest.mark.parametrize("rows", COUNTS)
@pytest.mark.parametrize("tracks", COUNTS)
@pytest.mark.parametrize("flat", [False, True])
def test_similarities_equal_their_twins(rows, tracks, flat):
    rng = np.random.default_rng(rows * 100 + tracks)
    boxes, scores = boxes_of(rng, rows, flat), rng.uniform(0, 1, rows)
    places = np.stack([boxes_of(rng, tracks) for _ in range(3)], 1)
    if rows and tracks:
        places[0, 1], places[-1, 2] = boxes[0], boxes[-1]
    allowed, spread = rng.uniform(size=(rows, tracks)) < 0.8, rng.uniform(0, 100, tracks)
    np.testing.assert_allclose(
        overlap_kernel(boxes, scores, places, allowed, 0.1),
        similarity.overlap_similarity(boxes, scores, places, allowed, 0.1),
        **EXACT,
    )
    reach, reach_sizes = (3.0, 5.0, 0.3), rng.uniform(0, 2, tracks)
    np.testing.assert_allclose(
        reach_kernel(boxes, places, spread, reach_sizes, allowed, reach),
        similarity.reach_similarity(boxes, places, spread, reach_sizes, allowed, reach),
        **EXACT,
    )


def test_closeness_by_hand():
    box = np.array([[0.0, 0.0, 10.0, 10.0]])
    away = np.array([[20.0, 0.0, 30.0, 10.0]])
    places = np.stack([away, away, away], 1)
    # distance 20; reach = 2 sizes of 10 px + 1 sigma of 20 px = 40; equal sizes -> 1 - 20 / 40
    got = reach_kernel(box, places, np.array([20.0]), np.array([2.0]), np.ones((1, 1), bool), (1.0, 5.0, 0.5))
    assert got.tolist() == [[0.5]]
    limited = reach_kernel(box, places, np.array([20.0]), np.array([2.0]), np.ones((1, 1), bool), (1.0, 1.5, 0.5))
    assert limited.tolist() == [[0.0]]


@pytest.mark.parametrize("count", COUNTS)
def test_places_and_carriers_equal_their_twins(count):
    rng = np.random.default_rng(count)
    motion, humans, coasting = state_of(rng, count)
    last = boxes_of(rng, count)
    ids = np.where(rng.uniform(size=count) < 0.3, -1, np.arange(count) + 5)
    seen = ~coasting
    both = [(np.full(count, -1), np.zeros((count, 2))) for _ in range(2)]
    large = last.copy()
    large[humans, :2] -= 150
    large[humans, 2:] += 150
    carriers_kernel(large, seen, humans, ids, *both[0])
    memory.note_carriers(large, seen, humans, ids, *both[1])
    assert np.array_equal(both[0][0], both[1][0])
    np.testing.assert_allclose(both[0][1], both[1][1], **EXACT)
    carrier_ids = rng.choice([-1, 5, 6, 7, 99], count)
    offsets = rng.normal(0, 20, (count, 2))
    got = places_kernel(motion, last, coasting, ids, carrier_ids, offsets)
    twin = memory.places(motion, last, coasting, ids, carrier_ids, offsets)
    np.testing.assert_allclose(got[0], twin[0], **EXACT)
    np.testing.assert_allclose(got[1], twin[1], **EXACT)


def test_the_nearest_human_round_a_thing_carries_it():
    boxes = np.array([[0, 0, 100, 200], [40, 0, 70, 200], [50, 50, 60, 60], [300, 0, 310, 10]], float)
    humans = np.array([True, True, False, False])
    carrier_ids, offsets = np.full(4, -1), np.zeros((4, 2))
    carriers_kernel(boxes, np.ones(4, bool), humans, np.array([1, 2, 3, 4]), carrier_ids, offsets)
    assert carrier_ids.tolist() == [-1, -1, 2, -1]
    assert offsets[2].tolist() == [0.0, -45.0]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6), st.floats(0.1, 1)), max_size=40))
def test_votes_equal_their_twin(ballots):
    states = [(np.full((3, memory.CLASS_SLOTS), -1), np.zeros((3, memory.CLASS_SLOTS))) for _ in range(2)]
    for track, class_id, score in ballots:
        ballot = (np.array([track]), np.array([class_id]), np.array([score]), np.array([0.95]), 1.25)
        vote_kernel(*states[0], *ballot)
        memory.vote(*states[1], *ballot)
    assert np.array_equal(states[0][0], states[1][0])
    np.testing.assert_allclose(states[0][1], states[1][1], **EXACT)


def test_more_classes_than_slots_keep_the_heaviest():
    classes, weights = np.full((1, memory.CLASS_SLOTS), -1), np.zeros((1, memory.CLASS_SLOTS))
    for class_id in [5, 5, 5, 1, 2, 3, 4, 6, 5]:
        vote_kernel(classes, weights, np.array([0]), np.array([class_id]), np.array([1.0]), np.array([1.0]), 1.25)
    assert classes[0, 0] == 5
    assert weights[0, 0] == 4.0


@settings(deadline=None, max_examples=30)
@given(st.floats(0.002, 0.5), st.floats(0.002, 0.5))
def test_two_steps_are_one_step(first, second):
    motion, humans, coasting = state_of(np.random.default_rng(3), 6)
    at_once = motion.copy()
    predict_kernel(motion, coasting, humans, first, MODEL)
    predict_kernel(motion, coasting, humans, second, MODEL)
    predict_kernel(at_once, coasting, humans, first + second, MODEL)
    np.testing.assert_allclose(motion[:, :, :2], at_once[:, :, :2], rtol=1e-9, atol=1e-9)
    steady = ~coasting  # without fading the covariance composes exactly as well
    # the noise is scaled by the box, whose sides fade in between; take tracks whose sides rest
    still = motion[steady][:, :2]
    assert np.isfinite(still).all()


def test_covariance_of_two_steps_is_that_of_one_for_a_box_that_does_not_grow():
    motion, humans, _ = state_of(np.random.default_rng(4), 6)
    motion[:, 2:, 1] = 0.0
    seen, at_once = np.zeros(6, bool), motion.copy()
    predict_kernel(motion, seen, humans, 0.02, MODEL)
    predict_kernel(motion, seen, humans, 0.05, MODEL)
    predict_kernel(at_once, seen, humans, 0.07, MODEL)
    np.testing.assert_allclose(motion[:, :2], at_once[:, :2], rtol=1e-9)


def test_uneven_steps_recover_a_constant_velocity():
    rng = np.random.default_rng(5)
    speed = np.array([140.0, -60.0])
    box = np.array([[100.0, 200.0, 160.0, 380.0]])
    motion = kalman.first_motion(box, np.array([True]), MODEL)
    for dt in rng.uniform(0.005, 0.12, 60):
        box = box + np.tile(speed * dt, 2)
        predict_kernel(motion, np.array([False]), np.array([True]), dt, MODEL)
        correct_kernel(motion, np.array([0]), box, MODEL)
    assert motion[0, :2, 1] == pytest.approx(speed, rel=0.01)
    predict_kernel(motion, np.array([False]), np.array([True]), 0.1, MODEL)
    centre = (box[0, :2] + box[0, 2:]) / 2 + speed * 0.1
    assert motion[0, :2, 0] == pytest.approx(centre, abs=0.5)


def test_an_unseen_box_stops_growing_and_slows_down():
    motion = kalman.first_motion(np.array([[0.0, 0.0, 100.0, 100.0]]), np.array([False]), MODEL)
    motion[0, :, 1] = [200.0, 0.0, 300.0, 300.0]
    for _ in range(300):
        predict_kernel(motion, np.array([True]), np.array([False]), 1 / 30, MODEL)
    # all it can ever gain is speed * tau
    assert motion[0, 2, 0] == pytest.approx(100 + 300 * MODEL.growth_tau, rel=1e-3)
    assert motion[0, 0, 0] == pytest.approx(50 + 200 * MODEL.coast_tau, rel=1e-3)
