"""How a run ends: news between threads, interrupts, time limits, and a shutdown in steps."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from types import FrameType, TracebackType
from typing import Protocol

from videohoi.errors import StageError, UsageError


class News:
    """Shared by the stages' threads, which write, and the caller's thread, which waits.

    The condition's lock is re-entrant: a signal handler may report something while the caller's thread waits here.
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
        """Wake the caller's thread: something changed."""
        with self._changed:
            self._changed.notify_all()

    def wait_while(self, condition: Callable[[], bool], limit_seconds: float) -> None:
        """Wait for the next news, at most this long, if ``condition`` holds."""
        with self._changed:
            if condition():
                self._changed.wait(limit_seconds)


class Interrupts:
    """While held, an interrupt calls ``on_interrupt`` with how many have come, in place of ``KeyboardInterrupt``.

    Python raises ``KeyboardInterrupt`` between any two instructions, also while an earlier one is being handled, and
    then the threads would not be stopped nor the files closed. Only Python's own handler is replaced, and only in the
    main thread, which alone gets interrupts; a handler installed by others stays.
    """

    def __init__(self, on_interrupt: Callable[[int], None]) -> None:
        self.count = 0
        self._on_interrupt = on_interrupt
        self._is_installed = False

    def hold(self) -> None:
        """From here on interrupts are counted; may be called again."""
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._handle)
            self._is_installed = True

    def release(self) -> None:
        """From here on interrupts are raised again; may be called again."""
        if self._is_installed:
            self._is_installed = False
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def __enter__(self) -> Interrupts:
        self.hold()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def came(self) -> None:
        """One more; also called for a ``KeyboardInterrupt`` that another handler raised."""
        self.count += 1
        self._on_interrupt(self.count)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.came()


Step = tuple[float, Callable[[], None]]


class Gate:
    """Threads wait here until all are started; an interrupt before that lets none of them through.

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
        """Let the waiting threads through (True) or end them (False); the first verdict stays."""
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
    """asked to stop: in-flight items may pass"""
    FAILURE = 2
    """a stage failed: items behind it may pass, briefly"""
    ABORT = 3
    """asked to stop at once"""


class Shutdown:
    """Actions that are due at given times; ``tick`` runs those that are due.

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


class Busy(Protocol):
    """What ``Limits`` needs to know of a stage."""

    @property
    def running(self) -> bool: ...  # noqa: D102
    @property
    def source_id(self) -> str: ...  # noqa: D102
    def stuck(self, seconds: float) -> tuple[str, float] | None: ...  # noqa: D102


def check_limits(**seconds: float) -> None:
    """Raise ``UsageError`` for a limit that is negative or not a number (``inf`` means no limit)."""
    for name, value in seconds.items():
        if not value >= 0:
            raise UsageError(f"{name}={value}: expected seconds, 0 or more")


@dataclass(frozen=True)
class Limits:
    """Of one ``Graph``; see there. ``UsageError`` for one that is negative or no number."""

    open_seconds: float
    item_seconds: float
    drain_seconds: float
    stop_seconds: float
    finish_seconds: float
    close_seconds: float

    def __post_init__(self) -> None:
        check_limits(**vars(self))

    def to_close(self, urgency: Urgency, failed: bool) -> float | None:
        """For closing all parts; None: as long as it takes."""
        if failed or urgency == Urgency.ABORT:
            return self.close_seconds
        return None if urgency == Urgency.NONE else self.finish_seconds

    def overdue(self, stages: Iterable[Busy]) -> StageError | None:
        """The failure of the first node that has been busy with one item for too long."""
        for stage in stages:
            if stage.running and (stuck := stage.stuck(self.item_seconds)) is not None:
                cause = TimeoutError(f"it did not return within {self.item_seconds:g} s")
                return StageError(stuck[0], stage.source_id, None, cause)
        return None
