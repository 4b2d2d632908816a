"""When interactions begin and end, and what is never reported."""

import math
from dataclasses import replace

import numpy as np
import pytest
from smooth_scenes import LIVE, Pair, Thing, events, frames, ridden, segments, smoothed, spans, step, still, times

from videohoi.smooth.config import SmoothingConfig
from videohoi.structures import Phase

OFFLINE = SmoothingConfig()
RATE_HZ = 30.0
STEP = 1 / RATE_HZ
RIDE = step("ride", 0.9, 1.0, 3.0)
BOTH = pytest.mark.parametrize("config", [OFFLINE, LIVE], ids=["offline", "live"])


def ridden_frames(scores_at, at=None):
    return frames(times(RATE_HZ, 5) if at is None else at, *ridden(scores_at))


def test_begin_and_end_lie_within_a_frame_of_the_truth_when_thresholds_are_half_the_level() -> None:
    """A step filtered from both sides passes half its height at the step: no delay is left."""
    config = replace(OFFLINE, on_threshold=0.45, off_threshold=0.45, lookahead_seconds=0.75)
    ((begin, end),) = spans(smoothed(ridden_frames(RIDE), config), "ride")
    assert begin == pytest.approx(1.0, abs=STEP + 1e-9)
    assert end == pytest.approx(3.0, abs=STEP + 1e-9)


def test_by_default_begin_is_within_a_frame_and_end_later_by_what_the_lower_threshold_costs() -> None:
    ((begin, end),) = spans(smoothed(ridden_frames(RIDE)), "ride")
    assert begin == pytest.approx(1.0, abs=STEP + 1e-9)
    late = OFFLINE.tau_seconds * math.log(0.9 / (2 * OFFLINE.off_threshold))  # level / 2 * exp(-late / tau) = off
    middle = 3.0 - STEP / 2  # of the last frame that holds and the first that does not
    assert end == pytest.approx(middle + late, abs=STEP + 1e-9)


def test_without_lookahead_begin_is_later_by_a_bounded_delay_that_the_event_states() -> None:
    results = smoothed(ridden_frames(RIDE), LIVE)
    begin = next(e for e in events(results) if e.phase is Phase.BEGIN)
    rise = LIVE.tau_seconds * math.log(1 / (1 - LIVE.on_threshold / 0.9))  # 1 - exp(-rise / tau) = on / level
    assert 1.0 <= begin.begin_seconds <= 1.0 + rise + STEP
    assert begin.delay_seconds == pytest.approx(begin.decided_seconds - begin.begin_seconds)
    assert LIVE.confirm_seconds - 1e-9 <= begin.delay_seconds <= LIVE.confirm_seconds + STEP + 1e-9
    assert begin.decided_seconds == results[begin.frame_index].frame.pts_seconds


def test_with_lookahead_the_delay_of_a_decision_includes_it() -> None:
    begin = next(e for e in events(smoothed(ridden_frames(RIDE))) if e.phase is Phase.BEGIN)
    least = OFFLINE.lookahead_seconds + max(OFFLINE.confirm_seconds, OFFLINE.min_seconds)
    assert least - 1e-9 <= begin.delay_seconds <= least + 2 * STEP


@BOTH
@pytest.mark.parametrize("hold", [0.0, 0.4])
def test_a_state_begins_with_the_first_sight_of_both_and_ends_by_the_hold_after_the_last(config, hold) -> None:
    config = replace(config, hold_occluded_seconds=hold)
    scene = ridden_frames(lambda pts: {"ride": 0.9} if 1.0 <= pts < 3.0 else None)
    ((begin, end),) = spans(smoothed(scene, config), "ride")
    assert begin == 1.0
    assert end == pytest.approx(3.0 - STEP + hold)


def test_an_end_is_held_no_longer_than_the_scores_before_it_speak_for_it() -> None:
    """The score falls under the threshold before the object is hidden: nothing is held."""
    scene = ridden_frames(lambda pts: {"ride": 0.9 if pts < 2.0 else 0.0} if 1.0 <= pts < 3.0 else None)
    ((_, end),) = spans(smoothed(scene, replace(OFFLINE, hold_occluded_seconds=0.5)), "ride")
    assert 2.0 - STEP <= end < 2.5


