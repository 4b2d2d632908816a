"""How a graph's threads begin together, and what is done, and when, if a graph that should stop does not."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from enum import IntEnum

Step = tuple[float, Callable[[], None]]


class Gate:
    """Threads wait here until all are started. An interrupt while they are being started lets none of them through.

    Without it, an interrupt inside ``Thread.start`` would leave it unknown whether that thread runs.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._verdict: bool | None = None

    @property
    def is_open(self) -> bool:
        """Threads may pass."""
        return self._verdict is True

    def settle(self, verdict: bool) -> None:
        """Open the gate, or send everyone home; the first verdict stays, a later call only wakes who still waits."""
        with self._changed:
            if self._verdict is None:
                self._verdict = verdict
            self._changed.notify_all()

    def passes(self) -> bool:
        """Wait for the verdict."""
        with self._changed:
            while self._verdict is None:
                self._changed.wait()
            return self._verdict


class Urgency(IntEnum):
    """Why a graph stops; a more urgent reason replaces the plan of a less urgent one, never the reverse."""

    NONE = 0
    DRAIN = 1
    """asked to: in-flight items may pass"""
    FAILURE = 2
    """a stage failed: what is behind it may pass, briefly"""
    ABORT = 3
    """asked to, at once"""


class Shutdown:
    """Steps with a time each, run by whoever calls ``tick``.

    It reads the machine's clock, not an injected one: a limit that a test clock could freeze would be no limit.
    """

    def __init__(self) -> None:
        self.urgency = Urgency.NONE
        self._steps: deque[Step] = deque()

    def begin(self, urgency: Urgency, steps: list[Step]) -> None:
        """Take up a plan: (seconds from now, action) in order; ignored unless more urgent than the present one."""
        if urgency > self.urgency:
            now = time.monotonic()
            self.urgency = urgency
            self._steps = deque((now + delay, action) for delay, action in steps)

    def tick(self) -> None:
        """Run what is due."""
        steps = self._steps
        while steps and time.monotonic() >= steps[0][0]:
            _, action = steps.popleft()
            action()
