"""Several sources at once: one graph each, run side by side, independent of each other."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from videohoi.errors import StageError, UsageError
from videohoi.graph.batch_lane import BatchReport
from videohoi.graph.batcher import Batcher
from videohoi.graph.parts import Closing, Opening, OpenParts, attributed, chained
from videohoi.graph.report import RunReport, plain_dict
from videohoi.graph.runner import Graph
from videohoi.graph.shutdown import Gate, Interrupts, News, check_limits


@dataclass(frozen=True)
class MultiReport:
    """Several sources, one graph each."""

    sources: Mapping[str, RunReport]
    """by the names given to ``MultiGraph``"""
    failures: Mapping[str, str]
    """of the sources that failed: one line each"""
    batches: tuple[BatchReport, ...]
    """of the models they share"""
    wall_seconds: float
    interrupted: bool
    """stopped from outside: KeyboardInterrupt or ``MultiGraph.stop``"""
    notes: tuple[str, ...] = ()
    """one sentence each, for people; those of one source are in its own report"""

    @property
    def complete(self) -> bool:
        """Every source was read to its end and drained."""
        return all(report.complete for report in self.sources.values())

    def to_dict(self) -> dict[str, Any]:
        """As plain dicts, lists, numbers and strings."""
        return {**plain_dict(self), "complete": self.complete}


logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.05
"""how often the caller's thread checks the limits while it waits"""
_HARD_SECONDS = 0.8
"""how long a hard stop waits for a shared model that is being opened; a graph's own hard stop waits as long"""
_ALL = "all sources"
"""the source id of a shared model's failure"""


