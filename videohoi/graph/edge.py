"""A bounded edge between two threads, with a named overflow policy. There is no unbounded one."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from videohoi.errors import UsageError
from videohoi.graph.measuring import Clock, MonotonicClock
from videohoi.graph.node import captured_seconds_of

Item = TypeVar("Item")
Loss = Literal["drop", "stale"]
"""made room for a newer item, or was older than the staleness budget"""


class EdgeFinished(Exception):  # noqa: N818 - the normal end of a stream, no error
    """The producer ended and everything it put was taken."""


class EdgeAborted(Exception):  # noqa: N818 - control flow between stage threads, never reaches a user
    """The edge was cut: the items it held are not delivered."""


@dataclass(frozen=True)
class EdgePolicy:
    """What happens when items come faster than they are taken.

    ``lossless``: ``put`` waits. ``latest``: the oldest waiting item makes room for the newest and is counted, so put
    such an edge where any item may be lost: right after a live source, or before a display.
    """

    overflow: Literal["lossless", "latest"] = "lossless"
    capacity: int = 2
    """items that may wait; each adds one item time of latency when the consumer is the slower side"""
    staleness_seconds: float | None = None
    """``latest`` only: an item older than this when its turn comes is dropped and counted. Age counts from the
    frame's ``captured_seconds`` where there is one, else from ``put``"""

    def __post_init__(self) -> None:
        if self.overflow not in ("lossless", "latest"):
            raise UsageError(f"overflow policy {self.overflow!r} is unknown: use 'lossless' or 'latest'")
        if self.capacity < 1:
            raise UsageError(f"edge capacity must be 1 or more, got {self.capacity}")
        if self.staleness_seconds is not None and (self.overflow == "lossless" or not self.staleness_seconds > 0):
            raise UsageError(
                f"staleness_seconds={self.staleness_seconds} on a {self.overflow} edge: "
                "it must be above 0, and only a 'latest' edge may drop"
            )

    @staticmethod
    def lossless(capacity: int = 2) -> EdgePolicy:
        """Every item arrives; two waiting items hide the jitter between two stages."""
        return EdgePolicy("lossless", capacity)

    @staticmethod
    def latest(capacity: int = 1, staleness_seconds: float | None = None) -> EdgePolicy:
        """The newest item wins."""
        return EdgePolicy("latest", capacity, staleness_seconds)


LOSSLESS = EdgePolicy()
"""the default: every item arrives"""


@dataclass(frozen=True)
class EdgeCounts:
    """What went through an edge; ``put == taken + dropped + stale + discarded + waiting``."""

    put: int
    taken: int
    dropped: int
    """made room for a newer item (``latest``)"""
    stale: int
    """older than the staleness budget when their turn came (``latest``)"""
    discarded: int
    """no longer wanted: the consumer left or the edge was cut"""
    waiting: int


class Edge(Generic[Item]):
    """A queue for one producer and one consumer thread; any thread may end it. No wait outlives ``finish``/``abort``.

    The condition's lock is re-entrant, so ``abort`` may also be called by a signal handler that interrupts a wait.
    """

    def __init__(
        self,
        name: str,
        policy: EdgePolicy,
        clock: Clock | None = None,
        on_loss: Callable[[Loss, int, Item], None] | None = None,
    ) -> None:
        """``on_loss`` gets the kind of loss, the ordinal of its ``put`` and the item; the edge is locked then."""
        self.name = name
        self.policy = policy
        self._clock = clock or MonotonicClock()
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._waiting = 0  # threads inside a wait; notifying when there are none would cost a tenth of a hand-off
        self._on_loss = on_loss
        self._items: deque[tuple[Item, float, int]] = deque()
        self._finished = self._aborted = self._discarding = False
        self._put = self._taken = self._dropped = self._stale = self._discarded = 0

    def put(self, item: Item) -> None:
        """Hand over one item; waits for room if ``lossless``. Raises ``EdgeAborted`` once the edge has ended."""
        with self._lock:
            if self.policy.overflow == "lossless":
                while len(self._items) >= self.policy.capacity and not self._closed_to_producer():
                    self._wait()
            if self._aborted or (self._finished and not self._discarding):
                raise EdgeAborted(self.name)
            ordinal, self._put = self._put, self._put + 1
            if self._discarding:
                self._discarded += 1
                return
            if (loss := self._loss_of(ordinal, item)) is not None:
                self._lose(loss, ordinal, item)
                return
            if len(self._items) >= self.policy.capacity:
                oldest, _, oldest_ordinal = self._items.popleft()
                self._lose("drop", oldest_ordinal, oldest)
            self._items.append((item, self._birth(item), ordinal))
            self._tell()

    def get(self, timeout_seconds: float | None = None) -> Item:
        """The next item; waits for one.

        Raises ``EdgeFinished`` after the last, ``EdgeAborted`` if cut, ``TimeoutError`` if none came in time.
        """
        with self._lock:
            while True:
                self._wait_for_item(timeout_seconds)
                item, born, ordinal = self._items.popleft()
                self._tell()
                if not self._too_old(born):
                    self._taken += 1
                    return item
                self._lose("stale", ordinal, item)

    def finish(self) -> None:
        """The producer has ended: the consumer still gets the waiting items, then ``EdgeFinished``."""
        with self._lock:
            self._finished = True
            self._changed.notify_all()

    def abort(self) -> None:
        """Cut the edge at once: waiting items are discarded and counted, both sides get ``EdgeAborted``."""
        with self._lock:
            self._aborted = True
            self._discard_waiting()

    def discard(self) -> None:
        """The consumer has left but the producer may go on: waiting and later items are counted and thrown away."""
        with self._lock:
            self._discarding = True
            self._discard_waiting()

    @property
    def depth(self) -> int:
        """Items waiting now; never above the policy's capacity."""
        return len(self._items)

    def counts(self) -> EdgeCounts:
        """Counts up to now."""
        with self._lock:
            return EdgeCounts(self._put, self._taken, self._dropped, self._stale, self._discarded, len(self._items))

    def _loss_of(self, ordinal: int, item: Item) -> Loss | None:
        """A loss that is known beforehand (in a replay); here never."""
        return None

    def _lose(self, loss: Loss, ordinal: int, item: Item) -> None:
        if loss == "drop":
            self._dropped += 1
        else:
            self._stale += 1
        if self._on_loss is not None:
            self._on_loss(loss, ordinal, item)

    def _closed_to_producer(self) -> bool:
        return self._aborted or self._finished or self._discarding

    def _wait_for_item(self, timeout_seconds: float | None) -> None:
        while not self._items:
            if self._aborted:
                raise EdgeAborted(self.name)
            if self._finished:
                raise EdgeFinished(self.name)
            if not self._wait(timeout_seconds):
                raise TimeoutError(f"edge {self.name!r} got no item in {timeout_seconds} s")

    def _wait(self, timeout_seconds: float | None = None) -> bool:
        self._waiting += 1
        try:
            return self._changed.wait(timeout_seconds)
        finally:
            self._waiting -= 1

    def _tell(self) -> None:
        if self._waiting:
            self._changed.notify()

    def _discard_waiting(self) -> None:
        self._discarded += len(self._items)
        self._items.clear()
        self._changed.notify_all()

    def _birth(self, item: Item) -> float:
        if self.policy.staleness_seconds is None:
            return 0.0
        born = captured_seconds_of(item)
        return self._clock.now() if born is None else born

    def _too_old(self, born_seconds: float) -> bool:
        budget = self.policy.staleness_seconds
        return budget is not None and self._clock.now() - born_seconds > budget
