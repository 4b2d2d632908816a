"""A made crowd of people, balls and cups with misses, noise, hiding and false alarms; long runs; real clips."""

import dataclasses

import numpy as np
import pytest
from track_scenes import crowd, detections, figures, opened

from videohoi.structures import Detections
from videohoi.track._byte_kernels import step_kernel


def follow(frames):
    tracker = opened()
    return [tracker.update(frame.detections, frame.pts_seconds) for frame in frames]


def test_a_crowd_is_followed():
    results = [figures(frames, follow(frames)) for frames in (crowd(seed=seed, seconds=10.0) for seed in range(3))]
    # the bounds leave room for other rounding, not for another tracker
    assert np.mean([r.named for r in results]) > 0.98
    assert np.mean([r.false_named for r in results]) < 0.08
    assert sum(r.switches for r in results) <= 12
    assert sum(r.ids for r in results) <= 50  # 36 things, false alarms, balls hidden at a bounce
    assert np.mean([r.purity for r in results]) > 0.92


def test_a_clean_crowd_is_followed_without_a_switch():
    frames = crowd(seed=5, seconds=8.0, people=5, balls=0, cups=3, miss=0.0, false_alarms=0.0)
    result = figures(frames, follow(frames))
    assert result.switches == 0
    assert result.named > 0.97  # the rest are low rows before the id


def test_a_slow_camera_is_followed():
    result = figures(frames := crowd(seed=6, seconds=15.0, rate_hz=10.0, balls=0), follow(frames))
    assert result.named > 0.93
    assert result.purity > 0.85


def test_the_same_input_gives_the_same_output():
    frames = crowd(seed=7, seconds=4.0)
    for first, second in zip(follow(frames), follow(frames), strict=True):
        assert np.array_equal(first.track_ids, second.track_ids)
        assert np.array_equal(first.class_ids, second.class_ids)
        assert (first.lost_ids, first.ended_ids) == (second.lost_ids, second.ended_ids)


def test_input_is_left_as_it_was():
    frames = crowd(seed=8, seconds=1.0)
    before = [(f.detections.boxes_xyxy_px.copy(), f.detections.class_ids.copy()) for f in frames]
    follow(frames)
    for frame, (boxes, classes) in zip(frames, before, strict=True):
        assert np.array_equal(frame.detections.boxes_xyxy_px, boxes)
        assert np.array_equal(frame.detections.class_ids, classes)


def test_every_id_has_one_life():
    """Ids are new when they appear, lost in between, ended once, never back; books balance in every frame."""
    alive, ended, highest = set(), set(), 0
    for result in follow(crowd(seed=9, seconds=20.0, false_alarms=1.0)):
        here = {i for i in result.track_ids.tolist() if i >= 0}
        born = here - alive
        assert all(i > highest for i in born)
        highest = max(born, default=highest)
        assert set(result.ended_ids) <= alive
        assert not (here | set(result.lost_ids)) & (ended | set(result.ended_ids))
        ended |= set(result.ended_ids)
        alive = (alive | born) - set(result.ended_ids)
        assert here | set(result.lost_ids) == alive
        assert not here & set(result.lost_ids)


def test_open_compiles_all_that_frames_need():
    tracker = opened(compiled=True)
    forms = len(step_kernel.signatures)
    assert forms > 0
    for frame in crowd(seed=12, seconds=3.0):
        found = frame.detections
        backward = Detections(found.boxes_xyxy_px[::-1], found.scores[::-1], found.class_ids[::-1])
        backward.boxes_xyxy_px.flags.writeable = False
        tracker.update(backward, frame.pts_seconds)
    assert len(step_kernel.signatures) == forms


@pytest.mark.slow
def test_twenty_thousand_frames_of_births_and_deaths_hold_no_more_than_the_last_second():
    tracker, largest, last_id, ended = opened(), 0, 0, 0
    for frame in range(20_000):
        scene = Detections.empty()
        if frame % 10 < 3:  # three things are seen in three frames, somewhere else each time, then are gone
            corners = np.random.default_rng(frame // 10).uniform(0, 2000, (3, 2))
            scene = detections(*[(x, y, x + 40, y + 50, 0.9, k) for k, (x, y) in enumerate(corners)])
        result = tracker.update(scene, frame / 30.0)
        largest = max(largest, tracker.track_count)
        last_id = max(last_id, *result.track_ids.tolist(), 0)
        ended += len(result.ended_ids)
    # three things every third of a second, each remembered for a second
    assert largest <= 3 * 5
    assert last_id > 4000
    assert ended > last_id - 15


def test_a_tracker_that_forgot_to_look_at_time_would_fail_this():
    """The same crowd at the same places, told to be a hundred times slower, is another story."""
    frames = crowd(seed=11, seconds=3.0)
    slow = [dataclasses.replace(f, pts_seconds=f.pts_seconds * 100) for f in frames]
    results = follow(slow)
    assert max(max(r.track_ids, default=0) for r in results) > 100
    assert all(r.lost_ids == () for r in results)
