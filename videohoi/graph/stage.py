"""One thread of a graph: takes items from its feed, runs them through its nodes, puts them on its outlets."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from videohoi.errors import StageError
from videohoi.graph.edge import Edge, EdgeAborted, EdgeFinished
from videohoi.graph.measuring import Clock, DurationHistogram, Meter
from videohoi.graph.node import AnyNode, Interruptible, Source, TimeGuard, captured_seconds_of, frame_of
from videohoi.graph.parts import OpenParts, attributed
from videohoi.graph.replay import Tape
from videohoi.graph.shutdown import Gate, News

logger = logging.getLogger(__name__)

_END = object()
Result = TypeVar("Result")


class SourceFeed:
    """Items of the source, measured, without those whose time stamps are refused."""

    def __init__(self, name: str, source: Source[Any], news: News, tape: Tape) -> None:
        self.name = name
        self.source = source
        self.meter = Meter()
        self.guard = TimeGuard()
        self.exhausted = False
        """the source ended by itself"""
        self.reading = False
        """inside the source's code now"""
        self._news = news
        self._tape = tape
        self._interrupted = False
        self._iterator: Iterator[Any] = iter(())

    def interrupt(self) -> None:
        """Ask a source that can end its own wait to do so, once; report it if that fails."""
        if not isinstance(self.source, Interruptible) or self._interrupted:
            return
        self._interrupted = True
        try:
            attributed(self.name, self.name, None, self.source.interrupt)
        except StageError as failure:
            self._news.failed(failure)

    def items(self, source_id: str) -> Iterator[Any]:
        """The items until the source ends or is halted; a failure names the index of the missing frame."""
        self._iterator = attributed(self.name, source_id, 0, lambda: iter(self.source.frames()))
        while not self._news.halted and (number := self.meter.items_in) != self._tape.item_limit:
            item = self._pull(source_id)
            if item is _END:
                self.exhausted = not self._interrupted
                attributed(self.name, source_id, None, partial(self._tape.ended, number))
                return
            attributed(self.name, source_id, number, partial(self._tape.read, number, item))
            if self.guard.admits(item):
                yield item

    def close(self, complete: bool) -> None:
        """End the iterator where it stands, then close the source."""
        try:
            if isinstance(self._iterator, Generator):
                self._iterator.close()
        finally:
            self.source.close()

    def _pull(self, source_id: str) -> Any:
        self.meter.start()
        self.reading = True
        item = attributed(self.name, source_id, self.meter.items_in, lambda: next(self._iterator, _END))
        self.reading = False
        if item is _END:
            self.meter.stop()
        else:
            self.meter.stop_item(1)
        return item


