"""The place of a shared model in the graph of one source."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from videohoi.errors import StageError
from videohoi.graph.batch_queue import BatchPolicy
from videohoi.graph.batch_report import LaneReport
from videohoi.graph.node import BaseNode
from videohoi.graph.source import frame_of
from videohoi.structures import SourceInfo

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
    """A node that gives its items to a shared model and gives back the results, in order; see ``Batcher``.

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
        """inside ``process`` until the model has run, so it brings no further item before that"""

    def open(self, info: SourceInfo) -> None:
        """Load the model if nobody has; raises what it raises."""
        self._model.open()
        self._source_id = info.source_id
        self._model.enter(self)
        self.may_submit = True

    def process(self, item: In) -> Iterable[Out]:
        """Results that are there; waits while ``in_flight`` items are with the model."""
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
                    break  # what is there goes on first; the error waits for the next call
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
        """Forget the items whose results nobody took."""
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
