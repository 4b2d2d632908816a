"""BYTE's public tracker in plain numpy, the reference: that code's own answers, and hand-made scenes of its habits."""

from pathlib import Path

import numpy as np
import pytest
from original_byte import OriginalByteConfig, PlainOriginal

from benchmarks.scenes_tracking import FIXTURES, QUIRKS, play
from benchmarks.tracking_fixtures import mixed

ANSWERS = Path(__file__).with_name("data") / "original_byte.npz"
BOX = np.array([[100.0, 100.0, 140.0, 200.0]])
NOBODY = np.zeros((0, 4))


@pytest.fixture
def follow():
    return lambda config=None: PlainOriginal(config or OriginalByteConfig())


def show(tracker, boxes, score=0.9):
    """Ids of one frame."""
    return tracker.step(boxes, np.full(len(boxes), score))[0].tolist()


@pytest.mark.parametrize("name", FIXTURES)
def test_ids_and_boxes_are_those_of_the_public_code(follow, name):
    tracker = follow()
    with np.load(ANSWERS) as stored:
        counts, ids, numbers = (stored[f"{name}_{key}"] for key in ("counts", "ids", "mixed"))
    frames, at = play(FIXTURES[name]), 0
    assert len(frames) == len(counts)
    for frame, count in zip(frames, counts, strict=True):
        track_ids, boxes, _ = tracker.step(frame.boxes.astype(float), frame.scores.astype(float))
        assert track_ids.tolist() == ids[at : at + count].tolist()
        np.testing.assert_allclose(mixed(boxes), numbers[at : at + count], rtol=0, atol=1e-9)
        at += count
    assert at == len(ids) > 1000


def test_the_stored_scene_shows_both_habits_of_lost_tracks():
    engine, found_late, gone_at_once = PlainOriginal(OriginalByteConfig()), set(), set()
    for frame in play(QUIRKS):
        lost_before = set(engine.lost_ids)
        engine.step(frame.boxes.astype(float), frame.scores.astype(float))
        found_late |= {track.track_id for track in engine.tracked if track.expired}
        gone_at_once |= (set(engine.ended_ids) & found_late) - lost_before
    assert len(found_late) >= 5
    assert len(gone_at_once) >= 5


def test_each_track_names_the_row_it_was_matched_with(follow):
    tracker = follow()
    for frame in play(FIXTURES["20"])[:60]:
        _, followed, rows = tracker.step(frame.boxes.astype(float), frame.scores.astype(float))
        assert len(set(rows.tolist())) == len(rows)
        centres = [(boxes[:, :2] + boxes[:, 2:]) / 2 for boxes in (followed, frame.boxes[rows])]
        assert (np.abs(centres[0] - centres[1]).max(axis=1) < 40).all()


def test_the_first_frame_gives_ids_at_once_later_births_in_the_second(follow):
    tracker = follow()
    far = BOX + 500
    assert show(tracker, BOX) == [1]
    assert show(tracker, np.concatenate([BOX, far])) == [1]
    assert show(tracker, np.concatenate([BOX, far])) == [1, 2]


@pytest.mark.parametrize(("away", "found"), [(29, True), (30, True), (31, True), (32, False)])
def test_a_lost_track_is_found_for_one_frame_longer_than_it_is_waited_for(follow, away, found):
    tracker = follow()
    for _ in range(5):
        show(tracker, BOX)
    for _ in range(away):
        assert show(tracker, NOBODY) == []
    # a new track shows only when it is seen again
    assert show(tracker, BOX) == ([1] if found else [])
    assert show(tracker, BOX) == ([1] if found else [2])


@pytest.mark.parametrize(("away", "again"), [(30, [1]), (31, [])])
def test_what_was_found_in_that_frame_is_gone_when_it_is_lost_again(follow, away, again):
    tracker = follow()
    for _ in range(5):
        show(tracker, BOX)
    for _ in range(away):
        show(tracker, NOBODY)
    assert show(tracker, BOX) == [1]
    assert show(tracker, NOBODY) == []
    assert show(tracker, BOX) == again


def test_a_found_track_takes_the_place_of_the_shorter_one(follow):
    tracker = follow()
    for _ in range(10):
        show(tracker, BOX)
    show(tracker, NOBODY)
    # a low row at once beside it starts nothing; a high row finds it again
    assert show(tracker, BOX, score=0.3) == []
    assert show(tracker, BOX) == [1]


def test_buffer_and_rate_set_the_wait(follow):
    tracker = follow(OriginalByteConfig(track_buffer=10, frame_rate=15))  # 5 frames
    show(tracker, BOX)
    for _ in range(7):
        show(tracker, NOBODY)
    assert tracker.track_count == 0


def test_scores_at_the_threshold_are_neither_high_nor_low(follow):
    tracker = follow()
    assert show(tracker, BOX, score=0.5) == []
    assert show(tracker, BOX) == []  # the first frame is over: unconfirmed
    assert show(tracker, BOX) == [1]
    assert show(tracker, BOX, score=0.5) == []
    assert show(tracker, BOX, score=0.49) == []  # lost tracks are not found by low rows
    assert show(tracker, BOX) == [1]
