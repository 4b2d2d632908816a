"""What Ctrl-C does, and when: at once, as an exception, or after the files are safe."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any


@dataclass
class Interrupt:
    """Whether one came."""

    came: bool = False


@contextlib.contextmanager
def interrupts_raise() -> Iterator[None]:
    """Inside, an interrupt is a ``KeyboardInterrupt``, so that what is being written can be closed or removed."""
    with _handled(signal.default_int_handler):
        yield


@contextlib.contextmanager
def interrupts_wait() -> Iterator[Interrupt]:
    """Inside, the first interrupt is only noted and the second is raised: for short work that should not be cut."""
    interrupt = Interrupt()

    def note(number: int, frame: FrameType | None) -> None:
        if interrupt.came:
            signal.default_int_handler(number, frame)
        interrupt.came = True

    with _handled(note):
        yield interrupt


@contextlib.contextmanager
def _handled(handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    """Only the main thread may set handlers, and only it gets interrupts: elsewhere there is nothing to do."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        if before is not None:  # None: set by a host program in C, and lost
            signal.signal(signal.SIGINT, before)
