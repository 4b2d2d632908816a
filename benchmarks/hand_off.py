"""What it costs to hand an item from one thread to the next: our edge against the standard library's queue."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence

from benchmarks.harness import Claim, Contestant, NotEqualError, Options, Row, interleave
from videohoi.graph.edge import Edge, EdgePolicy

CAPACITY = 2
ITEMS, TURNS = 20_000, 5_000
MOST_MICROSECONDS = 20.0
"""a stage more may cost this much a frame"""
PEER = "queue.Queue(2)"
GOAL = 0.9
"""as fast, but for a tenth: both wake a thread, and that is most of the cost"""
Put = Callable[[int], object]
Get = Callable[[], int]


def edge_pair() -> tuple[Put, Get]:
    """The two ends of an edge."""
    edge: Edge[int] = Edge("a -> b", EdgePolicy.lossless(CAPACITY))
    return edge.put, edge.get


def queue_pair() -> tuple[Put, Get]:
    """The two ends of a queue."""
    items: queue.Queue[int] = queue.Queue(CAPACITY)
    return items.put, items.get


def stream(pair: tuple[Put, Get], count: int) -> list[int]:
    """One thread puts ``count`` numbers as fast as it can, this one gets them."""
    put, get = pair

    def produce() -> None:
        for number in range(count):
            put(number)

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    got = [get() for _ in range(count)]
    thread.join()
    return got


def turns(there: tuple[Put, Get], back: tuple[Put, Get], count: int) -> list[int]:
    """A number goes to another thread and comes back, ``count`` times: nothing overlaps, so this is latency."""

    def answer() -> None:
        for _ in range(count):
            back[0](there[1]())

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    got = []
    for number in range(count):
        there[0](number)
        got.append(back[1]())
    thread.join()
    return got


def check(options: Options) -> str:
    """Order and number through both."""
    for name, pair in (("edge", edge_pair), (PEER, queue_pair)):
        if stream(pair(), 500) != list(range(500)) or turns(pair(), pair(), 200) != list(range(200)):
            raise NotEqualError(f"{name} lost or reordered numbers")
    return "500 numbers in a stream and 200 there and back, in order, through both"


def measure(options: Options) -> Sequence[Row]:
    """Throughput, then latency."""
    equality = check(options)
    streams = interleave(
        [
            Contestant("edge", lambda: stream(edge_pair(), ITEMS), ITEMS),
            Contestant(PEER, lambda: stream(queue_pair(), ITEMS), ITEMS),
        ],
        options.rounds,
    )
    latencies = interleave(
        [
            Contestant("edge", lambda: turns(edge_pair(), edge_pair(), TURNS), 2 * TURNS),
            Contestant(PEER, lambda: turns(queue_pair(), queue_pair(), TURNS), 2 * TURNS),
        ],
        options.rounds,
    )
    return [
        Row("one thread to the next, in a stream", equality, streams, goals={PEER: GOAL},
            met=streams[0].median_seconds * 1e6 <= MOST_MICROSECONDS),
        Row("one thread to the next, one way, nothing overlapping", equality, latencies, goals={PEER: GOAL},
            met=latencies[0].median_seconds * 1e6 <= MOST_MICROSECONDS),
    ]  # fmt: skip


CLAIM = Claim(
    "hand_off",
    "Handing an item from one stage to the next costs what queue.Queue(2) costs (at most a tenth more), and no more "
    "than 20 us.",
    check,
    measure,
)
