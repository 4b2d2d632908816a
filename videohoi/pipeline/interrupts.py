"""When Ctrl-C takes effect: as an exception at once, or after the files are safe."""

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
    """Whether Ctrl-C was pressed."""

    came: bool = False


@contextlib.contextmanager
def interrupts_raise() -> Iterator[None]:
    """In the block an interrupt raises ``KeyboardInterrupt``, so that files can be closed or removed."""
    with _handled(signal.default_int_handler):
        yield


@contextlib.contextmanager
def interrupts_wait() -> Iterator[Interrupt]:
    """In the block the first interrupt is noted and the second raises: for short work that should not be cut."""
    interrupt = Interrupt()

    def note(number: int, frame: FrameType | None) -> None:
        if interrupt.came:
            signal.default_int_handler(number, frame)
        interrupt.came = True

    with _handled(note):
        yield interrupt


@contextlib.contextmanager
def _handled(handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    """Set the handler in the main thread; no other thread may set one, or is interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        if before is not None:  # None: the handler was set in C and is not known here
            signal.signal(signal.SIGINT, before)
