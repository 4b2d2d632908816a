"""A model shared by several sources: when a batch leaves, its place in the graph of one source, its report."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from videohoi.errors import StageError, UsageError
from videohoi.graph.measuring import DurationSummary
from videohoi.graph.node import BaseNode, frame_of
from videohoi.structures import SourceInfo


@dataclass(frozen=True)
class LaneReport:
    """One source's part; ``items_in == items_out + failed + discarded + waiting``."""

    source_id: str
    items_in: int
    items_out: int
    """results given back to the source's graph"""
    failed: int
    """items the model raised on, alone"""
    discarded: int
    """the source's graph was cut before it took the result"""
    waiting: int
    """for the model, or with it"""


@dataclass(frozen=True)
class BatchReport:
    """A model shared by several sources."""

    name: str
    batches: int
    items: int
    """items that left in batches"""
    full: int
    """batches that left because they were full"""
    waited: int
    """batches that left because the oldest item had waited long enough"""
    nobody_else: int
    """batches that left because every source was waiting for its result"""
    retried: int
    """batches that failed and were tried again item by item"""
    wait: DurationSummary
    """of each item, from arrival until its batch left"""
    process: DurationSummary
    """of each batch, inside the model"""
    busy_seconds: float
    cpu_seconds: float
    """of the model's own thread; a library's inner pool is not in it"""
    lanes: tuple[LaneReport, ...]


Item = TypeVar("Item")
Reason = Literal["full", "waited", "nobody else"]


@dataclass(frozen=True)
class BatchPolicy:
    """When a batch leaves for the model.

    At ``batch_size`` items; or when its oldest item has waited ``max_wait_seconds``; or, earlier than both, when every
    source that is still being read waits for its result, since then no other item could join. Raises ``UsageError``.
    """

    batch_size: int = 8
    """most items of a batch"""
    max_wait_seconds: float = 0.01
    """longest wait of an item for others; a source that stalls costs the others no more than this"""
    in_flight: int = 1
    """items of one source that may be with the model at once. 1 is for live use: a result is passed on as soon as there
    is one. 2 or more, for files, keep the model busy while results are processed further: a result then leaves with the
    source's next item"""

    def __post_init__(self) -> None:
        if self.batch_size < 1 or self.in_flight < 1 or not 0 <= self.max_wait_seconds < float("inf"):
            raise UsageError(
                f"BatchPolicy needs batch_size >= 1, in_flight >= 1 and a finite max_wait_seconds >= 0, got {self}"
            )


class BatchQueue(Generic[Item]):
    """Items of all sources in order of arrival; at most ``in_flight`` of each, so no source crowds out the others."""

    def __init__(self, policy: BatchPolicy) -> None:
        self._policy = policy
        self._items: deque[tuple[Item, float]] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: Item, now_seconds: float) -> None:
        """One item arrived."""
        self._items.append((item, now_seconds))

    def due(self, now_seconds: float, nobody_else: bool) -> Reason | None:
        """Why a batch should leave now; None if it should not."""
        if len(self._items) >= self._policy.batch_size:
            return "full"
        if not self._items:
            return None
        if nobody_else:
            return "nobody else"
        return "waited" if self.seconds_left(now_seconds) == 0.0 else None

    def seconds_left(self, now_seconds: float) -> float | None:
        """How long the oldest item may still wait, in seconds, 0 or more; None without items."""
        if not self._items:
            return None
        leaves_seconds = self._items[0][1] + self._policy.max_wait_seconds
        return max(leaves_seconds - now_seconds, 0.0)

    def take(self) -> list[tuple[Item, float]]:
        """The oldest items, at most ``batch_size``, each with the time it arrived at."""
        return [self._items.popleft() for _ in range(min(len(self._items), self._policy.batch_size))]

    def remove(self, item: Item) -> bool:
        """Take ``item`` out unused; False if it has left already."""
        for position, (waiting, _) in enumerate(self._items):
            if waiting is item:
                del self._items[position]
                return True
        return False


In = TypeVar("In")
Out = TypeVar("Out")


