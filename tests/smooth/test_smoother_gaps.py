"""A source that falls silent, or whose clock runs backwards."""

from dataclasses import replace

import numpy as np
import pytest
from smooth_scenes import LIVE, WORDS, events, frames, ridden, segments, smoothed, spans, step, times

from videohoi.sink.segment_builder import SegmentBuilder
from videohoi.smooth.config import MOMENTARY_VERBS, SmoothingConfig
from videohoi.smooth.smoother import InteractionSmoother
from videohoi.structures import Discontinuity, GapReason, Phase, SourceInfo

OFFLINE = SmoothingConfig()
BOTH = pytest.mark.parametrize("config", [OFFLINE, LIVE], ids=["offline", "live"])


def always(pts):
    return {"ride": 0.9}


def with_silence(seconds, before=2.0, after=2.0, rate_hz=30.0):
    first = times(rate_hz, before)
    return first + [first[-1] + seconds + pts for pts in times(rate_hz, after)]


@BOTH
def test_a_silence_ends_what_was_on_and_is_reported(config) -> None:
    at = with_silence(10.0)
    results = smoothed(frames(at, *ridden(always)), config)
    told = [e.phase for e in events(results) if e.phase is not Phase.UPDATE]
    assert told[:4] == [Phase.BEGIN, Phase.END, Phase.GAP, Phase.BEGIN]
    begin, end, gap, again = [e for e in events(results) if e.phase is not Phase.UPDATE][:4]
    assert end.end_seconds == at[59]
    assert (gap.begin_seconds, gap.end_seconds, gap.frame_index) == (at[59], at[60], 60)
    assert gap.reason is GapReason.SILENCE
    assert (gap.interaction_id, gap.human_id, gap.object_id, gap.verb, gap.object_class) == (-1, -1, -1, "", "")
    assert begin.interaction_id != again.interaction_id
    assert again.begin_seconds == at[60]


@BOTH
def test_the_gap_goes_out_with_the_first_frame_after_it_and_before_that_frames_own_events(config) -> None:
    results = smoothed(frames(with_silence(10.0), *ridden(always)), config)
    assert results[60].events[-1 if config.lookahead_seconds == 0 else 0].phase is Phase.GAP
    assert sum(e.phase is Phase.GAP for e in events(results)) == 1


@BOTH
def test_a_gap_carries_no_score_motion_or_pair_across(config) -> None:
    whole = smoothed(frames(with_silence(10.0), *ridden(step("ride", 0.9, 0.0, 13.0))), config)
    fresh = smoothed(frames(with_silence(10.0)[60:], *ridden(step("ride", 0.9, 0.0, 13.0))), config)
    assert len(whole[60:]) == len(fresh)
    for late, new in zip(whole[60:], fresh, strict=True):
        np.testing.assert_array_equal(late.interactions.verb_scores, new.interactions.verb_scores)
        np.testing.assert_array_equal(late.interactions.active, new.interactions.active)
        np.testing.assert_array_equal(late.interactions.age_seconds, new.interactions.age_seconds)


@BOTH
def test_a_pause_that_is_no_gap_is_not_told(config) -> None:
    results = smoothed(frames(with_silence(2.9), *ridden(always)), config)
    assert not any(e.phase is Phase.GAP for e in events(results))


@BOTH
def test_a_gap_is_reported_when_nothing_was_on(config) -> None:
    found = events(smoothed(frames(with_silence(4.0), [], []), config))
    assert [e.phase for e in found] == [Phase.GAP]


@BOTH
def test_a_clock_that_runs_backwards_is_a_gap(config) -> None:
    at = [*(10 + t for t in times(30, 2)), *times(30, 2)]
    results = smoothed(frames(at, *ridden(always)), config)
    (gap,) = [e for e in events(results) if e.phase is Phase.GAP]
    assert (gap.begin_seconds, gap.end_seconds, gap.reason) == (at[59], 0.0, GapReason.CLOCK)
    assert all(e.delay_seconds >= 0 and e.end_seconds >= e.begin_seconds for e in events(results) if e is not gap)
    assert spans(results, "ride")[-1] == pytest.approx((10.0, at[59]))


