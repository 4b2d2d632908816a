"""When a batch leaves, on a clock that moves only when told."""

import pytest
from graph_parts import ManualClock
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.errors import UsageError
from videohoi.graph import BatchPolicy
from videohoi.graph.batch_lane import BatchQueue


def taken(queue):
    return [item for item, _ in queue.take()]


def test_a_full_batch_leaves_at_once_and_the_rest_stays():
    queue = BatchQueue(BatchPolicy(batch_size=2, max_wait_seconds=1.0))
    queue.add("a", 0.0)
    assert queue.due(0.0, nobody_else=False) is None
    queue.add("b", 0.0)
    queue.add("c", 0.0)
    assert queue.due(0.0, nobody_else=False) == "full"
    assert taken(queue) == ["a", "b"]
    assert queue.due(0.0, nobody_else=False) is None
    assert taken(queue) == ["c"]


def test_a_batch_leaves_when_its_oldest_item_has_waited_long_enough_not_its_newest():
    queue = BatchQueue(BatchPolicy(batch_size=8, max_wait_seconds=0.5))
    assert queue.seconds_left(0.0) is None
    queue.add("a", 10.0)
    queue.add("b", 10.25)
    assert queue.seconds_left(10.25) == 0.25
    assert queue.due(10.25, nobody_else=False) is None
    assert queue.due(10.5, nobody_else=False) == "waited"
    assert taken(queue) == ["a", "b"]
    assert queue.due(99.0, nobody_else=False) is None


def test_a_batch_that_nobody_can_join_leaves_early():
    queue = BatchQueue(BatchPolicy(batch_size=8, max_wait_seconds=0.5))
    assert queue.due(0.0, nobody_else=True) is None
    queue.add("a", 0.0)
    assert queue.due(0.0, nobody_else=True) == "nobody else"


def test_an_item_that_is_withdrawn_no_longer_counts():
    queue = BatchQueue(BatchPolicy(batch_size=2, max_wait_seconds=0.5))
    first, second = object(), object()
    queue.add(first, 0.0)
    queue.add(second, 0.25)
    assert queue.remove(first)
    assert not queue.remove(first)
    assert queue.due(0.5, nobody_else=False) is None
    assert queue.due(0.75, nobody_else=False) == "waited"


@pytest.mark.parametrize("bad", [
    {"batch_size": 0}, {"in_flight": 0}, {"max_wait_seconds": -1.0}, {"max_wait_seconds": float("inf")},
    {"max_wait_seconds": float("nan")},
])  # fmt: skip
def test_a_policy_that_cannot_be_is_refused(bad):
    with pytest.raises(UsageError, match="BatchPolicy needs"):
        BatchPolicy(**bad)


arrivals = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, 0.125, 0.25, 0.5])), max_size=40)


@settings(max_examples=60, deadline=None)
@given(arrivals=arrivals, batch_size=st.integers(1, 5))
def test_every_item_leaves_once_in_its_sources_order_and_never_too_late(arrivals, batch_size):
    """Sources bring items at any times; the clock stops at every arrival and at every moment a batch is due."""
    policy = BatchPolicy(batch_size=batch_size, max_wait_seconds=0.25)
    queue, clock, left = BatchQueue(policy), ManualClock(), []

    def leave_if_due():
        while (reason := queue.due(clock.now(), nobody_else=False)) is not None:
            batch = queue.take()
            assert reason == ("full" if len(batch) == batch_size else "waited")
            waits = [clock.now() - arrived for _, arrived in batch]
            assert max(waits) <= 0.25
            assert reason == "full" or waits[0] == 0.25
            left.extend(item for item, _ in batch)

    def move_to(seconds):
        while (rest := queue.seconds_left(clock.now())) is not None and clock.now() + rest <= seconds:
            clock.advance(rest)
            leave_if_due()
        clock.advance(seconds - clock.now())

    for number, (source, pause_seconds) in enumerate(arrivals):
        move_to(clock.now() + pause_seconds)
        queue.add((source, number), clock.now())
        leave_if_due()
    move_to(clock.now() + 1.0)
    assert sorted(number for _, number in left) == list(range(len(arrivals)))
    for source in range(4):
        numbers = [number for of, number in left if of == source]
        assert numbers == sorted(numbers)
