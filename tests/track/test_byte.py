"""What a user relies on: identities of humans and things in hand-made scenes, one frame after another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from track_scenes import BALL, CUP, INFO, PERSON, detections, opened

from videohoi.errors import InputError, UsageError
from videohoi.pipeline.nodes import TrackNode
from videohoi.structures import Detections
from videohoi.track.byte import ByteTracker
from videohoi.track.byte_config import ByteConfig

RATE_HZ = 30.0
FIRE_HYDRANT, BOTTLE, VASE = 10, 39, 75


def person(x, y=200, score=0.9):
    return (x, y, x + 60, y + 180, score, PERSON)


def cup(x, y=300, score=0.8, class_id=CUP):
    return (x, y, x + 40, y + 50, score, class_id)


def ball(x, y, score=0.8):
    return (x, y, x + 30, y + 30, score, BALL)


def play(tracker, scenes, rate_hz=RATE_HZ, start=0):
    """Results of ``scenes``, one list of rows a frame at ``rate_hz``."""
    return [tracker.update(detections(*scene), (start + frame) / rate_hz) for frame, scene in enumerate(scenes)]


def ids_of(results, row=0):
    return [int(result.track_ids[row]) for result in results]


def test_first_frame_gives_ids_at_once_later_births_need_two_hits(tracker):
    results = play(tracker, [[person(0)], [person(2), cup(400)], [person(4), cup(400)]])
    assert [r.track_ids.tolist() for r in results] == [[1], [1, -1], [1, 2]]
    assert results[1].class_ids.tolist() == [PERSON, CUP]


def test_at_a_high_rate_a_birth_needs_its_time_not_just_two_hits(tracker):
    results = play(tracker, [[]] + [[cup(400)]] * 4, rate_hz=120.0)
    # seen for 0, 1/120, 2/120, 3/120 s: all short of 0.03
    assert ids_of(results[1:]) == [-1, -1, -1, -1]
    assert ids_of(play(tracker, [[cup(400)]] * 2, rate_hz=120.0, start=5)) == [1, 1]


@pytest.mark.parametrize("rate_hz", [2.0, 5.0, 8.0])
def test_a_slow_camera_gives_ids_as_well(tracker, rate_hz):
    assert ids_of(play(tracker, [[]] * 2 + [[cup(400)]] * 3, rate_hz=rate_hz)[2:]) == [-1, 1, 1]


def test_a_flash_of_one_frame_never_gets_an_id(tracker):
    results = play(tracker, [[person(0)], [person(0), cup(400)]] + [[person(0)]] * 40)
    assert {i for r in results for i in r.track_ids.tolist()} == {-1, 1}
    assert all(r.ended_ids == () for r in results)
    assert tracker.track_count == 1


def test_two_people_who_cross_keep_their_ids(tracker):
    # they pass in front of each other at 240 px/s, both visible throughout
    scenes = [[person(100 + 8 * f, y=200), person(500 - 8 * f, y=215)] for f in range(50)]
    results = play(tracker, scenes)
    assert all(r.track_ids.tolist() == [1, 2] for r in results)


def test_two_cups_that_cross_keep_their_ids(tracker):
    scenes = [[cup(100 + 6 * f, y=300), cup(400 - 6 * f, y=318)] for f in range(50)]
    assert all(r.track_ids.tolist() == [1, 2] for r in play(tracker, scenes))


def test_one_missed_frame_keeps_the_id(tracker):
    results = play(tracker, [[person(0)], [person(3)], [], [person(9)]])
    assert results[2].lost_ids == (1,)
    assert ids_of([results[3]]) == [1]
    assert results[3].lost_ids == ()


@pytest.mark.parametrize(("thing", "frames"), [(cup(0), 30), (person(0), 60)])
def test_a_miss_longer_than_lost_seconds_ends_the_id_once(tracker, thing, frames):
    results = play(tracker, [[thing]] * 3 + [[]] * (frames + 10) + [[thing]] * 3)
    ended = [(frame, r.ended_ids) for frame, r in enumerate(results) if r.ended_ids]
    # last seen in frame 2; one second for things and two for humans, so this frame is the first beyond it
    assert ended == [(frames + 3, (1,))]
    assert all(r.lost_ids == (1,) for r in results[3 : frames + 3])
    assert all(r.lost_ids == () for r in results[frames + 3 :])
    assert ids_of(results[-3:]) == [-1, 2, 2]


def test_reappearing_exactly_at_lost_seconds_still_counts(tracker):
    results = play(tracker, [[cup(100)]] * 2 + [[]] * 29 + [[cup(100)]])
    assert ids_of([results[-1]]) == [1]


def test_low_rows_continue_a_track_but_never_start_one(tracker):
    results = play(tracker, [[cup(100)]] + [[cup(100, score=0.15), cup(600, score=0.39)]] * 60)
    assert all(r.track_ids.tolist() == [1, -1] for r in results[1:])


def test_rows_under_the_low_score_are_left_alone(tracker):
    results = play(tracker, [[cup(100)], [cup(100, score=0.09)]])
    assert results[1].track_ids.tolist() == [-1]
    assert results[1].lost_ids == (1,)


def test_a_person_is_never_matched_to_an_object(tracker):
    same_box = (100, 100, 160, 280, 0.9)
    results = play(tracker, [[(*same_box, PERSON)]] * 5 + [[(*same_box, BOTTLE)]] * 5 + [[(*same_box, PERSON)]] * 3)
    assert ids_of(results[:5]) == [1] * 5
    assert ids_of(results[5:10]) == [-1] + [2] * 4
    assert ids_of(results[10:]) == [1] * 3
    assert {int(r.class_ids[0]) for r in results[5:10]} == {BOTTLE}


def test_a_person_and_an_object_may_share_a_box(tracker):
    rows = [(100, 100, 160, 280, 0.9, PERSON), (100, 100, 160, 280, 0.8, BOTTLE)]
    assert [r.track_ids.tolist() for r in play(tracker, [rows] * 3)] == [[1, 2]] * 3


def test_a_flickering_label_keeps_one_id_and_the_majority_names_it(tracker):
    labels = [CUP, CUP, FIRE_HYDRANT, CUP, FIRE_HYDRANT, FIRE_HYDRANT, CUP, CUP, CUP]
    results = play(tracker, [[cup(100 + f, class_id=label)] for f, label in enumerate(labels)])
    assert ids_of(results) == [1] * 9
    assert {int(r.class_ids[0]) for r in results} == {CUP}


def test_the_name_follows_when_the_evidence_changes_for_good(tracker):
    results = play(tracker, [[cup(100, class_id=VASE)]] * 8 + [[cup(100, class_id=BOTTLE)]] * 20)
    assert ids_of(results) == [1] * 28
    names = [int(r.class_ids[0]) for r in results]
    # eight votes for the vase: the bottle needs 1.25 times as many, ten, less what the older votes have faded
    assert names[:16] == [VASE] * 16
    assert names[18:] == [BOTTLE] * 10


def test_votes_weigh_by_score():
    tracker = opened(ByteConfig(rename_ratio=1.0))
    sure, unsure = cup(100, score=0.9, class_id=VASE), cup(100, score=0.41, class_id=BOTTLE)
    results = play(tracker, [[sure], [unsure], [unsure], [unsure]])
    assert [int(r.class_ids[0]) for r in results] == [VASE, VASE, VASE, BOTTLE]


def test_the_same_class_is_preferred_to_a_better_overlap_of_another(tracker):
    play(tracker, [[cup(100, class_id=BOTTLE)]])
    result = tracker.update(detections(cup(112, class_id=BOTTLE), cup(101, score=0.9, class_id=VASE)), 1 / RATE_HZ)
    assert result.track_ids.tolist() == [1, -1]


def test_one_thing_under_two_names_is_one_track(tracker):
    both = [cup(100, class_id=BOTTLE, score=0.7), cup(101, class_id=VASE, score=0.5)]
    results = play(tracker, [both] * 10 + [[both[1]]] * 2 + [both] * 2)
    assert all(r.track_ids.tolist() == [1, -1] for r in results[:10])
    assert ids_of(results[10:12]) == [1, 1]
    assert all(r.track_ids.tolist() == [1, -1] for r in results[12:])


def test_duplicates_can_be_allowed():
    tracker = opened(ByteConfig(duplicate_iou=1.0))
    both = [cup(100, class_id=BOTTLE, score=0.7), cup(101, class_id=VASE, score=0.5)]
    assert [r.track_ids.tolist() for r in play(tracker, [both] * 4)] == [[1, 2]] * 4


def test_two_tracks_that_became_one_thing_leave_it_to_the_older(tracker):
    apart = [cup(100, class_id=BOTTLE), cup(160, class_id=VASE)]
    together = [cup(100, class_id=BOTTLE), cup(101, class_id=VASE)]
    results = play(tracker, [apart] * 3 + [together] * 40)
    assert results[2].track_ids.tolist() == [1, 2]
    assert results[-1].track_ids.tolist() == [1, -1]
    assert [r.ended_ids for r in results if r.ended_ids] == [(2,)]


@pytest.mark.parametrize("speed_px", [20, 45, 75])
def test_a_small_ball_that_moves_further_than_its_width_keeps_its_id(tracker, speed_px):
    # 30 px wide; 75 px a frame: no overlap at all from one frame to the next
    results = play(tracker, [[ball(10 + speed_px * f, 300)] for f in range(16)])
    assert ids_of(results) == [1] * 16


def test_a_resting_ball_that_is_kicked_keeps_its_id(tracker):
    rest = [[ball(100, 600)]] * 30
    flight = [[ball(100 + 55 * f, 600 - 20 * f)] for f in range(1, 15)]
    assert ids_of(play(tracker, rest + flight)) == [1] * 44


def test_a_juggled_ball_keeps_its_id_through_each_kick(tracker):
    seconds = np.arange(90) / RATE_HZ
    heights = 400 - 1200 * (seconds % 0.5) + 2400 * (seconds % 0.5) ** 2  # up and down twice a second
    assert set(ids_of(play(tracker, [[ball(300, y)] for y in heights]))) == {1}


def test_two_balls_far_apart_do_not_swap_when_one_vanishes(tracker):
    scenes = [[ball(100, 300), ball(600, 300)]] * 5 + [[ball(600, 300)]] * 10
    results = play(tracker, scenes)
    assert ids_of(results[5:]) == [2] * 10


def test_an_occluded_cup_is_found_again_where_it_was(tracker):
    results = play(tracker, [[cup(300)]] * 10 + [[]] * 24 + [[cup(306, y=296)]] * 3)
    assert all(r.lost_ids == (1,) for r in results[10:34])
    assert ids_of(results[34:]) == [1] * 3


def test_a_cup_hidden_while_its_human_walks_is_found_where_the_human_went(tracker):
    # in the hand, hidden for 0.7 s during which the human walks 210 px, more than five cups
    in_hand = [[person(100), cup(110, y=260)]] * 10
    hidden = [[person(100 + 10 * f)] for f in range(1, 22)]
    shown = [[person(310), cup(322, y=262)]] * 3
    results = play(tracker, in_hand + hidden + shown)
    assert [r.track_ids.tolist() for r in results[-3:]] == [[1, 2]] * 3


def test_a_cup_that_stayed_behind_is_still_the_same_cup(tracker):
    scenes = [[person(100), cup(110, y=260)]] * 10 + [[person(100 + 10 * f)] for f in range(1, 22)]
    results = play(tracker, [*scenes, [person(310), cup(110, y=260)]])
    assert results[-1].track_ids.tolist() == [1, 2]


def test_a_human_who_comes_back_elsewhere_proves_itself_and_has_its_id_again(tracker):
    # walks 10 px a frame, turns round behind something, and comes out 100 px from where it was last seen
    scenes = [[person(10 * f)] for f in range(20)] + [[]] * 20 + [[person(290)], [person(288)], [person(286)]]
    results = play(tracker, scenes)
    assert ids_of(results[40:]) == [-1, 1, 1]
    assert results[40].lost_ids == (1,)
    assert all(r.lost_ids == () and r.ended_ids == () for r in results[41:])


def test_a_flash_near_a_hidden_human_does_not_carry_its_id_off(tracker):
    flash = [[person(280)]]
    results = play(tracker, [[person(200)]] * 10 + [[]] * 5 + flash + [[]] * 5 + [[person(200)]] * 2)
    assert ids_of([results[15]]) == [-1]
    assert ids_of(results[-2:]) == [1, 1]


def test_a_passer_by_does_not_take_the_id_of_somebody_hidden(tracker):
    # two stand side by side; one is hidden and a third comes by, overlapping its place by a quarter
    both, one = [person(100), person(300)], [person(300)]
    results = play(tracker, [both] * 10 + [one] * 5 + [[person(300), person(136, y=210)]] + [both] * 2)
    assert results[15].track_ids.tolist() == [2, -1]
    assert results[-1].track_ids.tolist() == [1, 2]


def test_a_low_row_beside_a_human_is_not_that_human(tracker):
    results = play(tracker, [[person(100)]] * 10 + [[person(165, score=0.2)]])
    assert results[-1].track_ids.tolist() == [-1]


def test_boxes_are_steadier_than_the_detectors(tracker):
    with pytest.raises(UsageError, match="boxes_xyxy_px before update"):
        _ = tracker.boxes_xyxy_px
    noise = np.random.default_rng(0).normal(0, 3, (200, 2))
    errors = []
    for frame, (dx, dy) in enumerate(noise):
        tracker.update(detections(person(2 * frame + dx, y=200 + dy), cup(900, score=0.05)), frame / RATE_HZ)
        x, y, *_ = tracker.boxes_xyxy_px[0]
        errors.append((x - 2 * frame, y - 200))
        assert tracker.boxes_xyxy_px[1].tolist() == [900, 300, 940, 350]
    assert np.std(errors[20:]) < 0.9 * np.std(noise[20:])


def test_something_of_another_size_is_not_the_lost_thing(tracker):
    big = (200, 200, 400, 450, 0.8, CUP)
    results = play(tracker, [[cup(300)]] * 5 + [[]] * 5 + [[big]] * 2)
    assert ids_of(results[10:]) == [-1, 2]


def test_a_ghost_does_not_grow(tracker):
    # a cup grows by 6 % a frame and vanishes; a box as if it had gone on growing for 0.8 s is not it
    sides = 40 * 1.06 ** np.arange(12)
    grown = 40 * 1.06 ** (12 + 24)
    scenes = [[(300 - s / 2, 300 - s / 2, 300 + s / 2, 300 + s / 2, 0.8, CUP)] for s in sides]
    ghost = [(300 - grown / 2, 300 - grown / 2, 300 + grown / 2, 300 + grown / 2, 0.8, CUP)]
    real = [(300 - sides[-1] / 2, 300 - sides[-1] / 2, 300 + sides[-1] / 2, 300 + sides[-1] / 2, 0.8, CUP)]
    results = play(tracker, scenes + [[]] * 23 + [[*ghost, *real]])
    assert results[-1].track_ids.tolist() == [-1, 1]


@pytest.mark.parametrize("stamp", [0.1, 0.05, 0.0999])
def test_equal_and_slightly_backward_stamps_are_survived(tracker, stamp):
    play(tracker, [[person(0)], [person(1)], [person(2)], [person(3)]])
    assert tracker.update(detections(person(4)), stamp).track_ids.tolist() == [1]
    assert tracker.update(detections(person(5)), 0.14).track_ids.tolist() == [1]


@pytest.mark.parametrize("jump_seconds", [5.0, -5.0, 1.2])
def test_a_jump_in_time_ends_every_track_and_starts_anew(tracker, jump_seconds):
    for frame in range(3):
        tracker.update(detections(person(0), cup(400)), 10 + frame / RATE_HZ)
    after = tracker.update(detections(person(0), cup(400)), 10 + 2 / RATE_HZ + jump_seconds)
    assert after.ended_ids == (1, 2)
    assert after.track_ids.tolist() == [3, 4]
    assert after.lost_ids == ()


def test_reset_forgets_tracks_but_no_id_returns(tracker):
    play(tracker, [[person(0), cup(400)]] * 2)
    tracker.reset()
    assert tracker.track_count == 0
    results = play(tracker, [[person(0), cup(400)]] * 2)
    assert results[1].track_ids.tolist() == [3, 4]
    assert results[0].ended_ids == ()


def test_open_begins_with_id_one_and_instances_do_not_share_ids(tracker):
    other = opened()
    assert play(tracker, [[person(0)]])[0].track_ids.tolist() == [1]
    assert play(other, [[person(0)]])[0].track_ids.tolist() == [1]
    tracker.open(INFO)
    assert play(tracker, [[person(700)]])[0].track_ids.tolist() == [1]


def test_update_needs_open_and_close_may_come_twice():
    tracker = ByteTracker()
    with pytest.raises(UsageError, match=r"before open: call open\(info\) first"):
        tracker.update(Detections.empty(), 0.0)
    tracker.open(INFO)
    tracker.close()
    tracker.close()
    tracker.reset()
    with pytest.raises(UsageError):
        tracker.update(Detections.empty(), 0.0)


@pytest.mark.parametrize("stamp", [np.nan, np.inf, -np.inf])
def test_a_stamp_that_is_not_a_time_is_refused_and_harms_nothing(tracker, stamp):
    play(tracker, [[person(0)]])
    with pytest.raises(InputError, match="pts_seconds must be a finite number of seconds, got"):
        tracker.update(detections(person(0)), stamp)
    assert tracker.update(detections(person(0)), 1 / RATE_HZ).track_ids.tolist() == [1]


def test_unusable_rows_get_no_id_and_harm_nothing(tracker):
    nan, inf = np.nan, np.inf
    bad = [
        (nan, 0, 10, 10, 0.9, CUP),
        (0, 0, inf, 10, 0.9, CUP),
        (5, 5, 5, 50, 0.9, CUP),
        (50, 50, 10, 10, 0.9, CUP),
        (0, 0, 40, 50, nan, CUP),
    ]
    results = play(tracker, [[*bad, cup(300)]] * 5)
    assert all(r.track_ids.tolist() == [-1] * 5 + [1] for r in results)
    assert tracker.track_count == 1


def test_no_detection_is_no_problem(tracker):
    results = play(tracker, [[]] * 3)
    assert all(len(r) == 0 and r.lost_ids == () and r.ended_ids == () for r in results)


def test_the_human_class_is_the_vocabularys():
    tracker = opened(human_class_id=7)
    play(tracker, [[cup(100, class_id=0)]])
    # 0 is an ordinary object here, so another object class may continue it; 7 may not
    assert tracker.update(detections(cup(100, class_id=1)), 1 / RATE_HZ).track_ids.tolist() == [1]
    assert tracker.update(detections(cup(100, class_id=7)), 2 / RATE_HZ).track_ids.tolist() == [-1]


scene_rows = st.lists(
    st.tuples(
        st.integers(0, 60), st.integers(0, 40), st.sampled_from([0.2, 0.45, 0.6, 0.9]), st.sampled_from([0, 32, 41])
    ),
    max_size=8,
    unique=True,
)


@settings(deadline=None, max_examples=12)
@given(st.lists(scene_rows, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_permuting_rows_permutes_ids_and_ids_are_unique_in_a_frame(scenes, random):
    straight, shuffled = opened(), opened()
    for frame, scene in enumerate(scenes):
        rows = [(10 * x, 10 * y, 10 * x + 35, 10 * y + 45, score, c) for x, y, score, c in scene]
        order = list(range(len(rows)))
        random.shuffle(order)
        expected = straight.update(detections(*rows), frame / RATE_HZ)
        got = shuffled.update(detections(*[rows[k] for k in order]), frame / RATE_HZ)
        assert got.track_ids.tolist() == [int(expected.track_ids[k]) for k in order]
        assert got.class_ids.tolist() == [int(expected.class_ids[k]) for k in order]
        assert (got.lost_ids, got.ended_ids) == (expected.lost_ids, expected.ended_ids)
        named = [i for i in got.track_ids.tolist() if i >= 0]
        assert len(named) == len(set(named))
        assert not set(named) & set(got.lost_ids)


@settings(deadline=None, max_examples=8)
@given(st.lists(st.floats(1 / 120, 1 / 8), min_size=30, max_size=40))
def test_uneven_frame_times_do_not_matter_to_steady_motion(steps):
    # a person at 300 px/s seen at irregular times keeps the id, however long or short the step
    tracker = opened()
    times = np.cumsum(steps)
    results = [tracker.update(detections(person(300 * t)), float(t)) for t in times]
    assert set(ids_of(results)) == {1}


class Slow:
    """Kernels that are compiled when the test says so."""

    advice = None

    def __init__(self):
        self.ready = False

    def open(self):
        self.ready = False


def test_kernels_that_come_late_are_used_from_where_nothing_is_followed_and_the_report_says_so(monkeypatch):
    monkeypatch.setattr("videohoi.track.byte.KernelLoader", Slow)
    tracker, rows = ByteTracker(), Detections(np.float32([[0, 0, 20, 40]]), np.float32([0.9]), np.int64([0]))
    tracker.open(INFO)
    assert tracker.notes
    tracker._kernels.ready = True
    assert tracker.update(rows, 0.0).track_ids.tolist() == [1]
    assert tracker.notes == ()
    tracker.open(INFO)
    tracker.update(rows, 0.0)
    tracker._kernels.ready = True
    assert tracker.update(rows, 0.1).track_ids.tolist() == [1]
    assert "runs on numpy" in tracker.notes[0], "a scene is not handed over in the middle"
    tracker.reset()
    assert tracker.notes == ()
    assert tracker.update(rows, 0.2).track_ids.tolist() == [2], "ids go on"
    tracker.open(INFO)
    tracker.close()
    assert TrackNode(tracker).notes == tracker.notes != ()
