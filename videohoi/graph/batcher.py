"""One model for several sources: batches across them with a bounded wait, results back to where the items came from.

Each source has a graph of its own, in which a ``BatchLane`` stands where the model would stand. So a source
that stalls, ends or fails affects its own graph only; the batches of the others are merely smaller.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Generic, TypeVar

from videohoi.errors import UsageError
from videohoi.graph.batch_lane import BatchLane, BatchPolicy, BatchQueue, BatchReport, Ticket
from videohoi.graph.measuring import Clock, DurationHistogram, Meter, MonotonicClock

logger = logging.getLogger(__name__)

In = TypeVar("In")
Out = TypeVar("Out")

_LEAST_WAIT_SECONDS = 0.0005
"""a shorter wait would only burn CPU time; it is also how late a batch may leave"""


class BatchNode(ABC, Generic[In, Out]):
    """A model that takes several items at once. One thread at a time; items of one batch come from any source."""

    def __init__(self, name: str) -> None:
        self.name = name

    def open(self) -> None:
        """Load; called once before the first batch."""

    @abstractmethod
    def process_batch(self, items: Sequence[In]) -> Sequence[Out]:
        """One result for each item, in the items' order. Items are independent: nothing is kept between them.

        When it raises on several items, each is tried again alone, so that one bad item ends one source only.
        """

    def close(self) -> None:
        """Release everything; called once after the last batch."""


class Batcher(Generic[In, Out]):
    """Runs a ``BatchNode`` in a thread of its own for the graphs of several sources.

    Usage::

        batcher = Batcher(detector, BatchPolicy(batch_size=8, max_wait_seconds=0.01))
        edges = [EdgePolicy.latest(), EdgePolicy.lossless()]       # frames may be dropped, results may not
        graphs = {
            name: Graph(camera, [[], [batcher.lane()], make_post_stages(name)], edges=edges)
            for name, camera in cameras.items()
        }
        report = MultiGraph(graphs, [batcher]).run()

    The first user (a lane's graph or ``MultiGraph``) opens the model and the last one closes it.
    A model that does not return within ``close_seconds`` then is left behind and closed when it does.
    """

    def __init__(
        self,
        node: BatchNode[In, Out],
        policy: BatchPolicy | None = None,
        clock: Clock | None = None,
        close_seconds: float = 1.0,
    ) -> None:
        self.name = node.name
        self.policy = policy or BatchPolicy()
        self._node = node
        self._clock = clock or MonotonicClock()
        self._close_seconds = close_seconds
        self._life = threading.Lock()  # held while the model opens or closes
        # Held for a few statements at a time; guards all that follows. Re-entrant, so that a signal handler may report.
        self._lock = threading.RLock()
        self._news = threading.Condition(self._lock)
        self._users = 0
        self._thread: threading.Thread | None = None
        self._queue: BatchQueue[Ticket[In, Out]] = BatchQueue(self.policy)
        self._lanes: list[BatchLane[In, Out]] = []
        self._stopping = self._ended = self._left_behind = False
        self._broken: BaseException | None = None
        self._meter, self._waits = Meter(), DurationHistogram()
        self._counts: Counter[str] = Counter()

    def lane(self, name: str | None = None) -> BatchLane[In, Out]:
        """A node for the graph of one source; its name is the model's unless given."""
        return BatchLane(self, name or self.name, self._lock)

    def open(self) -> None:
        """Add a user; the first loads the model. Raises what the model raises; the user then does not count."""
        with self._life:
            if self._left_behind:
                raise UsageError(f"{self.name!r} was left behind by an earlier run: make a new Batcher")
            if self._users == 0:
                self._node.open()
                self._stopping = self._ended = False
                self._broken = None
                self._thread = threading.Thread(target=self._main, name=f"videohoi: batches {self.name}", daemon=True)
                self._thread.start()
            self._users += 1

    def close(self) -> None:
        """Remove a user; the last one closes the model."""
        with self._life:
            self._users -= 1
            thread = self._thread
            if self._users > 0 or thread is None:
                return
            self._thread = None
            with self._news:
                self._stopping = True
                self._news.notify_all()
            try:
                thread.join(self._close_seconds)
            finally:  # also when interrupted: the model must be closed
                with self._lock:
                    self._left_behind = not self._ended
                if not self._left_behind:
                    self._node.close()

    def report(self) -> BatchReport:
        """Counts and times up to now."""
        with self._lock:
            counts, meter = self._counts, self._meter
            return BatchReport(
                self.name, counts["batches"], counts["items"], counts["full"], counts["waited"], counts["nobody else"],
                counts["retried"], self._waits.summary(), meter.durations.summary(), meter.busy_seconds,
                meter.cpu_seconds, tuple(lane.report() for lane in self._lanes),
            )  # fmt: skip

    def enter(self, lane: BatchLane[In, Out]) -> None:
        """A lane that may bring items; called by the lane."""
        with self._lock:
            if lane not in self._lanes:
                self._lanes.append(lane)

    def submit(self, ticket: Ticket[In, Out]) -> None:
        """An item for the model; called by a lane, which holds the lock."""
        if self._broken is not None:
            self._settle([ticket], self._broken)
            return
        now = self._clock.now()
        self._queue.add(ticket, now)
        if len(self._queue) == 1 or self._queue.due(now, self._nobody_else()):
            self.look()

    def look(self) -> None:
        """Something changed that may let a batch leave; called by a lane, which holds the lock."""
        self._news.notify()

    def withdraw(self, ticket: Ticket[In, Out]) -> None:
        """Drop a ticket whose result is no longer wanted; called by a lane, which holds the lock."""
        self._queue.remove(ticket)

    def _main(self) -> None:
        try:
            while (batch := self._next_batch()) is not None:
                self._run(batch)
                self._settle(batch)
        except BaseException as error:  # noqa: BLE001 - a fault outside the model; every waiting and later ticket gets it
            with self._lock:
                self._broken = error
                while len(self._queue):
                    self._settle([ticket for ticket, _ in self._queue.take()], error)
        with self._lock:
            self._ended, close_here = True, self._left_behind
        if close_here:
            self._close_late()

    def _settle(self, batch: Sequence[Ticket[In, Out]], error: BaseException | None = None) -> None:
        with self._lock:
            for ticket in batch:
                ticket.error = error or ticket.error
                ticket.lane.settled(ticket)

    def _next_batch(self) -> list[Ticket[In, Out]] | None:
        """Wait for a batch; None once the last user has left."""
        with self._news:
            while not self._stopping:
                now = self._clock.now()
                reason = self._queue.due(now, self._nobody_else())
                if reason is not None:
                    return self._take(now, reason)
                left = self._queue.seconds_left(now)
                self._news.wait(None if left is None else max(left, _LEAST_WAIT_SECONDS))
        return None

    def _nobody_else(self) -> bool:
        return all(lane.is_waiting for lane in self._lanes if lane.may_submit)

    def _take(self, now_seconds: float, reason: str) -> list[Ticket[In, Out]]:
        batch = self._queue.take()
        for _, arrived_seconds in batch:
            self._waits.add(now_seconds - arrived_seconds)
        self._counts.update({"batches": 1, "items": len(batch), reason: 1})
        return [ticket for ticket, _ in batch]

    def _run(self, batch: Sequence[Ticket[In, Out]]) -> None:
        """Give every ticket its result or its error."""
        try:
            for ticket, result in zip(batch, self._call(batch), strict=True):
                ticket.result = (result,)
        except Exception as error:  # noqa: BLE001 - raised again where the item came from
            if len(batch) == 1 or isinstance(error, _WrongCountError):
                _fail(batch, error)
                return
            logger.warning("%s failed on a batch of %d (%s): trying each alone", self.name, len(batch), error)
            self._counts["retried"] += 1
            for ticket in batch:
                self._run((ticket,))
        except BaseException as error:  # noqa: BLE001 - raised again where the item came from
            _fail(batch, error)

    def _call(self, batch: Sequence[Ticket[In, Out]]) -> Sequence[Out]:
        self._meter.start()
        results = self._node.process_batch([ticket.item for ticket in batch])
        self._meter.stop_item(len(batch))
        if len(results) != len(batch):
            raise _WrongCountError(f"process_batch() gave {len(results)} results for {len(batch)} items; give one each")
        return results

    def _close_late(self) -> None:
        try:
            self._node.close()
        except Exception as error:  # noqa: BLE001 - no caller is left to raise it to
            logger.warning("%s was left behind and then failed to close: %s", self.name, error)


class _WrongCountError(TypeError):
    """A model gave back more or fewer results than it was given items; trying again would hide it."""


def _fail(batch: Sequence[Ticket[In, Out]], error: BaseException) -> None:
    for ticket in batch:
        ticket.result, ticket.error = None, error