class Tally:
    """Results that left the graph at one place: how many, when the first one, how old."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.count = 0
        self.first_seconds: float | None = None
        """``time.perf_counter`` of the first"""
        self.ages = DurationHistogram()
        """capture to here, of live frames"""

    def add(self, item: object) -> None:
        """Count one result."""
        if self.count == 0:
            self.first_seconds = time.perf_counter()
        self.count += 1
        captured_seconds = captured_seconds_of(item)
        if captured_seconds is not None:
            self.ages.add(self._clock.now() - captured_seconds)


@dataclass(frozen=True)
class Shared:
    """What all stages of one graph share."""

    news: News
    parts: OpenParts
    gate: Gate
    clock: Clock


class StageThread:
    """Runs nodes one after another in one thread; see ``videohoi.graph.node`` for the contract."""

    def __init__(self, nodes: Sequence[AnyNode], feed: SourceFeed | Edge[Any], shared: Shared) -> None:
        self.nodes = tuple(nodes)
        self.feed = feed
        self.outlets: list[Edge[Any]] = []
        self.meters = [Meter() for _ in nodes]
        self.tally = Tally(shared.clock)
        self.source_id = ""
        self.drained = False
        """the feed ended by itself and every node was drained"""
        self._active = ""
        self._shared = shared
        self._thread = threading.Thread(target=self._main, name=f"videohoi: {self.name}", daemon=True)
        # Daemon only so that a node that never returns cannot keep the process alive; every other thread is joined.
        self._state = threading.Lock()
        self._done = self.abandoned = False

    @property
    def part_names(self) -> tuple[str, ...]:
        """The source, if this stage reads it, and the nodes: the names in errors and reports."""
        source = (self.feed.name,) if isinstance(self.feed, SourceFeed) else ()
        return source + tuple(node.name for node in self.nodes)

    @property
    def name(self) -> str:
        """For example ``track > interact > smooth``."""
        return " > ".join(self.part_names)

    @property
    def busy_with(self) -> str:
        """The source or node that works now, or did last."""
        reading = isinstance(self.feed, SourceFeed) and self.feed.reading
        return self.part_names[0] if reading else self._active

    @property
    def left_behind_note(self) -> str:
        """For the report, after ``abandon``."""
        return f"{self.busy_with!r} did not return in time: its thread was left behind and closes it when it returns"

    @property
    def running(self) -> bool:
        """Let through the gate, not ended and still waited for."""
        return self._shared.gate.is_open and not self._done and not self.abandoned

    def stuck(self, seconds: float) -> tuple[str, float] | None:
        """The node that has been inside one call for longer than ``seconds``, and for how long."""
        for node, meter in zip(self.nodes, self.meters, strict=True):
            if meter.is_running and (since := meter.since_start()) > seconds:
                return node.name, since
        return None

    def start(self, source_id: str) -> None:
        """Start the thread, which waits at the gate."""
        self.source_id = source_id
        self._thread.start()

    def join(self) -> None:
        """Wait for the thread's last instructions; an abandoned one is not waited for."""
        if self._thread.is_alive() and not self.abandoned:
            self._thread.join()

    def abandon(self) -> bool:
        """Wait no longer: the thread closes its own nodes when it returns. False if it has already ended."""
        with self._state:
            self.abandoned = not self._done
            return self.abandoned

    def _main(self) -> None:
        if not self._shared.gate.passes():
            return
        try:
            with contextlib.suppress(EdgeAborted):
                self._work()
                self.drained = True
        except BaseException as cause:  # noqa: BLE001 - handed to the caller's thread
            place = self.busy_with or self.name
            failure = cause if isinstance(cause, StageError) else StageError(place, self.source_id, None, cause)
            if self.abandoned:
                self._log_late(failure)
            self._shared.news.failed(failure)
        finally:
            self._leave()

    def _work(self) -> None:
        for item in self._arrivals():
            self._push(0, item)
        for position in range(len(self.nodes)):
            self._drain(position)

    def _arrivals(self) -> Iterator[Any]:
        if isinstance(self.feed, SourceFeed):
            yield from self.feed.items(self.source_id)
            return
        with contextlib.suppress(EdgeFinished):
            while True:
                yield self.feed.get()

    def _push(self, position: int, item: Any) -> None:
        if position == len(self.nodes):
            self._deliver(item)
            return
        for output in self._process(position, item):
            self._push(position + 1, output)

    def _process(self, position: int, item: Any) -> Sequence[Any]:
        node, meter = self.nodes[position], self.meters[position]
        self._active = node.name
        meter.start()
        try:
            outputs = _listed(node.process(item))
        except BaseException as cause:
            if isinstance(cause, StageError) and cause.stage == node.name:
                raise  # it names its frame itself: a result may belong to an earlier one
            frame = frame_of(item)
            source_id, index = (self.source_id, None) if frame is None else (frame.source_id, frame.index)
            raise StageError(node.name, source_id, index, cause) from cause
        meter.stop_item(len(outputs))
        return outputs

    def _drain(self, position: int) -> None:
        """Pass on the items that the node held, one at a time since they may be many, then reset it."""
        node, meter = self.nodes[position], self.meters[position]
        held = self._timed(position, lambda: iter(node.drain()))
        while (output := self._timed(position, lambda: next(held, _END))) is not _END:
            meter.items_out += 1
            self._push(position + 1, output)
        self._timed(position, node.reset)

    def _timed(self, position: int, call: Callable[[], Result]) -> Result:
        node, meter = self.nodes[position], self.meters[position]
        self._active = node.name
        meter.start()
        result = attributed(node.name, self.source_id, None, call)
        meter.stop()
        return result

    def _deliver(self, item: Any) -> None:
        self.tally.add(item)
        for outlet in self.outlets:
            outlet.put(item)

    def _leave(self) -> None:
        """Tell the neighbours, then end; after ``abandon`` also close this stage's own parts."""
        if isinstance(self.feed, Edge):
            self.feed.abort()
        for outlet in self.outlets:
            outlet.finish()
        with self._state:
            self._done = True
            close_here = self.abandoned
        if close_here:
            for name in self.part_names:
                failure = self._shared.parts.close(name, self.source_id, complete=False)
                if failure is not None:
                    self._log_late(failure)
        self._shared.news.changed()

    def _log_late(self, failure: StageError) -> None:
        logger.warning("after the graph had given up waiting for stage %r: %s", self.name, failure)


def _listed(outputs: Iterable[Any] | None) -> Sequence[Any]:
    if outputs is None:
        raise TypeError("process() returned None; return an iterable of outputs, () for none")
    return outputs if isinstance(outputs, (tuple, list)) else tuple(outputs)
