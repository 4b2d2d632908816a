"""Where the runtime reads the time: injected, so that a test can say what time it is."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A clock that never goes back; the zero point has no meaning."""

    def now(self) -> float:
        """Seconds."""
        ...


class MonotonicClock:
    """The machine's monotonic clock, the one ``Frame.captured_seconds`` is read from."""

    def now(self) -> float:
        """Seconds of ``time.monotonic``."""
        return time.monotonic()


class ManualClock:
    """A clock that moves only when told."""

    def __init__(self, start_seconds: float = 0.0) -> None:
        self._seconds = start_seconds

    def now(self) -> float:
        """Seconds, as last set."""
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Move forward; raises ``ValueError`` on a negative step."""
        if seconds < 0:
            raise ValueError(f"a clock cannot go back: advance({seconds})")
        self._seconds += seconds
