"""The timeline of the overlay: its bars are the segments that the events tell."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.sink.timeline import Timeline
from videohoi.structures import GapReason, InteractionEvent, Phase


def event(
    phase, human_id=1, verb="hold", begin_seconds=0.0, end_seconds=0.0, *, interaction_id=None, object_class="ball",
    reason=None,
):  # fmt: skip
    """Each human has one interaction a verb unless ``interaction_id`` says otherwise."""
    return InteractionEvent(
        interaction_id=100 + human_id if interaction_id is None else interaction_id, phase=Phase(phase),
        source_id="clip.mp4", frame_index=0, decided_seconds=end_seconds, human_id=human_id, object_id=9,
        object_class=object_class, verb=verb, begin_seconds=begin_seconds, end_seconds=end_seconds, peak_score=0.9,
        mean_score=0.8, delay_seconds=0.0, reason=reason,
    )  # fmt: skip


def bars(lane):
    return [(bar.begin_seconds, bar.end_seconds) for bar in lane.bars.values()]


def shown(timeline):
    return [None if lane is None else (lane.key.human_id, lane.key.verb) for lane in timeline.slots]


def test_bars_follow_the_events():
    timeline = Timeline(10.0, 2)
    timeline.feed(0.0, [event("begin", interaction_id=1)])
    timeline.feed(0.5, [event("begin", verb="kick", begin_seconds=0.5, end_seconds=0.5, interaction_id=3)])
    timeline.feed(1.0, [event("end", interaction_id=1, end_seconds=0.5)])
    timeline.feed(1.5, [event("begin", begin_seconds=1.5, end_seconds=1.5, interaction_id=2)])
    hold, kick = timeline.slots
    assert bars(hold) == [(0.0, 0.5), (1.5, 1.5)]
    assert bars(kick) == [(0.5, 1.5)]
    assert (hold.active, kick.active, timeline.hidden_count) == (True, True, 0)


def test_an_end_corrects_what_was_drawn_too_long():
    """Live, the end is known only some time after it."""
    timeline = Timeline(10.0, 1)
    timeline.feed(1.0, [event("begin", begin_seconds=0.8, end_seconds=1.0)])
    timeline.feed(2.0, [])
    assert bars(timeline.slots[0]) == [(0.8, 2.0)]
    timeline.feed(2.4, [event("end", begin_seconds=0.7, end_seconds=1.9)])
    assert bars(timeline.slots[0]) == [(0.7, 1.9)]
    assert not timeline.slots[0].active


def test_what_is_retracted_disappears_and_leaves_the_rest():
    timeline = Timeline(10.0, 2)
    timeline.feed(0.0, [event("begin", interaction_id=1), event("begin", verb="kick", interaction_id=2)])
    timeline.feed(0.4, [event("end", end_seconds=0.3, interaction_id=1)])
    timeline.feed(0.5, [event("begin", begin_seconds=0.5, interaction_id=3)])
    timeline.feed(0.6, [event("retract", verb="kick", interaction_id=2), event("retract", interaction_id=3)])
    assert shown(timeline) == [(1, "hold"), None]
    assert bars(timeline.slots[0]) == [(0.0, 0.3)]


def test_an_interaction_that_ends_under_another_class_has_that_class_only():
    timeline = Timeline(10.0, 2)
    timeline.feed(0.0, [event("begin", object_class="vase")])
    timeline.feed(1.0, [event("end", object_class="bottle", end_seconds=0.9)])
    assert [lane and lane.key.object_class for lane in timeline.slots] == ["bottle", None]


@pytest.mark.parametrize("reason", list(GapReason))
def test_gaps_are_marked_while_they_are_in_the_window(reason):
    timeline = Timeline(2.0, 1)
    timeline.feed(1.0, [event("gap", begin_seconds=0.9, end_seconds=1.0, interaction_id=-1, reason=reason)])
    timeline.feed(3.0, [])
    assert timeline.gaps_seconds == [1.0]
    assert timeline.slots == [None]
    timeline.feed(3.1, [])
    assert timeline.gaps_seconds == []


def test_a_lane_goes_when_its_last_bar_leaves_the_window():
    timeline = Timeline(2.0, 2)
    timeline.feed(0.0, [event("begin")])
    timeline.feed(1.0, [event("end", end_seconds=0.0)])
    timeline.feed(2.0, [])
    assert shown(timeline) == [(1, "hold"), None]
    timeline.feed(2.1, [])
    assert shown(timeline) == [None, None]


def test_lanes_keep_their_slot_and_the_rest_is_counted():
    timeline = Timeline(10.0, 2)
    timeline.feed(0.0, [event("begin", human_id, verb) for human_id, verb in enumerate("abcd", 1)])
    assert shown(timeline) == [(1, "a"), (2, "b")]
    assert timeline.hidden_count == 2
    timeline.feed(1.0, [event("end", 1, "a"), event("end", 4, "d")])
    assert shown(timeline) == [(3, "c"), (2, "b")]
    assert timeline.hidden_count == 2


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sets(st.integers(0, 6)), max_size=25), st.integers(0, 4))
def test_slots_never_hold_a_lane_twice_and_nothing_is_uncounted(steps, slot_count):
    timeline = Timeline(3.0, slot_count)
    before = set()
    for index, humans in enumerate(steps):
        now = index * 0.5
        begins = [event("begin", human, begin_seconds=now, end_seconds=now) for human in sorted(humans - before)]
        ends = [
            event("end", human, begin_seconds=now - 0.5, end_seconds=now - 0.5) for human in sorted(before - humans)
        ]
        timeline.feed(now, begins + ends)
        before = humans
        recent = set().union(*steps[max(0, index - 6) : index + 1])
        keys = [key for key in shown(timeline) if key is not None]
        assert len(keys) == len(set(keys)) <= slot_count
        assert len(keys) + timeline.hidden_count == len(recent)
        active_shown = sum(lane is not None and lane.active for lane in timeline.slots)
        assert active_shown == min(slot_count, len(humans))
