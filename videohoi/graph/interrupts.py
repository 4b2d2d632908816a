"""What Ctrl-C does while a graph runs: it is counted and acted on, never raised in the middle of a statement."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType


class Interrupts:
    """While held, an interrupt calls ``on_interrupt`` with how many have come, in place of ``KeyboardInterrupt``.

    Python raises that one between any two instructions, also while an earlier one is being handled, and then nobody is
    left who would stop the threads and close the files. Only Python's own handler is replaced, and only in the main
    thread, which alone gets interrupts; who installed another handler keeps it.
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