@BOTH
def test_what_was_announced_too_shortly_before_a_gap_is_retracted(config) -> None:
    config = replace(config, min_seconds=1.0)
    results = smoothed(frames(with_silence(10.0, before=0.5), *ridden(always)), config)
    told = [e.phase for e in events(results) if e.phase is not Phase.UPDATE]
    announced = [Phase.BEGIN, Phase.RETRACT] if config.lookahead_seconds == 0 else []  # what waits is never announced
    assert told[: len(announced) + 1] == [*announced, Phase.GAP]


@BOTH
def test_segments_are_built_from_events_with_gaps_among_them(config) -> None:
    results = smoothed(frames(with_silence(10.0), *ridden(step("ride", 0.9, 0.0, 13.0))), config)
    built = SegmentBuilder(MOMENTARY_VERBS).feed(events(results))
    assert any(e.phase is Phase.GAP for e in events(results))
    assert built == segments(results)
    assert len(built) == 2


def test_a_first_frame_late_in_time_is_no_gap() -> None:
    assert not any(e.phase is Phase.GAP for e in events(smoothed(frames([1e6, 1e6 + 0.1], *ridden(always)))))


@BOTH
@pytest.mark.parametrize("reason", list(Discontinuity))
def test_a_frame_that_does_not_continue_the_one_before_is_a_gap(config, reason) -> None:
    items = frames(times(30, 4), *ridden(always))
    items[60] = replace(items[60], frame=replace(items[60].frame, discontinuity=reason))
    results = smoothed(items, config)
    (gap,) = [e for e in events(results) if e.phase is Phase.GAP]
    assert (gap.reason.value, gap.begin_seconds, gap.end_seconds) == (reason.value, 59 / 30, 2.0)
    first = next(e for e in events(results) if e.phase is Phase.END)
    again = [e for e in events(results) if e.phase is Phase.BEGIN][1]
    assert (first.begin_seconds, first.end_seconds, again.begin_seconds) == (0.0, 59 / 30, 2.0)


def test_a_mark_on_the_very_first_frame_follows_nothing() -> None:
    items = frames(times(30, 1), *ridden(always))
    items[0] = replace(items[0], frame=replace(items[0].frame, discontinuity=Discontinuity.SCENE_CUT))
    assert not any(e.phase is Phase.GAP for e in events(smoothed(items)))


@BOTH
@pytest.mark.parametrize("stated", [True, False], ids=["rate-stated", "rate-unknown"])
def test_frames_of_a_time_lapse_are_no_silence(config, stated) -> None:
    """A frame every 5 s; where the source does not state it, the first step is taken for a silence."""
    smoother = InteractionSmoother(WORDS, config)
    smoother.open(SourceInfo("lapse", 640, 360, 0.2 if stated else None, None, None))
    items = frames([5.0 * index for index in range(12)], *ridden(always))
    results = [result for item in items for result in smoother.process(item)] + list(smoother.drain())
    gaps = [e.begin_seconds for e in events(results) if e.phase is Phase.GAP]
    assert gaps == ([] if stated else [0.0])
    begins = [e.begin_seconds for e in events(results) if e.phase is Phase.BEGIN]
    assert begins == [0.0 if stated else 5.0]


def test_a_pair_missed_in_one_frame_of_a_time_lapse_goes_on() -> None:
    smoother = InteractionSmoother(WORDS, OFFLINE)
    smoother.open(SourceInfo("lapse", 640, 360, 0.2, None, None))
    scene = ridden(lambda pts: None if pts == 25.0 else {"ride": 0.9})
    items = frames([5.0 * index for index in range(12)], *scene)
    results = [result for item in items for result in smoother.process(item)] + list(smoother.drain())
    assert spans(results, "ride") == [(0.0, 55.0)]
