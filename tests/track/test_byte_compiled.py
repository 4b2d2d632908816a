"""The compiled step against its plain numpy form: ids, classes, books and boxes of every frame."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from track_scenes import BALL, CUP, PERSON, crowd, detections, opened

from benchmarks.scenes_tracking import QUALITY
from benchmarks.scenes_tracking import play as play_people
from videohoi.structures import Detections
from videohoi.track import _byte_layout as layout
from videohoi.track.byte_config import ByteConfig


def compare(frames, config=None):
    """Run both over (detections, stamp) pairs; returns how many ids were given."""
    trackers = [opened(config, compiled=compiled) for compiled in (True, False)]
    highest = 0
    for number, (found, stamp) in enumerate(frames):
        one, other = (tracker.update(found, stamp) for tracker in trackers)
        where = f"frame {number}"
        assert one.track_ids.tolist() == other.track_ids.tolist(), where
        assert one.class_ids.tolist() == other.class_ids.tolist(), where
        assert (one.lost_ids, one.ended_ids) == (other.lost_ids, other.ended_ids), where
        assert trackers[0].track_count == trackers[1].track_count, where
        boxes = [tracker.boxes_xyxy_px for tracker in trackers]
        np.testing.assert_allclose(boxes[0], boxes[1], rtol=1e-9, atol=1e-6, err_msg=where)
        highest = max(highest, *one.track_ids.tolist(), 0)
    return highest


def stamped(frames):
    return [(frame.detections, frame.pts_seconds) for frame in frames]


def test_every_setting_has_its_place():
    for place, name in enumerate(layout.SETTINGS):
        assert getattr(layout, name.upper()) == place
    assert {field.name for field in dataclasses.fields(ByteConfig)} - set(layout.SETTINGS) == {
        "min_dt_seconds",
        "part_cover",
    }


@pytest.mark.parametrize(("seed", "rate_hz"), [(0, 30.0), (1, 60.0), (2, 7.0)])
def test_people_balls_and_cups(seed, rate_hz):
    assert compare(stamped(crowd(seed=seed, seconds=8.0, rate_hz=rate_hz, false_alarms=2.0))) > 12


def test_other_settings():
    config = ByteConfig(
        high_iou=0.3, human_iou=0.1, low_iou=0.2, switch_iou=0.9, confirm_hits=1, confirm_seconds=0.0, duplicate_iou=0.3
    )
    assert compare(stamped(crowd(seed=3, seconds=5.0, false_alarms=3.0, miss=0.3)), config) > 12


def test_uneven_backward_and_jumping_stamps():
    rng = np.random.default_rng(4)
    stamps = np.cumsum(
        rng.choice([0.0, -0.01, 1 / 60, 1 / 30, 0.2, 1.5, -3.0], 150, p=[0.1, 0.1, 0.3, 0.4, 0.06, 0.02, 0.02])
    )
    frames = crowd(seed=4, seconds=5.0)
    assert compare([(frame.detections, float(stamp)) for frame, stamp in zip(frames, stamps, strict=True)]) > 12


def test_a_dense_crowd_outgrows_the_first_room():
    people = play_people(QUALITY[200])[:25]
    frames = [
        (Detections(frame.boxes, frame.scores, np.zeros(len(frame.scores), np.int64)), number / 30.0)
        for number, frame in enumerate(people)
    ]
    assert compare(frames) > 150


def test_many_names_for_the_same_things():
    rng = np.random.default_rng(5)
    frames = []
    for number in range(120):
        rows = []
        for thing in range(6):
            for name in rng.choice([PERSON, BALL, CUP, 10, 39, 75], 2):
                x, y = 90 * thing + rng.normal(0, 2), 100 + rng.normal(0, 2)
                rows.append((x, y, x + 60, y + 80, rng.choice([0.05, 0.2, 0.5, 0.9]), name))
        frames.append((detections(*rows), number / 30.0))
    assert compare(frames) > 6


def test_nothing_one_row_and_rows_that_cannot_be_used():
    nan, inf = np.nan, np.inf
    bad = [(nan, 0, 9, 9, 0.9, CUP), (0, 0, inf, 9, 0.9, CUP), (5, 5, 5, 50, 0.9, CUP), (50, 50, 10, 10, 0.9, PERSON)]
    bad += [(0, 0, 40, 50, nan, CUP), (0, 0, 40, 50, inf, CUP), (0, 0, 40, 50, -1.0, CUP)]
    one = (100, 100, 140, 150, 0.8, CUP)
    scenes = [[], [one], [one], bad, [*bad, one], [], [], [one, one], [(0, 0, 1e-3, 1e-3, 0.9, CUP)], [*bad, *bad]]
    assert compare([(detections(*scene), number / 30.0) for number, scene in enumerate(scenes * 4)]) >= 1


# places that no two pairs of which cost the same: where two matchings cost exactly the same, either may be taken
odd = st.floats(0, 600)
rows = st.lists(st.tuples(odd, odd, st.floats(0.05, 1), st.sampled_from([PERSON, BALL, CUP])), max_size=9)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.lists(rows, min_size=1, max_size=5))
def test_random_scenes(seed, scenes):
    rng = np.random.default_rng(seed)
    frames = []
    for number in range(12):
        scene = [
            (x + dx, y + dy, x + dx + 40 + dw, y + dy + 55 + dw, score, c)
            for (x, y, score, c), (dx, dy, dw) in zip(
                scenes[number % len(scenes)], rng.normal(0, 6, (9, 3)), strict=False
            )
        ]
        frames.append((detections(*scene), number / 30.0))
    compare(frames)


@pytest.mark.slow
def test_a_long_run():
    assert compare(stamped(crowd(seed=6, seconds=120.0, false_alarms=1.5))) > 50
