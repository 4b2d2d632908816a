"""Opening and closing the parts of a graph in order; failures carry the name of the part that failed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from videohoi.errors import StageError
from videohoi.graph.node import AnyNode
from videohoi.graph.shutdown import News
from videohoi.structures import SourceInfo

Result = TypeVar("Result")


def attributed(stage: str, source_id: str, frame_index: int | None, call: Callable[[], Result]) -> Result:
    """``call()``; whatever it raises becomes the cause of a ``StageError``.

    A ``StageError`` of ``stage`` itself passes unchanged, since it may know the frame better.
    """
    try:
        return call()
    except BaseException as cause:
        if isinstance(cause, StageError) and cause.stage == stage:
            raise
        raise StageError(stage, source_id, frame_index, cause) from cause


class OpenParts:
    """What is open, in pipeline order. Closing takes a part out first, so no part is ever closed twice."""

    def __init__(self) -> None:
        self._closers: dict[str, Callable[[bool], None]] = {}

    def add(self, name: str, close: Callable[[bool], None]) -> None:
        """Remember how to close ``name``; ``close`` is told whether the stream is complete."""
        self._closers[name] = close

    @property
    def names(self) -> tuple[str, ...]:
        """What is open now."""
        return tuple(self._closers)

    def close(self, name: str, source_id: str, *, complete: bool) -> StageError | None:
        """Close ``name`` if it is open; returns a failure instead of raising it, so that the others are closed too."""
        close = self._closers.pop(name, None)
        if close is None:
            return None
        try:
            attributed(name, source_id, None, partial(close, complete))
        except StageError as failure:
            return failure
        return None


def chained(failures: list[StageError]) -> StageError:
    """The first failure, with the others at the end of its chain of contexts, so that a traceback shows them all."""
    first = failures[0]
    for other in failures[1:]:
        chain = _chain(first)
        # A part that raises the same exception again in close adds nothing, and would make the chain circular.
        if not set(map(id, chain)) & set(map(id, _chain(other))):
            chain[-1].__context__ = other
    return first


def _chain(failure: BaseException) -> list[BaseException]:
    """A failure, its cause, that one's cause, ..."""
    chain: list[BaseException] = []
    link: BaseException | None = failure
    while link is not None and all(link is not known for known in chain):
        chain.append(link)
        link = link.__cause__ or link.__context__
    return chain


logger = logging.getLogger(__name__)


class _NotWantedError(Exception):
    """No further part is to be opened: the run was stopped, or opening took too long."""


class Opening:
    """Opens parts one after another in a thread of its own, so that the caller can stop waiting.

    A part that is left behind is closed by that thread once its ``open`` returns. What was opened before it is closed
    as usual. After a stop no further part is opened.
    """

    def __init__(self, parts: OpenParts, news: News, limit_seconds: float) -> None:
        """``limit_seconds``: longest time for one part; after it the run fails."""
        self.complete = False
        """everything is open"""
        self._parts = parts
        self._news = news
        self._limit_seconds = limit_seconds
        self._thread: threading.Thread | None = None
        self._state = threading.Lock()
        self._done = self._abandoned = False
        self._current, self._source_id = "open", ""
        self._since_seconds = 0.0

    @property
    def running(self) -> bool:
        """Begun, not ended and still waited for."""
        return self._thread is not None and not self._done and not self._abandoned

    def start(self, work: Callable[[], None]) -> None:
        """Run ``work``, which calls ``part`` for each part; a failure is reported to ``News``."""
        self._since_seconds = time.monotonic()
        self._thread = threading.Thread(target=self._main, args=(work,), name="videohoi: open", daemon=True)
        self._thread.start()

    def part(
        self, name: str, source_id: str, open_part: Callable[[], Result], close: Callable[[bool], None] | None = None
    ) -> Result:
        """Open one part, remember how it is closed, and return what its ``open`` returned; only inside ``work``."""
        if self._news.halted:
            raise _NotWantedError
        self._current, self._source_id, self._since_seconds = name, source_id, time.monotonic()
        result = attributed(name, source_id, None, open_part)
        with self._state:
            is_late = self._abandoned
            if close is not None and not is_late:
                self._parts.add(name, close)
        if is_late:
            if close is not None:
                attributed(name, source_id, None, partial(close, False))
            raise _NotWantedError
        return result

    def node(self, node: AnyNode, info: SourceInfo) -> None:
        """Open a node; only inside ``work``."""
        self.part(node.name, info.source_id, partial(node.open, info), partial(_close_node, node))

    def wait(self, tick: Callable[[], None], poll_seconds: float) -> None:
        """Return once nothing is being opened; may be interrupted and called again."""
        while self.running:
            tick()
            self._fail_if_overdue()
            self._news.wait_while(lambda: self.running, poll_seconds)
        if self._thread is not None and self._done:
            self._thread.join()

    def abandon(self) -> str | None:
        """Stop waiting; returns a note that names the part that hangs, None if there is none."""
        with self._state:
            if self._thread is None or self._done or self._abandoned:
                return None
            self._abandoned = True
        return f"{self._current!r} did not return from open in time: it was left behind and is closed when it returns"

    def _fail_if_overdue(self) -> None:
        if self.running and time.monotonic() - self._since_seconds >= self._limit_seconds:
            note = self.abandon()
            if note is not None:
                cause = TimeoutError(f"open() did not return within {self._limit_seconds:g} s and was left behind")
                self._news.failed(StageError(self._current, self._source_id, None, cause))

    def _main(self, work: Callable[[], None]) -> None:
        try:
            work()
            self.complete = True
        except _NotWantedError:
            pass
        except BaseException as cause:  # noqa: BLE001 - handed to the caller's thread
            self._failed(cause)
        finally:
            with self._state:
                self._done = True
            self._news.changed()

    def _failed(self, cause: BaseException) -> None:
        failure = cause if isinstance(cause, StageError) else StageError(self._current, self._source_id, None, cause)
        if self._abandoned:
            logger.warning("after the graph had stopped waiting for it: %s", failure)
        else:
            self._news.failed(failure)


