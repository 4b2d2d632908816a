import threading
from dataclasses import replace

import pytest
from graph_parts import LIMIT_SECONDS, ManualClock, make_frames

from videohoi.errors import UsageError
from videohoi.graph.edge import Edge, EdgeAborted, EdgeFinished, EdgePolicy


def in_thread(call):
    """Start ``call``; the returned function waits for its result or the exception it raised."""
    outcome = []

    def target():
        try:
            outcome.append(call())
        except (EdgeAborted, EdgeFinished) as error:
            outcome.append(error)

    thread = threading.Thread(target=target, daemon=True)
    thread.start()

    def result():
        thread.join(LIMIT_SECONDS)
        assert not thread.is_alive(), "the wait was not interrupted"
        return outcome[0]

    return result


def balanced(edge):
    counts = edge.counts()
    return counts.put == counts.taken + counts.dropped + counts.stale + counts.discarded + counts.waiting


def test_lossless_keeps_order_and_never_exceeds_its_capacity():
    edge = Edge("a -> b", EdgePolicy.lossless(3))
    depths = []

    def produce():
        for number in range(500):
            edge.put(number)
            depths.append(edge.depth)
        edge.finish()

    produced = in_thread(produce)
    taken = [edge.get() for _ in range(500)]
    produced()
    with pytest.raises(EdgeFinished):
        edge.get()
    assert taken == list(range(500))
    assert max(depths) <= 3
    counts = edge.counts()
    assert (counts.put, counts.taken, counts.dropped, counts.waiting) == (500, 500, 0, 0)


def test_lossless_put_waits_for_room():
    edge = Edge("a -> b", EdgePolicy.lossless(1))
    edge.put("first")
    events = []

    def put_second():
        edge.put("second")
        events.append("second was put")

    put = in_thread(put_second)
    assert events == []
    events.append("first is taken")
    assert edge.get() == "first"
    put()
    assert events == ["first is taken", "second was put"]
    assert edge.get() == "second"


def test_latest_keeps_the_newest_and_counts_each_drop():
    edge = Edge("camera -> detect", EdgePolicy.latest())
    for number in range(5):
        edge.put(number)
    assert edge.depth == 1
    assert edge.get() == 4
    edge.put(5)
    assert edge.get() == 5
    counts = edge.counts()
    assert (counts.put, counts.taken, counts.dropped) == (6, 2, 4)
    assert balanced(edge)


def test_latest_with_room_for_two_keeps_the_two_newest_in_order():
    edge = Edge("camera -> detect", EdgePolicy.latest(capacity=2))
    for number in range(5):
        edge.put(number)
    assert [edge.get(), edge.get()] == [3, 4]
    assert edge.counts().dropped == 3


def test_stale_items_are_dropped_when_their_turn_comes():
    clock = ManualClock()
    edge = Edge("camera -> detect", EdgePolicy.latest(capacity=3, staleness_seconds=0.5), clock)
    edge.put("old")
    clock.advance(0.4)
    edge.put("young")
    clock.advance(0.2)  # now 0.6 s and 0.2 s old
    assert edge.get() == "young"
    counts = edge.counts()
    assert (counts.stale, counts.dropped, counts.taken) == (1, 0, 1)
    assert balanced(edge)


def test_an_item_exactly_as_old_as_the_budget_is_still_good():
    clock = ManualClock()
    edge = Edge("camera -> detect", EdgePolicy.latest(staleness_seconds=0.5), clock)
    edge.put("item")
    clock.advance(0.5)
    assert edge.get() == "item"


def test_age_counts_from_capture_where_it_is_known():
    clock = ManualClock(start_seconds=10.0)
    edge = Edge("camera -> detect", EdgePolicy.latest(2, staleness_seconds=0.5), clock)
    late, fresh = (
        replace(frame, captured_seconds=at) for frame, at in zip(make_frames(2), (9.4, 9.9), strict=True)
    )  # one was captured 0.6 s before it is put
    edge.put(late)
    edge.put(fresh)
    assert edge.get() is fresh
    assert edge.counts().stale == 1


@pytest.mark.parametrize("end", ["finish", "abort", "discard"])
def test_a_waiting_put_is_interrupted(end):
    edge = Edge("a -> b", EdgePolicy.lossless(1))
    edge.put("first")
    put = in_thread(lambda: edge.put("second"))
    getattr(edge, end)()
    assert put() is None if end == "discard" else isinstance(put(), EdgeAborted)
    assert balanced(edge)


@pytest.mark.parametrize(("end", "error"), [("finish", EdgeFinished), ("abort", EdgeAborted)])
def test_a_waiting_get_is_interrupted(end, error):
    edge = Edge("a -> b", EdgePolicy.lossless(1))
    get = in_thread(edge.get)
    getattr(edge, end)()
    assert isinstance(get(), error)


def test_finish_delivers_what_waits_and_abort_does_not():
    finished, aborted = Edge("f", EdgePolicy.lossless(2)), Edge("a", EdgePolicy.lossless(2))
    for edge in (finished, aborted):
        edge.put(1)
        edge.put(2)
    finished.finish()
    aborted.abort()
    assert [finished.get(), finished.get()] == [1, 2]
    with pytest.raises(EdgeFinished):
        finished.get()
    with pytest.raises(EdgeAborted):
        aborted.get()
    assert aborted.counts().discarded == 2


def test_abort_wins_over_finish():
    edge = Edge("a -> b", EdgePolicy.lossless(1))
    edge.finish()
    edge.abort()
    with pytest.raises(EdgeAborted):
        edge.get()


def test_get_with_a_limit_times_out():
    with pytest.raises(TimeoutError, match="a -> b"):
        Edge("a -> b", EdgePolicy.lossless(1)).get(timeout_seconds=0.001)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("newest",), "'newest' is unknown"),
        (("lossless", 0), "capacity must be 1 or more, got 0"),
        (("lossless", 2, 0.5), "only a 'latest' edge may drop"),
        (("latest", 1, 0.0), "must be above 0"),
        (("latest", 1, float("nan")), "must be above 0"),
    ],
)
def test_half_specified_policies_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        EdgePolicy(*arguments)
