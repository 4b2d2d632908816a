"""Opening what a graph is made of, in order, so that a part that hangs in ``open`` holds nobody up for ever."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from videohoi.errors import StageError
from videohoi.graph.failures import OpenParts, attributed
from videohoi.graph.news import News
from videohoi.graph.node import AnyNode
from videohoi.structures import SourceInfo

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


class _NotWantedError(Exception):
    """Nothing more is to be opened: the run was stopped, or nobody waits any longer."""


class Opening:
    """Opens parts one after another in a thread of its own, so that whoever waits for it may stop waiting.

    A part that is left behind is closed by that thread once its ``open`` returns. What was opened before it is closed
    as ever. After a stop no further part is opened.
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
        """Run ``work``, which calls ``part`` for each part; a failure is news."""
        self._since_seconds = time.monotonic()
        self._thread = threading.Thread(target=self._main, args=(work,), name="videohoi: open", daemon=True)
        self._thread.start()

    def part(
        self, name: str, source_id: str, open_part: Callable[[], Result], close: Callable[[bool], None] | None = None
    ) -> Result:
        """Open one part, remember how it is closed, and give what its ``open`` gave; only inside ``work``."""
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
        """Wait no longer; gives a note that names the part that hangs, None if there is none."""
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
            logger.warning("after the graph had given up waiting for it: %s", failure)
        else:
            self._news.failed(failure)


def _close_node(node: AnyNode, complete: bool) -> None:
    node.close(complete=complete)
