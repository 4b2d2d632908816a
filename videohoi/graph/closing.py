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

    As long as nothing is urgent it waits without limit, since writing the index of a large file takes its time. It may
    be interrupted and called again; no part is closed twice.
    """

    def __init__(self, parts: OpenParts, failed: Callable[[StageError], None]) -> None:
        self._parts = parts
        self._failed = failed
        self._threads: dict[str, threading.Thread] = {}
        self._urgent_since: float | None = None
        self.left_behind: list[str] = []
        """parts that did not close in time"""

    def notes(self) -> list[str]:
        """One sentence for each part that did not close in time."""
        return [
            f"{name!r} did not close in time: it was left behind and its output may be unfinished"
            for name in self.left_behind
        ]

    def close(
        self, names: Iterable[str], source_id: str, complete: bool, urgent: Callable[[], bool], limit_seconds: float
    ) -> None:
        """Close all of these; those that are not closed ``limit_seconds`` after it was ``urgent`` are left behind."""
        for name, thread in list(self._threads.items()):  # begun before an interrupt
            self._await(name, thread, urgent, limit_seconds)
        for name in names:
            self._await(name, self._start(name, source_id, complete), urgent, limit_seconds)

    def _start(self, name: str, source_id: str, complete: bool) -> threading.Thread:
        def run() -> None:
            failure = self._parts.close(name, source_id, complete=complete)
            if failure is not None:
                self._failed(failure)

        thread = threading.Thread(target=run, name=f"videohoi: close {name}", daemon=True)
        self._threads[name] = thread
        thread.start()
        return thread

    def _await(self, name: str, thread: threading.Thread, urgent: Callable[[], bool], limit_seconds: float) -> None:
        while thread.is_alive() and name not in self.left_behind:
            thread.join(min(_POLL_SECONDS, limit_seconds))
            if urgent():
                self._urgent_since = self._urgent_since or time.monotonic()
                if time.monotonic() - self._urgent_since >= limit_seconds and thread.is_alive():
                    self.left_behind.append(name)
