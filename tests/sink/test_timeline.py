from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.sink.frame_rows import ActivePair
from videohoi.sink.timeline import Timeline


def pair(human_id, *verbs):
    return ActivePair(human_id, 9, "ball", True, tuple((verb, 0.9) for verb in verbs))


def bars(lane):
    return [(bar.begin_seconds, bar.end_seconds) for bar in lane.bars]


def shown(timeline):
    return [None if lane is None else (lane.key.human_id, lane.key.verb) for lane in timeline.slots]


def test_bars_follow_what_is_on():
    timeline = Timeline(10.0, 2)
    for seconds, on in ((0.0, ["hold"]), (0.5, ["hold", "kick"]), (1.0, ["kick"]), (1.5, ["hold", "kick"])):
        timeline.feed(seconds, [pair(1, *on)])
    hold, kick = timeline.slots
    assert bars(hold) == [(0.0, 0.5), (1.5, 1.5)]
    assert bars(kick) == [(0.5, 1.5)]
    assert (hold.active, kick.active, timeline.hidden_count) == (True, True, 0)


def test_a_lane_goes_when_its_last_bar_leaves_the_window():
    timeline = Timeline(2.0, 2)
    timeline.feed(0.0, [pair(1, "hold")])
    timeline.feed(1.0, [])
    timeline.feed(2.0, [])
    assert shown(timeline) == [(1, "hold"), None]
    timeline.feed(2.1, [])
    assert shown(timeline) == [None, None]


def test_lanes_keep_their_slot_and_the_rest_is_counted():
    timeline = Timeline(10.0, 2)
    timeline.feed(0.0, [pair(1, "a"), pair(2, "b"), pair(3, "c"), pair(4, "d")])
    assert shown(timeline) == [(1, "a"), (2, "b")]
    assert timeline.hidden_count == 2
    timeline.feed(1.0, [pair(2, "b"), pair(3, "c")])
    assert shown(timeline) == [(3, "c"), (2, "b")]
    assert timeline.hidden_count == 2


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sets(st.integers(0, 6)), max_size=25), st.integers(0, 4))
def test_slots_never_hold_a_lane_twice_and_nothing_is_uncounted(steps, slot_count):
    timeline = Timeline(3.0, slot_count)
    for index, humans in enumerate(steps):
        timeline.feed(index * 0.5, [pair(human, "hold") for human in sorted(humans)])
        recent = set().union(*steps[max(0, index - 6) : index + 1])
        keys = [key for key in shown(timeline) if key is not None]
        assert len(keys) == len(set(keys)) <= slot_count
        assert len(keys) + timeline.hidden_count == len(recent)
        active_shown = sum(lane is not None and lane.active for lane in timeline.slots)
        assert active_shown == min(slot_count, len(humans))
