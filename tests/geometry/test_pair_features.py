import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.geometry.pair_features import FEATURE_COUNT, Instances, pair_features

PERSON, BIKE = 0, 1


def features(boxes, classes, pairs, size=(200, 100)):
    instances = Instances.of_picture(np.array(boxes, np.float32), np.array(classes), size)
    humans, others = np.array(pairs, np.int64).reshape(-1, 2).T
    return pair_features(instances, humans, others, PERSON)


def test_spatial_numbers_of_a_hand_worked_pair():
    # human 20 x 40 centred (50, 50), object 40 x 20 centred (60, 60) in 200 x 100
    row = features([[40, 30, 60, 70], [40, 50, 80, 70]], [PERSON, BIKE], [(0, 1)])[0]
    expected = [
        0.25, 0.5, 0.3, 0.6,  # centres
        0.1, 0.4, 0.2, 0.2,  # sides
        0.04, 0.04, 1.0,  # areas and their ratio
        0.5, 2.0,  # aspects
        400 / 1200,  # IoU: 20 x 20 shared
        0.5, 0.25, 0.0,  # across (of the human's width), down and up (of its height)
    ]  # fmt: skip
    assert row[:17] == pytest.approx(expected, rel=1e-6)
    assert row[17:33] == pytest.approx(np.log(expected[:16]), rel=1e-5, abs=1e-6)
    assert row[33] == -9.0  # nothing upwards


def test_scene_numbers_of_two_humans_and_a_bicycle():
    near, far, bike = [40, 30, 60, 70], [140, 30, 160, 70], [45, 50, 75, 70]
    rows = features([near, far, bike], [PERSON, PERSON, BIKE], [(0, 2), (1, 2), (0, 1), (1, 0)])
    scene = rows[:, 56:]
    assert scene[0, 1] == 0  # the near one is the nearest human of the bicycle
    assert scene[1, 1] == pytest.approx(scene[1, 0] - scene[0, 0])  # the far one is behind by the difference
    assert scene[:, 9].tolist() == pytest.approx([np.log1p(2)] * 4)  # humans
    assert scene[:, 10].tolist() == pytest.approx([np.log1p(3)] * 4)  # instances
    assert scene[:, 11].tolist() == pytest.approx(np.log1p([1, 1, 2, 2]))  # of the object's class


def random_scene(seed, count=7):
    random = np.random.default_rng(seed)
    low = random.random((count, 2)) * [150, 60]
    boxes = np.concatenate([low, low + 5 + random.random((count, 2)) * [45, 35]], axis=1).astype(np.float32)
    classes = np.where(np.arange(count) < 3, PERSON, random.integers(1, 5, count))
    humans, others = np.nonzero((classes == PERSON)[:, None] & ~np.eye(count, dtype=bool))
    return boxes, classes, np.stack([humans, others], axis=1)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_mirroring_scaling_and_order_change_nothing(seed):
    boxes, classes, pairs = random_scene(seed)
    plain = features(boxes, classes, pairs)
    assert plain.shape == (len(pairs), FEATURE_COUNT)
    mirrored = np.stack([200 - boxes[:, 2], boxes[:, 1], 200 - boxes[:, 0], boxes[:, 3]], axis=1)
    np.testing.assert_allclose(features(mirrored, classes, pairs), plain, atol=2e-3)
    np.testing.assert_allclose(features(boxes * 2, classes, pairs, (400, 200)), plain, atol=2e-3)
    order = np.random.default_rng(seed).permutation(len(boxes))
    place = np.argsort(order)
    np.testing.assert_allclose(features(boxes[order], classes[order], place[pairs]), plain, atol=1e-6)


def test_pictures_of_a_batch_do_not_see_each_other():
    scenes = [random_scene(1, 7), random_scene(2, 5)]
    alone = [features(*scene) for scene in scenes]
    counts = [len(scene[1]) for scene in scenes]
    both = Instances(
        np.concatenate([scene[0] for scene in scenes]), np.concatenate([scene[1] for scene in scenes]),
        np.tile(np.array([[200, 100]], np.float32), (sum(counts), 1)), np.repeat([0, 1], counts),
    )  # fmt: skip
    rows = np.concatenate([scenes[0][2], scenes[1][2] + counts[0]])
    together = pair_features(both, rows[:, 0], rows[:, 1], PERSON)
    np.testing.assert_array_equal(together, np.concatenate(alone))


def test_degenerate_boxes_and_no_pair_stay_finite():
    flat = [[10, 10, 10, 10], [500, 500, 400, 400], [0, 0, 200, 100]]
    assert np.isfinite(features(flat, [PERSON, BIKE, BIKE], [(0, 1), (0, 2)])).all()
    assert features(np.zeros((0, 4)), np.zeros(0, np.int64), []).shape == (0, FEATURE_COUNT)
