"""Run a source and its nodes in a few threads, as a whole (``run``) or item by item (``iterate``)."""

from __future__ import annotations

import atexit
import contextlib
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from videohoi.errors import StageError, UsageError
from videohoi.graph.edge import LOSSLESS, Edge, EdgeAborted, EdgeFinished, EdgePolicy
from videohoi.graph.measuring import Clock, MonotonicClock
from videohoi.graph.node import AnyNode, Source
from videohoi.graph.parts import Closing, Opening, attributed, chained
from videohoi.graph.plan import Branch, Wiring, make_plan
from videohoi.graph.replay import make_tape
from videohoi.graph.report import Progress, RunReport, failure_notes, make_report
from videohoi.graph.run_record import RunRecord
from videohoi.graph.shutdown import Interrupts, Limits, News, Shutdown, Urgency
from videohoi.graph.stage import Tally

Out = TypeVar("Out")

_POLL_SECONDS = 0.05
"""how often the caller's thread checks the limits while it waits; stages themselves never poll"""


class Graph(Generic[Out]):
    """A linear pipeline whose concurrency is inserted at edges; runs once.

    ``stages`` holds one list of nodes per thread; the source shares the thread of the first list, which may be empty.
    Every result of the last stage goes to each of ``branches``, each in its own thread. ``edges`` is one policy for
    all edges between stages or one for each. Usage::

        graph: Graph[FrameResult] = Graph(
            source, [[], [detect], [track, interact, smooth]], branches=[[overlay], [csv, jsonl]]
        )
        report = graph.run()        # or: for result in graph.iterate(): ...

    No wait is endless. After a failure, items behind the failed stage may pass for half of ``stop_seconds``, and at its
    end the error is raised; after ``stop`` or an interrupt in-flight items may pass for ``drain_seconds``. A node that
    still has not returned ``stop_seconds`` later, from ``open`` too, is named in the report and closed by its own
    thread when it returns. A part that opens for longer than ``open_seconds`` (an engine may be built then), or a node,
    such as a blocked sink, that is busy with one item for longer than ``item_seconds`` fails the run. Only the source
    may be silent for as long as it likes; the report says so. Closing takes as long as it needs (a large file is
    finished then); what is still open ``finish_seconds`` after a stop, ``close_seconds`` after a failure or hard stop,
    is left behind.

    ``record_to`` writes down which frames came and where any were dropped; ``replay`` runs such a record again, over
    the same source and with the same nodes: each node then sees exactly the same frames, at any speed.

    Raises ``UsageError`` for a plan that does not fit: empty stage, wrong number of edges, a name used twice; and
    ``InputError`` for a record of another plan.
    """

    def __init__(
        self,
        source: Source[Any],
        stages: Sequence[Sequence[AnyNode]],
        *,
        branches: Sequence[Sequence[AnyNode] | Branch] = (),
        edges: EdgePolicy | Sequence[EdgePolicy] = LOSSLESS,
        source_name: str = "decode",
        open_seconds: float = 900.0,  # the longest an engine takes to build, with a margin
        item_seconds: float = 120.0,  # twenty times what the largest method takes for a picture on a small CPU
        drain_seconds: float = 5.0,
        stop_seconds: float = 0.8,  # leaves 0.2 s for closing within the one second promised after a failure
        finish_seconds: float = 30.0,  # the index of hours of video takes a few
        close_seconds: float = 5.0,
        clock: Clock | None = None,
        record_to: Path | str | None = None,
        replay: RunRecord | None = None,
    ) -> None:
        limits = Limits(open_seconds, item_seconds, drain_seconds, stop_seconds, finish_seconds, close_seconds)
        self._limits = limits
        self._plan = make_plan(source_name, stages, edges, branches)
        self._clock = clock or MonotonicClock()
        self._news = News()
        self._tape = make_tape(self._plan.describe(), record_to, replay)
        self._wiring = Wiring(self._plan, source, self._news, self._clock, self._tape)
        self._opening = Opening(self._wiring.parts, self._news, limits.open_seconds)
        self._closing = Closing(self._wiring.parts, self._news.failed)
        self._source = source
        self._shutdown = Shutdown()
        self._interrupts = Interrupts(lambda count: self.stop(drain=count == 1))
        self._progress = Progress()
        self._final: RunReport | None = None
        self._tally = Tally(self._clock)
        self._claimed = self._begun = self._over = self._source_given_up = self._ended_with_interpreter = False

    def describe(self) -> str:
        """The plan in one line, for example ``decode | detect | track > interact > smooth | overlay, csv > jsonl``."""
        return self._plan.describe()

    def run(self, on_interrupt: Literal["raise", "report"] = "raise") -> RunReport:
        """Run to the end of the source and give the report.

        Raises ``StageError`` if the source or a node raised; all parts are closed by then, and ``report`` still
        answers. On ``KeyboardInterrupt`` the source stops, in-flight items pass, everything is closed (a second one
        skips the in-flight items); then it is raised, or with ``on_interrupt="report"`` the report is given back
        with ``interrupted`` set.
        """
        self._claim()
        self._conclude()
        if self._interrupts.count and on_interrupt == "raise":
            raise KeyboardInterrupt
        return self.report()

    def iterate(self) -> Iterator[Out]:
        """Run, and give each result of the last stage to the caller's thread, in order, in bounded memory.

        The graph starts with the first ``next`` and waits while the caller holds back. Leaving early (``break``,
        ``close``, an exception) stops the source, lets in-flight items pass to the branches and closes everything;
        wrap the iterator in ``contextlib.closing`` where it matters when that happens. Raises as ``run`` does.
        """
        self._claim()
        return self._results(self._wiring.add_outlet(LOSSLESS))

    def stop(self, drain: bool = True) -> None:
        """Stop early, from any thread, a node or a signal handler; does not wait.

        The source is read no further. With ``drain`` in-flight items pass; without, they are discarded.
        """
        self._news.halted = True
        if self._over:
            return
        self._progress.interrupted = True
        self._wiring.feed.interrupt()
        limit, last = self._limits.drain_seconds, self._limits.stop_seconds
        if drain:
            steps = [(limit / 2, self._give_up_source), (limit, self._wiring.abort), (limit + last, self._abandon)]
            self._shutdown.begin(Urgency.DRAIN, steps)
        else:
            self._shutdown.begin(Urgency.ABORT, [(last, self._abandon)])
            self._wiring.abort()
        self._news.changed()

    def report(self) -> RunReport:
        """Counts and times up to now; final once the run is over."""
        if self._final is not None:
            return self._final
        if self._begun:
            self._progress.ended_seconds = time.perf_counter()
        return make_report(self._plan, self._wiring, self._tally, self._progress)

    def _claim(self) -> None:
        if self._claimed:
            raise UsageError("this graph has already run: build a new one for each source")
        self._claimed = True

    def _begin(self) -> None:
        """Open everything in pipeline order, then start the threads; a failure is kept for ``_conclude``."""
        self._begun = True
        self._progress.called_seconds = self._progress.started_seconds = time.perf_counter()
        self._opening.start(self._open)
        self._opening.wait(self._tick, _POLL_SECONDS)
        self._progress.started_seconds = time.perf_counter()
        if self._opening.complete:
            self._start()

    def _open(self) -> None:
        """In the thread of ``Opening``."""
        part, feed = self._opening.part, self._wiring.feed
        self._progress.source_id = str(getattr(self._source, "source_id", "source"))
        info = part(feed.name, self._progress.source_id, self._source.open, feed.close)
        self._progress.source_id = info.source_id
        part("record", info.source_id, partial(self._tape.begin, info.source_id))
        for node in self._plan.nodes:
            self._opening.node(node, info)

    def _start(self) -> None:
        try:
            for stage in self._wiring.stages:
                attributed(stage.name, self._progress.source_id, None, partial(stage.start, self._progress.source_id))
            self._wiring.gate.settle(True)
        except StageError as failure:
            if isinstance(failure.__cause__, KeyboardInterrupt):
                raise failure.__cause__ from None
            self._news.failed(failure)

    def _results(self, outlet: Edge[Out]) -> Iterator[Out]:
        left: Edge[Out] | None = outlet
        end = partial(self._end_with_interpreter, outlet)
        atexit.register(end)
        try:
            self._interrupts.hold()
            self._begin()
            while (item := self._next_result(outlet)) is not None:
                self._tally.add(item[0])
                self._interrupts.release()
                yield item[0]
                self._interrupts.hold()
            left = outlet if self._interrupts.count else None
        except KeyboardInterrupt:  # in the caller's own code
            self._interrupts.hold()
            self._interrupts.count += 1
        finally:
            atexit.unregister(end)
            if not self._ended_with_interpreter:
                self._conclude(left)
                if self._interrupts.count:
                    raise KeyboardInterrupt

    def _end_with_interpreter(self, outlet: Edge[Out]) -> None:
        """Close a run that a script left in the middle when it ended: later no thread can be started to close it."""
        self._ended_with_interpreter = True
        with contextlib.suppress(StageError):  # no caller is left to handle it
            self._conclude(outlet)

    def _next_result(self, outlet: Edge[Out]) -> tuple[Out] | None:
        """The next result (in a tuple, since a result may be None), None when there will be none or none is wanted."""
        while not self._interrupts.count and (self._wiring.is_running() or outlet.depth):
            try:
                return (outlet.get(_POLL_SECONDS),)
            except TimeoutError:
                self._tick()
            except (EdgeFinished, EdgeAborted):
                break
        return None

    def _conclude(self, left: Edge[Out] | None = None) -> None:
        """Finish the run from wherever it stands, also through interrupts; raises what failed.

        ``left``: the edge whose results the caller no longer takes.
        """
        with self._interrupts:
            if left is not None:
                left.discard()
                self.stop(drain=True)
            while not self._over:
                try:
                    self._finish()
                except KeyboardInterrupt:  # of a handler that is not Python's own
                    self._interrupts.came()
        if self._news.failures:
            raise chained(self._news.failures)

    def _finish(self) -> None:
        """Begin if not begun, wait for the threads, close everything; after an interrupt it may be called again."""
        if not self._begun:
            self._begin()
        self._opening.wait(self._tick, _POLL_SECONDS)
        self._wiring.gate.settle(False)  # changes nothing if the threads were let through
        self._await_stages()
        progress, stages = self._progress, self._wiring.stages
        progress.ended_seconds = time.perf_counter()
        drained = all(stage.drained for stage in stages)
        progress.complete = self._wiring.feed.exhausted and drained and not self._news.failures
        left_behind = {name for stage in stages if stage.abandoned for name in stage.part_names}
        names = [name for name in self._wiring.parts.names if name not in left_behind]
        self._closing.close(names, progress.source_id, progress.complete, self._close_limit_seconds)
        progress.notes += self._closing.notes()
        self._finish_tape(cut=not drained)
        progress.complete &= not self._news.failures and not self._closing.left_behind
        progress.notes += self._tape.notes()
        progress.notes += failure_notes(self._news.failures, self._wiring)
        self._final = make_report(self._plan, self._wiring, self._tally, progress)
        self._over = True

    def _close_limit_seconds(self) -> float | None:
        return self._limits.to_close(self._shutdown.urgency, bool(self._news.failures))

    def _finish_tape(self, cut: bool) -> None:
        source_id, ended = self._progress.source_id, self._wiring.feed.exhausted
        try:
            attributed("record", source_id, None, partial(self._tape.finish, ended, cut))
        except StageError as failure:
            self._news.failed(failure)

    def _await_stages(self) -> None:
        """Return once no stage is waited for any more."""
        while self._wiring.is_running():
            self._tick()
            self._news.wait_while(self._wiring.is_running, _POLL_SECONDS)
        for stage in self._wiring.stages:
            stage.join()

    def _tick(self) -> None:
        if not self._news.failures and (late := self._limits.overdue(self._wiring.stages)) is not None:
            self._news.failed(late)
        if self._news.failures:
            last = self._limits.stop_seconds
            self._wiring.feed.interrupt()
            self._shutdown.begin(Urgency.FAILURE, [(last / 2, self._wiring.abort), (last, self._abandon)])
        self._shutdown.tick()
        running = [stage for stage in self._wiring.stages if stage.running]
        if self._source_given_up and running == self._wiring.trunk[:1]:
            self._abandon()

    def _give_up_source(self) -> None:
        """A source that does not return from reading must not keep the stages behind it from draining."""
        first = self._wiring.trunk[0]
        if first.running and self._wiring.feed.reading:
            self._source_given_up = True
            for outlet in first.outlets:
                outlet.finish()

    def _abandon(self) -> None:
        if (note := self._opening.abandon()) is not None:
            self._progress.notes.append(note)
        for stage in self._wiring.stages:
            if stage.running and stage.abandon():
                self._progress.notes.append(stage.left_behind_note)
