"""The tracker that repeats BYTE's public code: that code's own answers, hand-made scenes of its habits, refusals."""

from pathlib import Path

import numpy as np
import pytest
from track_scenes import INFO

from benchmarks.scenes_tracking import FIXTURES, QUIRKS, play
from benchmarks.tracking_fixtures import mixed
from videohoi.errors import ConfigError, InputError, UsageError
from videohoi.structures import Detections
from videohoi.track.byte import ByteTracker
from videohoi.track.byte_config import ByteConfig
from videohoi.track.factory import byte_tracker
from videohoi.track.original import OriginalByteTracker
from videohoi.track.original_config import OriginalByteConfig
from videohoi.track.original_plain import PlainOriginal

ANSWERS = Path(__file__).with_name("data") / "original_byte.npz"
BOX = np.array([[100.0, 100.0, 140.0, 200.0]])
NOBODY = np.zeros((0, 4))


@pytest.fixture(params=[True, False], ids=["compiled", "plain"])
def follow(request):
    def make(config=None):
        tracker = OriginalByteTracker(config, compiled=request.param)
        tracker.open(INFO)
        return tracker

    return make


def show(tracker, boxes, score=0.9):
    """Ids of one frame."""
    return tracker.step(boxes, np.full(len(boxes), score)).track_ids.tolist()


@pytest.mark.parametrize("name", FIXTURES)
def test_ids_and_boxes_are_those_of_the_public_code(follow, name):
    tracker = follow()
    with np.load(ANSWERS) as stored:
        counts, ids, numbers = (stored[f"{name}_{key}"] for key in ("counts", "ids", "mixed"))
    frames, at = play(FIXTURES[name]), 0
    assert len(frames) == len(counts)
    for frame, count in zip(frames, counts, strict=True):
        found = tracker.step(frame.boxes, frame.scores)
        assert found.track_ids.tolist() == ids[at : at + count].tolist()
        np.testing.assert_allclose(mixed(found.boxes_xyxy_px), numbers[at : at + count], rtol=0, atol=1e-9)
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


def test_compiled_and_plain_hold_the_same_books():
    trackers = [OriginalByteTracker(OriginalByteConfig(mot20=True), compiled=compiled) for compiled in (True, False)]
    for tracker in trackers:
        tracker.open(INFO)
    for index, frame in enumerate(play(QUIRKS)[:300]):
        rows = Detections(frame.boxes, frame.scores, np.zeros(len(frame.scores), np.int64))
        one, other = (tracker.update(rows, index / 30) for tracker in trackers)
        assert one.track_ids.tolist() == other.track_ids.tolist()
        assert sorted(one.lost_ids) == sorted(other.lost_ids)
        assert sorted(one.ended_ids) == sorted(other.ended_ids)
        assert trackers[0].track_count == trackers[1].track_count


def test_each_track_names_the_row_it_was_matched_with(follow):
    tracker = follow()
    for frame in play(FIXTURES["20"])[:60]:
        found = tracker.step(frame.boxes, frame.scores)
        assert len(set(found.rows.tolist())) == len(found.rows)
        centres = [(boxes[:, :2] + boxes[:, 2:]) / 2 for boxes in (found.boxes_xyxy_px, frame.boxes[found.rows])]
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


def test_rows_that_are_no_boxes_are_left_out(follow):
    tracker = follow()
    bad = [[np.nan, 0, 9, 9], [0, 0, np.inf, 9], [5, 5, 5, 9], [9, 9, 5, 5]]
    for _ in range(3):
        boxes = np.concatenate([np.array(bad), BOX])
        found = tracker.step(boxes, np.array([0.9, 0.9, 0.9, 0.9, 0.9]))
        assert found.track_ids.tolist() == [1]
        assert found.rows.tolist() == [4]
        assert tracker.step(boxes[4:], np.array([np.nan])).track_ids.tolist() == []


def test_rows_keep_their_order_and_classes(follow):
    tracker = follow()
    boxes = np.concatenate([BOX + 600, BOX, BOX + 300]).astype(np.float32)
    rows = Detections(boxes, np.array([0.2, 0.9, 0.8], np.float32), np.array([4, 0, 7], np.int64))
    result = tracker.update(rows, 0.0)
    assert result.track_ids.tolist() == [-1, 1, 2]
    assert result.class_ids.tolist() == [4, 0, 7]
    gone = tracker.update(Detections.empty(), 1 / 30)
    assert gone.lost_ids == (1, 2)
    ended = [tracker.update(Detections.empty(), (2 + k) / 30).ended_ids for k in range(40)]
    assert [ids for ids in ended if ids] == [(1, 2)]


