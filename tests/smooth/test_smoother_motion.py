"""Carrying and impacts as a user sees them: what moves with a human is held, what is struck is kicked or thrown."""

import numpy as np
import pytest
from smooth_scenes import (
    HUMAN_BOX,
    WORDS,
    Pair,
    Thing,
    centred,
    events,
    frames,
    moved,
    segments,
    smoothed,
    spans,
    still,
    times,
)

from videohoi.smooth.config import SmoothingConfig
from videohoi.structures import Phase

CONFIG = SmoothingConfig()
HAND = centred(210, 250)
"""overlaps the human's right edge by ten pixels"""
HEIGHT_PX = HUMAN_BOX[3] - HUMAN_BOX[1]
GRAVITY_PX = 9.8 * HEIGHT_PX / 1.75


def always(**scores):
    return lambda pts: scores


def held(thing_at, human_at, name="cup", seconds=5.0):
    things = [Thing(1, "person", human_at), Thing(2, name, thing_at)]
    return smoothed(frames(times(30, seconds), things, [Pair(1, 2, always(hold=0.6))]))


def struck(ball_at, name="sports_ball", seconds=2.5):
    things = [Thing(1, "person", still()), Thing(2, name, ball_at)]
    return smoothed(frames(times(30, seconds), things, [Pair(1, 2, always())]))


def test_a_phone_lying_beside_a_hand_is_not_held() -> None:
    assert segments(held(still(HAND), still(), name="cell_phone")) == []


def test_a_cup_that_moves_with_the_human_is_held() -> None:
    results = held(lambda t: moved(HAND, 60 * t), lambda t: moved(HUMAN_BOX, 60 * t))
    ((begin, end),) = spans(results, "hold")
    assert begin < 1.0
    assert end == pytest.approx(results[-1].frame.pts_seconds)


def test_a_cup_carried_and_then_held_still_for_a_second_stays_held() -> None:
    results = held(lambda t: moved(HAND, 60 * min(t, 3.0)), lambda t: moved(HUMAN_BOX, 60 * min(t, 3.0)), seconds=4.0)
    ((_, end),) = spans(results, "hold")
    assert end == pytest.approx(results[-1].frame.pts_seconds)


def test_a_cup_left_behind_is_released() -> None:
    def human(t):
        return moved(HUMAN_BOX, 60 * min(t, 3.0) - 200 * max(0.0, t - 3.0))

    results = held(lambda t: moved(HAND, 60 * min(t, 3.0)), human, seconds=6.0)
    ((_, end),) = spans(results, "hold")
    apart = 3.0 + (10 + CONFIG.motion.contact_gap_sizes * 40) / 200  # 10 px of overlap, then the gap that still counts
    assert 3.0 - CONFIG.tau_seconds <= end <= apart + CONFIG.bridge_seconds + CONFIG.tau_seconds


def test_a_bed_the_human_rests_on_needs_no_motion() -> None:
    things = [Thing(1, "person", still()), Thing(2, "bed", still((50, 300, 400, 450)))]
    results = smoothed(frames(times(30, 2), things, [Pair(1, 2, always(lie_on=0.8))]))
    assert len(spans(results, "lie_on")) == 1


def kicked_ball(t):
    """Rolls in at 400 px/s, touches the foot at 1 s, leaves at 900 px/s."""
    return centred(210 + (-400 * (t - 1) if t < 1 else 900 * (t - 1)), 380, 30)


@pytest.mark.parametrize("name", ["sports_ball", "frisbee", "apple"])
def test_a_kick_is_one_short_event_near_the_contact_whatever_round_thing_was_seen(name) -> None:
    (segment,) = segments(struck(kicked_ball, name))
    assert (segment.verb, segment.object_class, segment.kind) == ("kick", "sports_ball", "event")
    assert segment.begin_seconds - 0.05 <= 1.0 <= segment.end_seconds + 0.05
    assert segment.end_seconds - segment.begin_seconds == pytest.approx(2 * CONFIG.impact.half_span_seconds)
    assert 0.5 <= segment.score < 1


def test_a_kick_is_known_within_the_windows_it_needs() -> None:
    begin = next(e for e in events(struck(kicked_ball)) if e.phase is Phase.BEGIN)
    assert begin.delay_seconds == pytest.approx(begin.decided_seconds - 1.0, abs=0.05)
    assert begin.delay_seconds <= 2 * CONFIG.impact.half_window_seconds + 2 / 30


def test_gravity_alone_is_no_impact() -> None:
    flight = struck(lambda t: centred(150 + 200 * (t - 1), 150 + 0.5 * GRAVITY_PX * (t - 1) ** 2, 30))
    assert segments(flight) == []


def test_a_kick_far_from_the_human_is_nobodys() -> None:
    assert segments(struck(lambda t: moved(kicked_ball(t), 400))) == []


def test_a_ball_that_leaves_the_hand_is_thrown() -> None:
    (segment,) = segments(struck(lambda t: centred(190 + 900 * max(0.0, t - 1), 180, 30)))
    assert (segment.verb, segment.kind) == ("throw", "event")
    assert segment.begin_seconds - 0.05 <= 1.0 <= segment.end_seconds + 0.05


def test_a_ball_that_comes_to_rest_in_the_hand_is_caught() -> None:
    found = segments(struck(lambda t: centred(190 + 900 * max(0.0, 1 - t), 180, 30)))
    (segment,) = [s for s in found if s.kind == "event"]
    assert segment.verb == "catch"
    assert {s.verb for s in found} <= {"catch", "hold"}, "what was caught may be held"
    assert segment.begin_seconds - 0.05 <= 1.0 <= segment.end_seconds + 0.05


def test_a_panning_camera_moves_nothing() -> None:
    """A phone on a table, seen by a camera that turns: it moves with everything else, and is not held."""
    pan = 120.0
    things = [
        Thing(1, "person", lambda t: moved(HUMAN_BOX, pan * t)),
        Thing(2, "cell_phone", lambda t: moved(HAND, pan * t)),
        Thing(3, "chair", lambda t: moved((600, 300, 700, 400), pan * t)),
    ]
    results = smoothed(frames(times(30, 4), things, [Pair(1, 2, always(hold=0.6))]))
    assert spans(results, "hold") == []


def test_verbs_that_the_object_does_not_allow_are_never_reported() -> None:
    things = [Thing(1, "person", still()), Thing(2, "chair", still((150, 250, 260, 400)))]
    ride = WORDS.verb_id("ride")
    results = smoothed(frames(times(30, 2), things, [Pair(1, 2, always(ride=0.9, sit_on=0.7))]))
    assert {s.verb for s in segments(results)} == {"sit_on"}
    assert not any(np.any(r.interactions.verb_scores[:, ride]) for r in results)