class MultiGraph:
    """Runs one ``Graph`` per source, each in a thread of its own; runs once.

    A source that stalls, ends or fails does not affect the others: a failure is logged when it happens, appears in the
    report, and is raised once all sources have ended. Models that the graphs share (``Batcher``) are opened before the
    first graph and closed after the last. Usage: see ``Batcher``.

    After ``stop`` or an interrupt each graph keeps its own limits; a graph, or a shared model that is still opening,
    that has not ended ``leave_seconds`` later is left behind and named. ``open_seconds`` and ``close_seconds`` apply
    to the shared models and have the same meaning as for a ``Graph``. Raises ``UsageError`` without any graph.
    """

    def __init__(
        self,
        graphs: Mapping[str, Graph[Any]],
        shared: Sequence[Batcher[Any, Any]] = (),
        *,
        open_seconds: float = 900.0,
        leave_seconds: float = 8.0,  # more than a graph's own 5 s of draining and 0.8 s of stopping
        close_seconds: float = 5.0,
    ) -> None:
        check_limits(open_seconds=open_seconds, leave_seconds=leave_seconds, close_seconds=close_seconds)
        if not graphs:
            raise UsageError("MultiGraph needs one graph or more: give a mapping from source name to Graph")
        self._gate = Gate()
        self._lanes = {name: _Lane(name, graph, self._gate, self._ended) for name, graph in graphs.items()}
        self._shared = tuple(shared)
        self._leave_seconds, self._close_seconds = leave_seconds, close_seconds
        self._news = News()
        self._parts = OpenParts()
        self._opening = Opening(self._parts, self._news, open_seconds)
        self._closing = Closing(self._parts, self._failed)
        self._claimed = self._begun = self._over = self._interrupted = False
        self._leave_at_seconds: float | None = None
        self._leave_opening_at_seconds = math.inf
        self._started_seconds = self._ended_seconds = 0.0
        self._failures: dict[str, StageError] = {}
        self._notes: list[str] = []

    def run(
        self, on_interrupt: Literal["raise", "report"] = "raise", on_failure: Literal["raise", "report"] = "raise"
    ) -> MultiReport:
        """Run until every source has ended, and give the report.

        Raises ``StageError`` of the source that failed first, with the others chained to it, unless ``on_failure`` is
        ``report``; ``report`` still answers. On ``KeyboardInterrupt`` all sources stop, in-flight items pass,
        everything is closed (a second one skips the in-flight items), and it is raised unless ``on_interrupt`` is
        ``report``.
        """
        if self._claimed:
            raise UsageError("this graph has already run: build new ones for each run")
        self._claimed = True
        self._started_seconds = time.perf_counter()
        interrupts = self._run_all()
        self._interrupted |= interrupts > 0
        self._ended_seconds = time.perf_counter()
        if self._failures and on_failure == "raise":
            raise chained(list(self._failures.values()))
        if interrupts and on_interrupt == "raise":
            raise KeyboardInterrupt
        return self.report()

    def stop(self, drain: bool = True) -> None:
        """Stop every source early, from any thread or a signal handler; does not wait. See ``Graph.stop``."""
        self._interrupted = True
        self._news.halted = True
        now = time.monotonic()
        if self._leave_at_seconds is None or not drain:
            self._leave_at_seconds = now + self._leave_seconds
        if not drain:
            self._leave_opening_at_seconds = now + _HARD_SECONDS
        for lane in self._lanes.values():
            lane.graph.stop(drain)
        self._news.changed()

    def report(self) -> MultiReport:
        """Counts and times up to now; final once the run is over."""
        ended = self._ended_seconds or time.perf_counter()
        return MultiReport(
            {name: lane.graph.report() for name, lane in self._lanes.items()},
            {name: str(failure) for name, failure in self._failures.items()},
            tuple(model.report() for model in self._shared),
            ended - self._started_seconds if self._claimed else 0.0,
            self._interrupted,
            tuple(self._notes),
        )

    def _run_all(self) -> int:
        """Open the shared models, run the lanes, close the models; gives the number of interrupts."""
        with Interrupts(lambda count: self.stop(drain=count == 1)) as interrupts:
            while not self._over:
                try:
                    self._finish()
                except KeyboardInterrupt:  # of a handler that is not Python's own
                    interrupts.came()
        return interrupts.count

    def _finish(self) -> None:
        """Begin if not begun, wait for the lanes, close the models; after an interrupt it may be called again."""
        if not self._begun:
            self._begin()
        self._opening.wait(self._tick, _POLL_SECONDS)
        for failure in self._news.failures:
            self._failed(failure)
        self._gate.settle(False)  # changes nothing if the threads were let through
        while self._running():
            self._tick()
            self._news.wait_while(self._running, _POLL_SECONDS)
        for lane in self._lanes.values():
            lane.join()
        complete = not self._failures and not self._interrupted
        self._closing.close(self._parts.names, _ALL, complete, self._close_limit_seconds)
        self._notes += self._closing.notes()
        self._over = True

    def _begin(self) -> None:
        """Open the models and start the threads; a failure is kept, and then no thread is let through."""
        self._begun = True
        self._opening.start(self._open)
        self._opening.wait(self._tick, _POLL_SECONDS)
        if self._opening.complete:
            self._start()

    def _open(self) -> None:
        """In the thread of ``Opening``."""
        for model in self._shared:
            self._opening.part(model.name, _ALL, model.open, partial(_close_model, model))

    def _start(self) -> None:
        try:
            for lane in self._lanes.values():
                attributed("run", lane.name, None, lane.thread.start)
            self._gate.settle(True)
        except StageError as failure:
            if isinstance(failure.__cause__, KeyboardInterrupt):
                raise failure.__cause__ from None
            self._failed(failure)

    def _failed(self, failure: StageError) -> None:
        self._failures[failure.stage] = failure

    def _close_limit_seconds(self) -> float | None:
        return self._close_seconds if self._failures or self._interrupted else None

    def _tick(self) -> None:
        now = time.monotonic()
        is_late = self._leave_at_seconds is not None and now >= self._leave_at_seconds
        if (is_late or now >= self._leave_opening_at_seconds) and (note := self._opening.abandon()) is not None:
            self._notes.append(note)
        if not is_late:
            return
        for lane in self._lanes.values():
            if lane.is_running:
                lane.left_behind = True
                self._notes.append(f"source {lane.name!r} did not stop in time: its graph was left behind")

    def _running(self) -> bool:
        return any(lane.is_running for lane in self._lanes.values())

    def _ended(self, lane: _Lane) -> None:
        """Called in the thread of the lane."""
        if lane.failure is not None:
            self._failures[lane.name] = lane.failure
            others = sum(other.is_running for other in self._lanes.values()) - 1
            logger.warning("source %r ended: %s (%d others continue)", lane.name, lane.failure, others)
        lane.is_over = True
        self._news.changed()


class _Lane:
    """The graph of one source and the thread that runs it."""

    def __init__(self, name: str, graph: Graph[Any], gate: Gate, ended: Callable[[_Lane], None]) -> None:
        self.name = name
        self.graph = graph
        self.failure: StageError | None = None
        self.is_over = self.left_behind = False
        self._gate = gate
        self._ended = ended
        self.thread = threading.Thread(target=self._main, name=f"videohoi: source {name}", daemon=True)

    @property
    def is_alive(self) -> bool:
        """There is a thread, and it is waited for."""
        return self.thread.is_alive() and not self.left_behind

    @property
    def is_running(self) -> bool:
        """Let through the gate, not ended and still waited for."""
        return self._gate.is_open and not self.is_over and not self.left_behind

    def join(self) -> None:
        """Wait for the thread's last instructions."""
        if self.is_alive:
            self.thread.join()

    def _main(self) -> None:
        if not self._gate.passes():
            return
        try:
            attributed("run", self.name, None, partial(self.graph.run, on_interrupt="report"))
        except StageError as failure:
            inner = failure.__cause__
            self.failure = inner if isinstance(inner, StageError) else failure
        finally:
            self._ended(self)


def _close_model(model: Batcher[Any, Any], complete: bool) -> None:
    model.close()