def test_reset_forgets_tracks_but_no_id_returns(follow):
    tracker = follow()
    assert show(tracker, BOX) == [1]
    tracker.reset()
    assert tracker.track_count == 0
    assert show(tracker, BOX) == [2]
    tracker.open(INFO)
    assert show(tracker, BOX) == [1]


def test_instances_do_not_share_ids(follow):
    assert show(follow(), BOX) == show(follow(), BOX) == [1]


def test_room_grows_with_the_crowd():
    tracker = OriginalByteTracker(compiled=True)
    tracker.open(INFO)
    for count in (3, 90, 500, 20, 900):
        places = np.array([[120.0 * (k % 40), 220.0 * (k // 40)] * 2 for k in range(count)])
        boxes = BOX + places
        assert len(show(tracker, boxes)) >= (3 if count > 3 else 0)
        assert len(show(tracker, boxes)) == count
    assert tracker.track_count == 900


def test_ten_thousand_frames_of_births_hold_no_more_than_the_last_second():
    tracker = OriginalByteTracker(compiled=True)
    tracker.open(INFO)
    most = 0
    for frame in range(10_000):
        places = np.random.default_rng(frame // 3).uniform(0, 5000, (3, 2))
        show(tracker, BOX + np.tile(places, 2))
        most = max(most, tracker.track_count)
    # three every third frame, waited for 30 frames and the one after
    assert most <= 3 * 13
    assert tracker._engine.next_id > 9000
    assert tracker._engine._size == 64


def test_update_needs_open_and_close_may_come_twice():
    tracker = OriginalByteTracker()
    with pytest.raises(UsageError, match=r"step before open: call open\(info\) first"):
        tracker.step(BOX, np.ones(1))
    with pytest.raises(UsageError, match=r"update before open: call open\(info\) first"):
        tracker.update(Detections.empty(), 0.0)
    tracker.open(INFO)
    with pytest.raises(InputError, match="pts_seconds must be a finite number"):
        tracker.update(Detections.empty(), np.nan)
    with pytest.raises(ValueError, match=r"boxes must have shape \(N, 4\) and scores \(N,\), got \(1, 4\) and \(2,\)"):
        tracker.step(BOX, np.ones(2))
    tracker.close()
    tracker.close()
    tracker.reset()
    assert tracker.track_count == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"match_thresh": 1.0}, "match_thresh must be under 1, got 1.0"),
        ({"track_thresh": -0.1}, "track_thresh must be a finite number of 0 or more"),
        ({"frame_rate": float("nan")}, "frame_rate must be a finite number"),
        ({"track_buffer": True}, "track_buffer must be a finite number"),
    ],
)
def test_impossible_settings_are_named(values, message):
    with pytest.raises(ConfigError, match=message):
        OriginalByteConfig(**values)


def test_the_factory_gives_the_tracker_that_was_asked_for():
    assert isinstance(byte_tracker(), ByteTracker)
    assert isinstance(byte_tracker(ByteConfig(high_score=0.3), human_class_id=2), ByteTracker)
    assert isinstance(byte_tracker(parity="original"), OriginalByteTracker)
    assert isinstance(byte_tracker(OriginalByteConfig(track_thresh=0.6), parity="original"), OriginalByteTracker)
    with pytest.raises(ConfigError, match='parity="original" takes an OriginalByteConfig, got ByteConfig'):
        byte_tracker(ByteConfig(), parity="original")
    with pytest.raises(ConfigError, match='parity="none" takes a ByteConfig, got OriginalByteConfig'):
        byte_tracker(OriginalByteConfig())
    with pytest.raises(ConfigError, match='parity must be "none" or "original", got \'exact\''):
        byte_tracker(parity="exact")


@pytest.mark.parametrize("compiled", [True, False])
def test_scores_and_areas_that_are_not_finite_are_left_out(compiled):
    """By either program, on the frame itself and on those that follow."""
    tracker = OriginalByteTracker(compiled=compiled)
    tracker.open(INFO)
    boxes = np.array([[0, 0, 10, 20], [50, 50, 60, 70], [0, 0, 1e160, 1e160], [80, 0, 90, 20]], np.float64)
    scores = np.array([0.9, np.inf, 0.9, np.nan])
    for _ in range(3):
        assert tracker.step(boxes, scores).track_ids.tolist() == [1]