@pytest.mark.parametrize("looks_ahead", [True, False])
def test_a_state_may_begin_while_a_box_is_hidden_between_two_sights(looks_ahead) -> None:
    """Weak before the box is hidden and sure after it: offline the state begins in between, live with the sight."""
    config = replace(OFFLINE if looks_ahead else LIVE, tau_seconds=0.1)

    def scores(pts):
        return None if 1.2 <= pts < 1.4 or pts >= 3.0 else {"ride": 0.05 if pts < 1.3 else 0.9}

    scene = ridden_frames(scores)
    ((begin, _),) = spans(smoothed(scene, config), "ride")
    assert 1.2 <= begin < 1.4 if looks_ahead else begin >= 1.4


@pytest.mark.parametrize("rate_hz", [10.0, 30.0, 60.0])
@pytest.mark.parametrize("count", [1, 2])
@BOTH
def test_two_frames_are_no_state_however_sure_they_are(config, count, rate_hz) -> None:
    """At 10 Hz two frames lie 0.1 s apart: seen for less than the least of 0.2 s."""
    at = times(rate_hz, 5)
    begin = round(2 * rate_hz)
    shown = set(at[begin : begin + count])
    results = smoothed(ridden_frames(lambda pts: {"ride": 1.0} if pts in shown else None, at), config)
    assert segments(results) == []


@BOTH
def test_two_glimpses_far_apart_are_not_seen_for_as_long_as_they_are_apart(config) -> None:
    shown = set(times(RATE_HZ, 5)[60:62]) | set(times(RATE_HZ, 5)[90:92])
    results = smoothed(ridden_frames(lambda pts: {"ride": 1.0} if pts in shown else None), config)
    assert segments(results) == []


def test_the_least_is_measured_on_what_was_seen() -> None:
    seen = OFFLINE.min_seconds + 2 * STEP
    for hidden, told in ((0.0, 1), (0.5, 1)):

        def scores(pts, hidden=hidden):
            visible = 1.0 <= pts < 1.0 + seen / 2 or 1.0 + seen / 2 + hidden <= pts < 1.0 + seen + hidden
            return {"ride": 0.9} if visible else None

        assert len(spans(smoothed(ridden_frames(scores)), "ride")) == told


def test_a_pair_seen_in_every_other_frame_is_seen() -> None:
    at = times(RATE_HZ, 5)
    results = smoothed(ridden_frames(lambda pts: {"ride": 0.9} if at.index(pts) % 2 == 0 else None, at))
    assert spans(results, "ride") == [(0.0, at[-1])]


@BOTH
@pytest.mark.parametrize(("hidden", "count"), [(-0.1, 1), (0.2, 2)])
def test_a_pair_hidden_for_no_longer_than_hold_unseen_goes_on(config, hidden, count) -> None:
    until = 1.0 + config.hold_unseen_seconds + hidden

    def scores(pts):
        return None if 1.0 <= pts < until else {"ride": 0.9 if pts < 3.5 else 0.0}

    found = spans(smoothed(ridden_frames(scores), config), "ride")
    assert len(found) == count
    if count == 2:
        assert found[0][1] == pytest.approx(1.0 - STEP + config.hold_occluded_seconds)
        assert until <= found[1][0] <= until + STEP


def test_a_pair_that_returns_from_hiding_with_a_low_score_is_bridged_like_any_other() -> None:
    def scores(pts):
        return None if 1.0 <= pts < 1.8 else {"ride": 0.0 if 1.8 <= pts < 2.0 else 0.9}

    config = replace(OFFLINE, tau_seconds=0.02)
    assert len(spans(smoothed(ridden_frames(scores), config), "ride")) == 1


@BOTH
def test_a_short_drop_out_is_bridged_and_a_long_one_splits(config) -> None:
    short = step("ride", 0.9, 0.0, 4.0, (2.0, 2.0 + config.bridge_seconds - 0.1))
    long = step("ride", 0.9, 0.0, 4.0, (1.5, 1.5 + config.bridge_seconds + 4 * config.tau_seconds))
    assert len(spans(smoothed(ridden_frames(short), config), "ride")) == 1
    assert len(spans(smoothed(ridden_frames(long), config), "ride")) == 2


def test_a_blip_is_filtered_away() -> None:
    assert events(smoothed(ridden_frames(step("ride", 0.9, 2.0, 2.1)))) == []


