"""A source that falls silent, or whose clock runs backwards."""

from dataclasses import replace

import numpy as np
import pytest
from smooth_scenes import LIVE, events, frames, ridden, segments, smoothed, spans, step, times

from videohoi.sink.segment_builder import SegmentBuilder
from videohoi.smooth.config import MOMENTARY_VERBS, SmoothingConfig
from videohoi.structures import Phase

OFFLINE = SmoothingConfig()
BOTH = pytest.mark.parametrize("config", [OFFLINE, LIVE], ids=["offline", "live"])


def always(pts):
    return {"ride": 0.9}


def with_silence(seconds, before=2.0, after=2.0, rate_hz=30.0):
    first = times(rate_hz, before)
    return first + [first[-1] + seconds + pts for pts in times(rate_hz, after)]


@BOTH
def test_a_silence_ends_what_was_on_and_is_told(config) -> None:
    at = with_silence(10.0)
    results = smoothed(frames(at, *ridden(always)), config)
    told = [e.phase for e in events(results) if e.phase is not Phase.UPDATE]
    assert told[:4] == [Phase.BEGIN, Phase.END, Phase.GAP, Phase.BEGIN]
    begin, end, gap, again = [e for e in events(results) if e.phase is not Phase.UPDATE][:4]
    assert end.end_seconds == at[59]
    assert (gap.begin_seconds, gap.end_seconds, gap.frame_index) == (at[59], at[60], 60)
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
def test_a_gap_is_told_when_nothing_was_on(config) -> None:
    found = events(smoothed(frames(with_silence(4.0), [], []), config))
    assert [e.phase for e in found] == [Phase.GAP]


@BOTH
def test_a_clock_that_runs_backwards_is_a_gap(config) -> None:
    at = [*(10 + t for t in times(30, 2)), *times(30, 2)]
    results = smoothed(frames(at, *ridden(always)), config)
    (gap,) = [e for e in events(results) if e.phase is Phase.GAP]
    assert (gap.begin_seconds, gap.end_seconds) == (at[59], 0.0)
    assert all(e.delay_seconds >= 0 and e.end_seconds >= e.begin_seconds for e in events(results) if e is not gap)
    assert spans(results, "ride")[-1] == pytest.approx((10.0, at[59]))


@BOTH
def test_what_was_announced_too_shortly_before_a_gap_is_retracted(config) -> None:
    config = replace(config, min_seconds=1.0)
    results = smoothed(frames(with_silence(10.0, before=0.5), *ridden(always)), config)
    told = [e.phase for e in events(results) if e.phase is not Phase.UPDATE]
    assert told[:3] == [Phase.BEGIN, Phase.RETRACT, Phase.GAP]


@BOTH
def test_segments_are_built_from_events_with_gaps_among_them(config) -> None:
    results = smoothed(frames(with_silence(10.0), *ridden(step("ride", 0.9, 0.0, 13.0))), config)
    built = SegmentBuilder(MOMENTARY_VERBS).feed(events(results))
    assert any(e.phase is Phase.GAP for e in events(results))
    assert built == segments(results)
    assert len(built) == 2


def test_a_first_frame_late_in_time_is_no_gap() -> None:
    assert not any(e.phase is Phase.GAP for e in events(smoothed(frames([1e6, 1e6 + 0.1], *ridden(always)))))
