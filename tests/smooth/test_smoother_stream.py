"""The stage as a part of a stream: every frame once, memory, determinism, agreement of what it says."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smooth_scenes import (
    INFO,
    LIVE,
    WORDS,
    Pair,
    Thing,
    events,
    frames,
    opened,
    ridden,
    segments,
    smoothed,
    still,
    times,
)

from videohoi.smooth.config import SmoothingConfig
from videohoi.structures import Phase

OFFLINE = SmoothingConfig()
BOTH = pytest.mark.parametrize("config", [OFFLINE, LIVE], ids=["offline", "live"])
RIDE = WORDS.verb_id("ride")


def always(pts):
    return {"ride": 0.9}


# every frame once


@settings(deadline=None, max_examples=30)
@given(
    steps=st.lists(st.floats(-1.0, 4.0), max_size=40),
    lookahead=st.sampled_from([0.0, 0.2, 0.5, 5.0]),
    enabled=st.booleans(),
)
def test_every_frame_comes_out_once_and_in_order_whatever_its_time(steps, lookahead, enabled) -> None:
    items = frames(np.cumsum(steps).tolist(), *ridden(always))
    results = smoothed(items, replace(OFFLINE, lookahead_seconds=lookahead, enabled=enabled))
    assert [r.frame for r in results] == [item.frame for item in items]
    assert all(r.interactions is not None for r in results)


def waits(scores_at, config, at=None):
    """Seconds that each frame waited before it left."""
    smoother, waited = opened(config), []
    for item in frames(at or times(10, 6), *ridden(scores_at)):
        waited += [item.frame.pts_seconds - result.frame.pts_seconds for result in smoother.process(item)]
    return waited


@pytest.mark.parametrize("scores_at", [always, lambda pts: {"ride": 0.9} if 1 <= pts < 3 else None])
def test_live_no_frame_waits(scores_at) -> None:
    assert waits(scores_at, LIVE) == [0.0] * 60


def test_offline_a_frame_waits_for_the_lookahead_and_for_what_is_undecided() -> None:
    most = OFFLINE.lookahead_seconds + OFFLINE.hold_unseen_seconds - OFFLINE.hold_occluded_seconds
    waited = waits(lambda pts: {"ride": 0.9} if 1 <= pts < 3 else None, OFFLINE)
    assert min(waited) == pytest.approx(OFFLINE.lookahead_seconds)
    assert most - 0.2 <= max(waited) <= most + 0.1 + 1e-9
    quiet = waits(lambda pts: {"ride": 0.1}, OFFLINE)
    assert quiet == pytest.approx([OFFLINE.lookahead_seconds] * len(quiet))


def test_pictures_that_would_take_too_much_memory_do_not_wait_and_stay_true(monkeypatch) -> None:
    monkeypatch.setattr("videohoi.smooth.reports.HELD_BYTES", 3 * 5)  # five pictures of one pixel
    hidden = ridden(lambda pts: None if 2 <= pts < 3.1 else {"ride": 0.9})
    items = frames(times(10, 6), *hidden)
    smoother, results = opened(), []
    for item in items:
        results += smoother.process(item)
        assert len(smoother._waiting) + len(smoother._final._held) <= 5 + 6
    results += smoother.drain()
    assert len([s for s in segments(results) if s.verb == "ride"]) == 2, "the interruption is not bridged"
    assert_true_to_segments(results)
    (note,) = smoother.notes
    assert re.fullmatch(r"smooth: \d+ frames? (was|were) decided before all states were final.*", note)
    assert not opened().notes


def test_frames_without_scores_or_tracks_pass() -> None:
    bare = [replace(item, pair_scores=None) for item in frames(times(10, 1), [], [])]
    results = smoothed(bare)
    assert [r.frame.index for r in results] == list(range(10))
    assert all(len(r.interactions) == 0 and r.events == () for r in results)


def test_unconfirmed_rows_take_no_part() -> None:
    things = [Thing(-1, "person", still()), Thing(2, "skateboard", still((90, 380, 210, 420)))]
    assert all(len(r.interactions) == 0 for r in smoothed(frames(times(10, 1), things, [Pair(-1, 2, always)])))


# what is said agrees


def assert_true_to_segments(results) -> None:
    """What is active in each frame is what the final segments say of its time, and events go with their frames."""
    final = segments(results)
    for result in results:
        pts, found = result.frame.pts_seconds, result.interactions
        shown = {
            (int(found.human_ids[row]), int(found.object_ids[row]), WORDS.verbs[verb],
             WORDS.objects[found.object_class_ids[row]])
            for row, verb in np.argwhere(found.active)
        }  # fmt: skip
        said = {
            (s.human_id, s.object_id, s.verb, s.object_class) for s in final if s.begin_seconds <= pts <= s.end_seconds
        }
        assert shown == said, f"at {pts}"
    order = [result.frame.pts_seconds for result in results]
    for event in events(results):
        told = order[[result.frame.index for result in results].index(event.frame_index)]
        if event.phase is Phase.BEGIN:
            assert told == min(pts for pts in order if pts >= event.begin_seconds)
        if event.phase is Phase.END:
            assert told == min([pts for pts in order if pts > event.end_seconds] or [order[-1]])


score = st.one_of(st.none(), st.floats(0, 1))


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(st.tuples(score, score, st.floats(0, 1)), min_size=1, max_size=60),
    rate_hz=st.sampled_from([5.0, 10.0, 30.0]),
    config=st.sampled_from([OFFLINE, LIVE, replace(OFFLINE, enabled=False)]),
)
def test_each_interactions_events_follow_begin_update_and_one_close(rows, rate_hz, config) -> None:
    found = events(smoothed(_random_scene(rows, rate_hz), config))
    by_id = {}
    for event in found:
        by_id.setdefault(event.interaction_id, []).append(event)
    for told in by_id.values():
        phases = [event.phase for event in told]
        assert phases[0] is Phase.BEGIN
        assert Phase.RETRACT not in phases or config.lookahead_seconds == 0 or not config.enabled
        assert all(phase is Phase.UPDATE for phase in phases[1:-1])
        assert len(phases) == 1 or phases[-1] in (Phase.UPDATE, Phase.END, Phase.RETRACT)
        if config.enabled and config.lookahead_seconds > 0:
            assert phases[-1] in (Phase.END, Phase.RETRACT), "nothing stays open after drain"
        assert len({(e.human_id, e.object_id, e.verb, e.begin_seconds) for e in told}) == 1
        assert all(e.begin_seconds <= e.end_seconds for e in told)
        assert [e.frame_index for e in told] == sorted(e.frame_index for e in told)


def _random_scene(rows, rate_hz):
    table = {index / rate_hz: row for index, row in enumerate(rows)}

    def column(verb, which):
        return lambda pts: None if table[pts][which] is None else {verb: table[pts][which], "stand_on": table[pts][2]}

    things = [Thing(1, "person", still()), Thing(2, "skateboard", still((90, 380, 210, 420)))]
    things.append(Thing(3, "bench", still((80, 380, 300, 450))))
    pairs = [Pair(1, 2, column("ride", 0)), Pair(1, 3, column("sit_on", 1))]
    return frames(list(table), things, pairs)


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(st.tuples(score, score, st.floats(0, 1)), min_size=1, max_size=60),
    rate_hz=st.sampled_from([5.0, 10.0, 30.0]),
)
def test_offline_every_frame_shows_the_final_segments(rows, rate_hz) -> None:
    assert_true_to_segments(smoothed(_random_scene(rows, rate_hz), OFFLINE))


def test_offline_a_crowd_and_its_kicks_are_shown_as_they_are_told() -> None:
    assert_true_to_segments(smoothed(frames(*crowd())))


def test_the_last_frame_of_a_stream_still_shows_what_is_on() -> None:
    last = smoothed(frames(times(30, 2), *ridden(always)))[-1]
    assert last.interactions.active[0, RIDE]
    assert last.events[-1].phase is Phase.END


@BOTH
def test_a_pairs_age_counts_from_when_it_was_first_seen(config) -> None:
    results = smoothed(frames(times(30, 3), *ridden(lambda t: {"ride": 0.9} if t >= 1 else None)), config)
    for result in results:
        for age, seen in zip(result.interactions.age_seconds, result.interactions.observed, strict=True):
            assert age == pytest.approx(max(0.0, result.frame.pts_seconds - 1.0), abs=1e-6)
            assert bool(seen) is (result.frame.pts_seconds >= 1)


def test_a_pair_whose_object_is_hidden_is_shown_as_unobserved() -> None:
    results = smoothed(frames(times(30, 3), *ridden(lambda t: None if 1 <= t < 1.3 else {"ride": 0.9})))
    for result in results:
        hidden = 1 <= result.frame.pts_seconds < 1.3
        assert bool(result.interactions.observed[0]) is not hidden
        assert result.interactions.active[0, RIDE]


# order, repetition, memory


def crowd(seconds=3.0, rate_hz=15.0):
    rng = np.random.default_rng(0)
    things, pairs = [], []
    for human in range(3):
        left = 100 + 300.0 * human
        things.append(Thing(human, "person", lambda t, x=left: (x + 20 * t, 100, x + 100 + 20 * t, 400)))
    for offset, name in enumerate(["cup", "skateboard", "snowboard", "bicycle", "sports_ball"]):
        x, speed = rng.uniform(100, 800), rng.uniform(-200, 200)
        things.append(Thing(10 + offset, name, lambda t, x=x, v=speed: (x + v * t, 330, x + 60 + v * t, 400)))
        for human in range(3):
            verbs = {"hold": rng.uniform(0, 1), "ride": rng.uniform(0, 1), "stand_on": rng.uniform(0, 1)}
            pairs.append(Pair(human, 10 + offset, lambda t, verbs=verbs: verbs))
    return times(rate_hz, seconds), things, pairs


@settings(deadline=None, max_examples=8)
@given(shuffle=st.randoms(use_true_random=False))
def test_the_order_of_rows_and_pairs_changes_nothing(shuffle) -> None:
    at, things, pairs = crowd()
    straight = smoothed(frames(at, things, pairs))
    mixed = smoothed(frames(at, things, pairs, order=lambda rows: shuffle.sample(rows, len(rows))))
    assert events(straight)
    assert events(mixed) == events(straight)
    for one, other in zip(straight, mixed, strict=True):
        np.testing.assert_array_equal(one.interactions.human_ids, other.interactions.human_ids)
        np.testing.assert_array_equal(one.interactions.verb_scores, other.interactions.verb_scores)


@BOTH
def test_the_same_frames_give_the_same_results_twice(config) -> None:
    items = frames(*crowd())
    smoother = opened(config)
    first = [r for item in items for r in smoother.process(item)] + list(smoother.drain())
    smoother.open(INFO)
    again = [r for item in items for r in smoother.process(item)] + list(smoother.drain())
    assert events(smoothed(items, config)) == events(first)
    assert segments(again) == segments(first)
    ids = {e.interaction_id for e in events(first)}
    assert ids.isdisjoint(e.interaction_id for e in events(again)), "ids of one smoother never return"


def test_reset_forgets_what_waits_and_what_is_on() -> None:
    smoother = opened()
    for item in frames(times(30, 2), *ridden(always)):
        list(smoother.process(item))
    smoother.reset()
    assert list(smoother.drain()) == []


@pytest.mark.parametrize("told", [True, False], ids=["tracks-end", "tracks-just-vanish"])
@BOTH
def test_memory_stays_bounded_over_thousands_of_short_lived_tracks(config, told) -> None:
    rate_hz, count, life = 15.0, 2400, 10  # frames; a human and a board are born every fifth frame
    items = []
    ended = ()
    for index in range(count):
        born = range(max(0, (index - life) // 5 + 1), index // 5 + 1)
        things, pairs = [], []
        for k in born:
            things += [Thing(2 * k, "person", still()), Thing(2 * k + 1, "skateboard", still((90, 380, 210, 420)))]
            pairs.append(Pair(2 * k, 2 * k + 1, always))
        gone = (index - life) // 5 if told and index >= life and index % 5 == 0 else None
        ended = () if gone is None else (2 * gone, 2 * gone + 1)
        items.append((index / rate_hz, things, pairs, ended))
    smoother, most_pairs, most_tracks = opened(config), 0, 0
    for index, (pts, things, pairs, ended) in enumerate(items):
        item = frames([pts], things, pairs, ended={0: ended})[0]
        list(smoother.process(replace(item, frame=replace(item.frame, index=index))))
        most_pairs = max(most_pairs, len(smoother._table))
        most_tracks = max(most_tracks, len(smoother._tracks))
    births_per_second = rate_hz / 5
    kept = config.hold_unseen_seconds * 2 + config.lookahead_seconds * 2 + 6 * config.tau_seconds + life / rate_hz
    assert most_pairs <= births_per_second * kept + 3
    assert most_tracks <= 2 * (births_per_second * (2.0 + life / rate_hz) + 3)


def test_memory_stays_bounded_for_one_pair_that_lasts() -> None:
    smoother = opened()
    for item in frames(times(30, 60), *ridden(always)):
        list(smoother.process(item))
    assert len(smoother._table) == 1
    assert len(smoother._table.scores) <= 30 * 3.5
    assert smoother._tracks.frame_count <= 30 * 2
    assert len(smoother._waiting) <= 30 * OFFLINE.lookahead_seconds + 1
    assert len(smoother._final._held) == 0
