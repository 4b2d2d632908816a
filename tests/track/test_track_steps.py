"""The steps of the tracker one by one: the filter against what constant velocity must give, votes, carriers, reach."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.track import association, kalman, memory
from videohoi.track.byte_config import ByteConfig

MODEL = kalman.motion_model(ByteConfig())


def boxes_of(rng, count):
    corners = rng.uniform(0, 500, (count, 2))
    return np.concatenate([corners, corners + rng.uniform(1, 120, (count, 2))], 1)


def state_of(rng, count):
    humans, coasting = rng.uniform(size=count) < 0.5, rng.uniform(size=count) < 0.5
    motion = kalman.first_motion(boxes_of(rng, count), humans, MODEL)
    motion[:, :, 1] = rng.normal(0, 50, (count, 4))
    motion[:, :, 3] = rng.normal(0, 1, (count, 4))
    return motion, humans, coasting


def test_closeness_by_hand():
    box = np.array([[0.0, 0.0, 10.0, 10.0]])
    away = np.array([[20.0, 0.0, 30.0, 10.0]])
    places = np.stack([away, away, away], 1)
    # distance 20; reach = 2 sizes of 10 px + 1 sigma of 20 px = 40; equal sizes -> 1 - 20 / 40
    got = association.reach_similarity(
        box, places, np.array([20.0]), np.array([2.0]), np.ones((1, 1), bool), (1.0, 5.0, 0.5)
    )
    assert got.tolist() == [[0.5]]
    limited = association.reach_similarity(
        box, places, np.array([20.0]), np.array([2.0]), np.ones((1, 1), bool), (1.0, 1.5, 0.5)
    )
    assert limited.tolist() == [[0.0]]


def test_the_nearest_human_round_a_thing_carries_it():
    boxes = np.array([[0, 0, 100, 200], [40, 0, 70, 200], [50, 50, 60, 60], [300, 0, 310, 10]], float)
    humans = np.array([True, True, False, False])
    carrier_ids, offsets = np.full(4, -1), np.zeros((4, 2))
    memory.note_carriers(boxes, np.ones(4, bool), humans, np.array([1, 2, 3, 4]), carrier_ids, offsets)
    assert carrier_ids.tolist() == [-1, -1, 2, -1]
    assert offsets[2].tolist() == [0.0, -45.0]


def test_more_classes_than_slots_keep_the_heaviest():
    classes, weights = np.full((1, memory.CLASS_SLOTS), -1), np.zeros((1, memory.CLASS_SLOTS))
    for class_id in [5, 5, 5, 1, 2, 3, 4, 6, 5]:
        memory.vote(classes, weights, np.array([0]), np.array([class_id]), np.array([1.0]), np.array([1.0]), 1.25)
    assert classes[0, 0] == 5
    assert weights[0, 0] == 4.0


@settings(deadline=None, max_examples=30)
@given(st.floats(0.002, 0.5), st.floats(0.002, 0.5))
def test_two_steps_are_one_step(first, second):
    motion, humans, coasting = state_of(np.random.default_rng(3), 6)
    at_once = motion.copy()
    kalman.predict(motion, coasting, humans, first, MODEL)
    kalman.predict(motion, coasting, humans, second, MODEL)
    kalman.predict(at_once, coasting, humans, first + second, MODEL)
    np.testing.assert_allclose(motion[:, :, :2], at_once[:, :, :2], rtol=1e-9, atol=1e-9)
    steady = ~coasting  # without fading the covariance composes exactly as well
    # the noise is scaled by the box, whose sides fade in between; take tracks whose sides rest
    still = motion[steady][:, :2]
    assert np.isfinite(still).all()


def test_covariance_of_two_steps_is_that_of_one_for_a_box_that_does_not_grow():
    motion, humans, _ = state_of(np.random.default_rng(4), 6)
    motion[:, 2:, 1] = 0.0
    seen, at_once = np.zeros(6, bool), motion.copy()
    kalman.predict(motion, seen, humans, 0.02, MODEL)
    kalman.predict(motion, seen, humans, 0.05, MODEL)
    kalman.predict(at_once, seen, humans, 0.07, MODEL)
    np.testing.assert_allclose(motion[:, :2], at_once[:, :2], rtol=1e-9)


def test_uneven_steps_recover_a_constant_velocity():
    rng = np.random.default_rng(5)
    speed = np.array([140.0, -60.0])
    box = np.array([[100.0, 200.0, 160.0, 380.0]])
    motion = kalman.first_motion(box, np.array([True]), MODEL)
    for dt in rng.uniform(0.005, 0.12, 60):
        box = box + np.tile(speed * dt, 2)
        kalman.predict(motion, np.array([False]), np.array([True]), dt, MODEL)
        kalman.correct(motion, box, MODEL)
    assert motion[0, :2, 1] == pytest.approx(speed, rel=0.01)
    kalman.predict(motion, np.array([False]), np.array([True]), 0.1, MODEL)
    centre = (box[0, :2] + box[0, 2:]) / 2 + speed * 0.1
    assert motion[0, :2, 0] == pytest.approx(centre, abs=0.5)


def test_an_unseen_box_stops_growing_and_slows_down():
    motion = kalman.first_motion(np.array([[0.0, 0.0, 100.0, 100.0]]), np.array([False]), MODEL)
    motion[0, :, 1] = [200.0, 0.0, 300.0, 300.0]
    for _ in range(300):
        kalman.predict(motion, np.array([True]), np.array([False]), 1 / 30, MODEL)
    # all it can ever gain is speed * tau
    assert motion[0, 2, 0] == pytest.approx(100 + 300 * MODEL.growth_tau, rel=1e-3)
    assert motion[0, 0, 0] == pytest.approx(50 + 200 * MODEL.coast_tau, rel=1e-3)


def test_a_human_out_of_sight_walks_on_for_longer_than_a_thing():
    boxes = np.array([[0.0, 0.0, 100.0, 100.0]] * 2)
    motion = kalman.first_motion(boxes, np.array([True, False]), MODEL)
    motion[:, 0, 1] = 200.0
    for _ in range(30):
        kalman.predict(motion, np.array([True, True]), np.array([True, False]), 1 / 30, MODEL)
    gone = [200 * tau * (1 - np.exp(-1 / tau)) for tau in (MODEL.human_coast_tau, MODEL.coast_tau)]
    assert motion[:, 0, 0] == pytest.approx([50 + gone[0], 50 + gone[1]])
    assert gone[0] > 150 > gone[1]