class Ticket(Generic[In, Out]):
    """An item on its way through the model."""

    def __init__(self, lane: BatchLane[In, Out], item: In) -> None:
        self.lane = lane
        self.item = item
        self.result: tuple[Out] | None = None
        self.error: BaseException | None = None
        self.done = False


class SharedModel(Protocol[In, Out]):
    """What a lane needs of ``Batcher``."""

    @property
    def policy(self) -> BatchPolicy: ...  # noqa: D102
    def open(self) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102
    def enter(self, lane: BatchLane[In, Out]) -> None: ...  # noqa: D102
    def submit(self, ticket: Ticket[In, Out]) -> None: ...  # noqa: D102
    def look(self) -> None: ...  # noqa: D102
    def withdraw(self, ticket: Ticket[In, Out]) -> None: ...  # noqa: D102


class BatchLane(BaseNode[In, Out]):
    """A node that passes its items to a shared model and returns the results, in order; see ``Batcher``.

    Its time in the run report includes waiting for the batch; the model's own is in ``BatchReport``.
    """

    def __init__(self, model: SharedModel[In, Out], name: str, lock: threading.RLock) -> None:
        super().__init__(name)
        self._model = model
        self._settled = threading.Condition(lock)
        self._pending: deque[Ticket[In, Out]] = deque()
        self._source_id = ""
        self._in = self._out = self._failed = self._discarded = 0
        self.may_submit = False
        """the source is being read"""
        self.is_waiting = False
        """inside ``process`` until the model has run; it submits no further item before that"""

    def open(self, info: SourceInfo) -> None:
        """Load the model unless it is loaded; raises what the model raises."""
        self._model.open()
        self._source_id = info.source_id
        self._model.enter(self)
        self.may_submit = True

    def process(self, item: In) -> Iterable[Out]:
        """Results available now; waits while ``in_flight`` items are with the model."""
        outputs: list[Out] = []
        with self._settled:
            ticket = Ticket(self, item)
            self._in += 1
            self._pending.append(ticket)
            must_wait = len(self._pending) >= self._model.policy.in_flight
            self.is_waiting = must_wait and not self._pending[0].done
            self._model.submit(ticket)
            if must_wait:
                self._await_oldest()
            while self._pending and self._pending[0].done:
                if self._pending[0].error is not None and outputs:
                    break  # available results are passed on first; the error is raised by the next call
                outputs.append(self._take())
        return outputs

    def drain(self) -> Iterator[Out]:
        """The results that are still to come."""
        with self._settled:
            self.may_submit = False
            self._model.look()
        while self._pending:
            with self._settled:
                self._await_oldest()
                output = self._take()
            yield output

    def reset(self) -> None:
        """Forget the items whose results were not taken."""
        with self._settled:
            while self._pending:
                self._model.withdraw(self._pending.popleft())
                self._discarded += 1

    def close(self, *, complete: bool) -> None:
        """Leave the batches; the last lane closes the model."""
        self.reset()
        with self._settled:
            self.may_submit = False
            self._model.look()
        self._model.close()

    def settled(self, ticket: Ticket[In, Out]) -> None:
        """The model has run on ``ticket``; called by the model, which holds the lock."""
        ticket.done = True
        if self._pending and self._pending[0] is ticket:
            self.is_waiting = False
        self._settled.notify()

    def report(self) -> LaneReport:
        """Counts up to now; called by the model, which holds the lock."""
        return LaneReport(
            self._source_id, self._in, self._out, self._failed, self._discarded, waiting=len(self._pending)
        )  # fmt: skip

    def _await_oldest(self) -> None:
        while not self._pending[0].done:
            self._settled.wait()

    def _take(self) -> Out:
        """The oldest result; raises the error of an item of its own, naming that item's frame."""
        ticket = self._pending.popleft()
        if ticket.result is not None:
            self._out += 1
            return ticket.result[0]
        self._failed += 1
        error = ticket.error or RuntimeError("the model gave neither result nor error")
        frame = frame_of(ticket.item)
        if frame is None:
            raise error
        raise StageError(self.name, frame.source_id, frame.index, error)
