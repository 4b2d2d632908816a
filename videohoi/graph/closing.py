"""Closing what is open, in order, so that a part that hangs in ``close`` holds nobody up for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from videohoi.errors import StageError
from videohoi.graph.failures import OpenParts

_POLL_SECONDS = 0.05
"""how often the caller's thread looks whether the matter has become urgent"""


class Closing:
    """Runs each ``close`` in a short-lived thread of its own, one after another, and waits for it.

    A run that nobody stopped waits without limit, since writing the index of a large file takes its time. It may be
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
        """Close all of these; what is still open so long after that limit (of all of them) was set is left behind.

        ``limit_seconds`` is asked again and again: None as long as there is no hurry.
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
        thread.start()
        return thread

    def _await(self, name: str, thread: threading.Thread, limit_seconds: Callable[[], float | None]) -> None:
        while thread.is_alive() and name not in self.left_behind:
            thread.join(self._left_seconds(limit_seconds()))
            if self._left_seconds(limit_seconds()) <= 0 and thread.is_alive():
                self.left_behind.append(name)

    def _left_seconds(self, limit_seconds: float | None) -> float:
        """Until the limit that holds now runs out, at most until the next look; a new limit counts from now."""
        now = time.monotonic()
        if limit_seconds != self._limit_seconds:
            self._limit_seconds, self._limited_since = limit_seconds, now
        if limit_seconds is None:
            return _POLL_SECONDS
        return max(0.0, min(_POLL_SECONDS, self._limited_since + limit_seconds - now))
