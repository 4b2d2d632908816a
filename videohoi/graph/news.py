"""What the threads of a graph tell each other beside the items: a failure, an end, a wish to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable

from videohoi.errors import StageError


class News:
    """Shared by the stages' threads, which write, and the caller's thread, which waits.

    The condition's lock is re-entrant: a signal handler may tell something while the caller's thread waits here.
    """

    def __init__(self) -> None:
        self.halted = False
        """no further item is to be pulled from the source; set by any thread, never taken back"""
        self.failures: list[StageError] = []
        """in the order in which they happened"""
        self._changed = threading.Condition()

    def failed(self, failure: StageError) -> None:
        """The source or a node raised."""
        with self._changed:
            self.failures.append(failure)
            self.halted = True
            self._changed.notify_all()

    def changed(self) -> None:
        """Something happened that the caller's thread should look at."""
        with self._changed:
            self._changed.notify_all()

    def wait_while(self, condition: Callable[[], bool], limit_seconds: float) -> None:
        """Wait for the next news, at most this long, if ``condition`` holds."""
        with self._changed:
            if condition():
                self._changed.wait(limit_seconds)
