"""The life every source shares: open, read once, close at any time; numbering, repair of time stamps, notes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from videohoi.decode.protocol import SourceReport
from videohoi.decode.timestamps import TimestampRepair
from videohoi.errors import UsageError
from videohoi.structures import Frame, SourceInfo

ASSUMED_FRAME_RATE_HZ = 25.0
"""for sources that state none (raw streams, image folders); ffmpeg assumes the same"""


class Picture(NamedTuple):
    """A decoded picture before it gets its number and its final time."""

    image: NDArray[np.uint8]
    """(H, W, 3) RGB, upright"""
    stamp_seconds: float | None
    """media time as the input states it; None when it states none"""
    captured_seconds: float | None = None
    """monotonic clock at capture, live sources only"""


class SequentialSource(ABC):
    """A ``Source``: subclasses open the input and yield pictures, this class does the rest.

    After ``close`` it may be opened again and is then read from the start with a fresh report.
    """

    def __init__(self, source_id: str) -> None:
        self.source_id = source_id
        self._report = SourceReport()
        self._timestamps = TimestampRepair(self._report, 1.0 / ASSUMED_FRAME_RATE_HZ)
        self._repeats: dict[str, tuple[int, int]] = {}
        self._run = 0  # counts openings, so that an iterator of an earlier one ends instead of reading the new one
        self._is_open = False
        self._is_read = False

    @property
    def report(self) -> SourceReport:
        """Counts so far."""
        return self._report

    def open(self) -> SourceInfo:
        """Open the input.

        Raises:
            DecodeError: it cannot be opened or holds no picture.
            UsageError: it is open already.
        """
        if self._is_open:
            raise UsageError(f"{self.source_id}: open() was called twice; call close() before opening again")
        self._report = SourceReport()
        self._repeats = {}
        self._run += 1
        try:
            info = self._open_input()
        except BaseException:
            self._close_input()
            raise
        step_seconds = 1.0 / (info.frame_rate_hz or ASSUMED_FRAME_RATE_HZ)
        self._timestamps = TimestampRepair(self._report, step_seconds)
        self._is_open, self._is_read = True, False
        return replace(info, source_id=self.source_id)

    def frames(self) -> Iterator[Frame]:
        """The frames in order, once.

        Raises:
            UsageError: the source is not open, or its frames were asked for already.
        """
        if not self._is_open or self._is_read:
            reason = "its frames are read already" if self._is_open else "it is not open"
            raise UsageError(
                f"{self.source_id}: frames() needs a freshly opened source, but {reason}; call open() first"
            )
        self._is_read = True
        return self._number(self._run)

    def close(self) -> None:
        """Release the input; may be called twice and while ``frames`` is suspended."""
        self._is_open = False
        self._close_input()

    def _number(self, run: int) -> Iterator[Frame]:
        pictures = self._pictures()
        while self._is_open and run == self._run:
            picture = next(pictures, None)
            if picture is None:
                return
            index, self._report.frames = self._report.frames, self._report.frames + 1
            pts_seconds = self._timestamps.place(picture.stamp_seconds)
            yield Frame(picture.image, index, pts_seconds, self.source_id, picture.captured_seconds)

    def _note(self, sentence: str) -> None:
        """Put ``sentence`` into the report, once."""
        if sentence not in self._report.notes:
            self._report.notes.append(sentence)

    def _note_again(self, sentence: str) -> None:
        """Put ``sentence`` into the report with how often it came: one line, however often."""
        notes = self._report.notes
        row, count = self._repeats.get(sentence, (len(notes), 0))
        if count == 0:
            notes.append(sentence)
        self._repeats[sentence] = (row, count + 1)
        notes[row] = sentence if count == 0 else f"{sentence} ({count + 1} times)"

    @abstractmethod
    def _open_input(self) -> SourceInfo: ...

    @abstractmethod
    def _pictures(self) -> Iterator[Picture]: ...

    @abstractmethod
    def _close_input(self) -> None:
        """Release what ``_open_input`` took; called also when it failed half way, and twice."""