def _close_node(node: AnyNode, complete: bool) -> None:
    node.close(complete=complete)


_POLL_SECONDS = 0.05
"""how often the caller's thread checks whether a limit now holds"""


class Closing:
    """Runs each ``close`` in a short-lived thread of its own, one after another, and waits for it.

    A run that was not stopped waits without limit, since writing the index of a large file takes its time. It may be
    interrupted and called again; no part is closed twice.
    """

    def __init__(self, parts: OpenParts, failed: Callable[[StageError], None]) -> None:
        self._parts = parts
        self._failed = failed
        self._threads: dict[str, threading.Thread] = {}
        self._limit_seconds: float | None = None
        self._limited_since = 0.0
        self.left_behind: list[str] = []
        """parts that did not close in time"""

    def notes(self) -> list[str]:
        """One sentence for each part that did not close in time."""
        return [
            f"{name!r} did not close in time: it was left behind and its output may be unfinished"
            for name in self.left_behind
        ]

    def close(
        self, names: Iterable[str], source_id: str, complete: bool, limit_seconds: Callable[[], float | None]
    ) -> None:
        """Close all of ``names``; a part still open after the limit, which holds for all together, is left behind.

        ``limit_seconds`` is called repeatedly; None means no limit.
        """
        for name, thread in list(self._threads.items()):  # begun before an interrupt
            self._await(name, thread, limit_seconds)
        for name in names:
            self._await(name, self._start(name, source_id, complete), limit_seconds)

    def _start(self, name: str, source_id: str, complete: bool) -> threading.Thread:
        def run() -> None:
            failure = self._parts.close(name, source_id, complete=complete)
            if failure is not None:
                self._failed(failure)

        thread = threading.Thread(target=run, name=f"videohoi: close {name}", daemon=True)
        self._threads[name] = thread
        try:
            thread.start()
        except RuntimeError:  # the interpreter is shutting down and starts no more threads
            run()
        return thread

    def _await(self, name: str, thread: threading.Thread, limit_seconds: Callable[[], float | None]) -> None:
        while thread.is_alive() and name not in self.left_behind:
            thread.join(self._left_seconds(limit_seconds()))
            if self._left_seconds(limit_seconds()) <= 0 and thread.is_alive():
                self.left_behind.append(name)

    def _left_seconds(self, limit_seconds: float | None) -> float:
        """Time to the current limit, at most one poll; a new limit counts from now."""
        now = time.monotonic()
        if limit_seconds != self._limit_seconds:
            self._limit_seconds, self._limited_since = limit_seconds, now
        if limit_seconds is None:
            return _POLL_SECONDS
        return max(0.0, min(_POLL_SECONDS, self._limited_since + limit_seconds - now))