def test_what_was_announced_but_stays_shorter_than_the_least_is_retracted() -> None:
    config = replace(LIVE, tau_seconds=0.02, min_seconds=0.5)
    results = smoothed(ridden_frames(step("ride", 0.9, 2.0, 2.3)), config)
    begin, retract = events(results)
    assert (begin.phase, retract.phase) == (Phase.BEGIN, Phase.RETRACT)
    assert begin.interaction_id == retract.interaction_id
    assert retract.delay_seconds == pytest.approx(retract.decided_seconds - retract.end_seconds)
    assert segments(results) == []


def test_updates_come_at_their_period() -> None:
    found = events(smoothed(ridden_frames(step("ride", 0.9, 0.0, 5.0))))
    assert [e.phase for e in found] == [Phase.BEGIN, *[Phase.UPDATE] * 4, Phase.END]
    apart = np.diff([e.frame_index for e in found[:-1]]) / RATE_HZ
    np.testing.assert_allclose(apart, OFFLINE.update_seconds, atol=STEP + 1e-9)


@BOTH
def test_the_sampling_rate_does_not_move_begin_and_end(config) -> None:
    rng = np.random.default_rng(3)
    irregular = np.cumsum(rng.uniform(0.02, 0.08, 100)).tolist()
    found = [spans(smoothed(ridden_frames(RIDE, at), config), "ride") for at in (times(10, 5), times(30, 5), irregular)]
    assert [len(one) for one in found] == [1, 1, 1]
    slow, fast, uneven = (np.array(one[0]) for one in found)
    # each time is known to a sample; the past-only filter also counts the newest sample in full: a sample of both rates
    finest = 0.0 if config.lookahead_seconds else STEP
    np.testing.assert_allclose(slow, fast, rtol=0, atol=0.1 + finest + 1e-9)
    np.testing.assert_allclose(uneven, fast, rtol=0, atol=0.08 + finest + 1e-9)


def test_the_segments_score_is_the_mean_and_peak_of_what_was_smoothed() -> None:
    (segment,) = segments(smoothed(ridden_frames(step("ride", 0.8, -1.0, 9.0))))
    assert segment.score == pytest.approx(0.8, abs=1e-6)
    assert segment.peak_score == pytest.approx(0.8, abs=1e-6)


def test_smoothing_off_reports_each_frames_thresholded_score() -> None:
    blips = {10, 11, 40}
    scores = {index / RATE_HZ: 0.9 if index in blips else 0.39 for index in range(60)}
    results = smoothed(ridden_frames(lambda pts: {"ride": scores[pts]}, list(scores)), replace(OFFLINE, enabled=False))
    assert [r.frame.index for r in results if r.interactions.active.any()] == sorted(blips)
    assert spans(results, "ride") == [(10 / RATE_HZ, 11 / RATE_HZ), (40 / RATE_HZ, 40 / RATE_HZ)]
    shown = [float(r.interactions.verb_scores.max()) for r in results]
    np.testing.assert_allclose(shown, list(scores.values()), atol=1e-6)
    assert all(e.delay_seconds == 0 for e in events(results) if e.phase is Phase.BEGIN)


def test_smoothing_off_asks_neither_motion_nor_exclusion_nor_impacts() -> None:
    things = [Thing(1, "person", still())]
    things += [Thing(2, "skateboard", still((90, 380, 210, 420))), Thing(3, "snowboard", still((90, 380, 215, 420)))]
    things += [Thing(4, "cell_phone", still((190, 230, 230, 270)))]
    pairs = [
        Pair(1, 2, lambda t: {"ride": 0.9}),
        Pair(1, 3, lambda t: {"ride": 0.6}),
        Pair(1, 4, lambda t: {"hold": 0.6}),
    ]
    items = frames(times(RATE_HZ, 2), things, pairs)
    off = smoothed(items, replace(OFFLINE, enabled=False))
    active = {(int(h), int(o)) for r in off for h, o, a in _rows(r) if a.any()}
    assert active == {(1, 2), (1, 3), (1, 4)}
    assert {(s.human_id, s.object_id) for s in segments(smoothed(items))} == {(1, 2)}


def _rows(result):
    found = result.interactions
    return zip(found.human_ids, found.object_ids, found.active, strict=True)
