"""Named pipes as video input: a wait for the writer is announced and can be ended; MP4 gets an explanation."""

from __future__ import annotations

import logging
import os
import select
import stat
import threading
import time
from pathlib import Path

WAIT_NOTICE_SECONDS = 2.0
"""a wait for the writer of a pipe is announced after this long"""
_POLL_SECONDS = 0.2
_HEAD_BYTES = 12

_LOG = logging.getLogger(__name__)


def is_pipe(path: Path) -> bool:
    """``path`` is a named pipe (FIFO)."""
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except (OSError, ValueError):
        return False


class PipeReader:
    """A named pipe as a file object without seeking, for ``av.open``."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.reason: str | None = None
        """why it cannot be read as a video; None where that is not known"""
        self._interrupted = threading.Event()
        self._head = b""
        self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # without O_NONBLOCK this itself waits for a writer

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; waits for them, and for a writer at first. Empty at the end or when interrupted."""
        began = time.monotonic()
        is_announced = False
        while not self._interrupted.is_set():
            ready, _, _ = select.select([self._file], [], [], _POLL_SECONDS)
            data = self._read_now(size) if ready else None
            if data or (data == b"" and self._head):
                self._keep_head(data)
                return data
            if data == b"":  # no writer has opened the pipe yet: select returns at once then
                time.sleep(_POLL_SECONDS)
            if not self._head and not is_announced and time.monotonic() - began > WAIT_NOTICE_SECONDS:
                is_announced = True
                _LOG.warning("%s: waiting for a program that writes into this pipe", self.name)
        self.reason = "interrupted while waiting for a program that writes into this pipe"
        return b""

    def interrupt(self) -> None:
        """End the wait; may be called from any thread."""
        self._interrupted.set()

    def close(self) -> None:
        """Close the pipe; may be called twice."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _read_now(self, size: int) -> bytes | None:
        try:
            return os.read(self._file, size)
        except BlockingIOError:
            return None

    def _keep_head(self, data: bytes) -> None:
        if len(self._head) < _HEAD_BYTES:
            self._head += data[: _HEAD_BYTES - len(self._head)]
            if self._head[4:8] == b"ftyp":
                self.reason = (
                    "an MP4 or MOV file comes through this pipe, but its format needs a seekable file; "
                    "write it to a disk first, or send a format that can be streamed (Matroska, MPEG-TS)"
                )
