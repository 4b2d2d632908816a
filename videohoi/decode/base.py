"""What every source shares: open, read in order or at random, close; numbering, repair of time stamps, notes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from videohoi.decode.continuity import PictureSizes, TimestampRepair
from videohoi.decode.protocol import SourceReport
from videohoi.errors import DecodeError, UsageError
from videohoi.names import counted
from videohoi.structures import Discontinuity, Frame, SourceInfo

ASSUMED_FRAME_RATE_HZ = 25.0
"""of sources that state none (raw streams, image folders); ffmpeg assumes the same"""
NAMED_SIZE_CHANGES = 3
"""changes of the picture size that are noted one by one; later ones are only counted"""


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

    is_live = False
    """a camera or stream: it has no pictures to go back to"""

    def __init__(self, source_id: str, *, frame_rate_hz: float | None = None) -> None:
        """``frame_rate_hz``: pictures a second, whatever times the input states; None: the input's own times.

        Raises ``UsageError`` unless it is a positive number.
        """
        if frame_rate_hz is not None and not 0 < frame_rate_hz < float("inf"):
            raise UsageError(f"frame_rate_hz={frame_rate_hz}: expected pictures a second, a number above 0")
        self.source_id = source_id
        self._set_rate_hz = frame_rate_hz
        self._sizes, self._size_changes = PictureSizes(), 0
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
        self._sizes, self._size_changes = PictureSizes(), 0
        self._run += 1
        try:
            info = self._retimed(self._open_input())
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
            reason = "its frames have been read" if self._is_open else "it is not open"
            raise UsageError(
                f"{self.source_id}: frames() needs a freshly opened source, but {reason}; call open() first"
            )
        self._is_read = True
        return self._number(self._run)

    def read(self, indices: Sequence[int] | NDArray[np.int64]) -> list[Frame]:
        """The frames with these numbers, in the order asked for; a number may repeat. The source must be closed.

        Frame k is the one that ``frames`` yields with index k. In a damaged video a lost frame keeps its number here,
        while ``frames`` counts on without it. Video files are read by seeking; what cannot be, from its start.

        Raises:
            UsageError: a number is negative, not whole or beyond the last frame, or the source is live or open.
            DecodeError: the input cannot be opened, or one of the frames cannot be decoded.
        """
        numbers = self._checked_numbers(indices)
        self._require_recorded("read")
        frames = self._read_numbers(sorted(set(numbers))) if numbers else {}
        lost = [number for number in numbers if number not in frames]
        if lost:
            raise DecodeError(f"{self.source_id}: frame {lost[0]} cannot be decoded; ask for another one")
        return [frames[number] for number in numbers]

    def read_at(self, seconds: Sequence[float] | NDArray[np.float64]) -> list[Frame]:
        """The frames on screen at these media times: the last that began by then. Errors as ``read``.

        A time before the first frame gives the first, one after the last the last.
        """
        moments = np.asarray(seconds, np.float64)
        if moments.ndim != 1 or not np.isfinite(moments).all():
            raise UsageError(f"{self.source_id}: read_at() needs a list of times in seconds, got {seconds!r}")
        rows = np.searchsorted(self.frame_times_seconds(), moments, side="right") - 1
        return self.read(np.maximum(rows, 0))

    def frame_times_seconds(self) -> NDArray[np.float64]:
        """(N,) ``pts_seconds`` of every frame. Video files are not decoded for it, only read. Errors as ``read``."""
        self._require_recorded("frame_times_seconds")
        self.open()
        try:
            return np.array([frame.pts_seconds for frame in self.frames()], np.float64)
        finally:
            self.close()

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
            stamp_seconds = picture.stamp_seconds if self._set_rate_hz is None else index / self._set_rate_hz
            pts_seconds = self._timestamps.place(stamp_seconds)
            image, discontinuity = self._sized(picture.image, pts_seconds)
            yield Frame(image, index, pts_seconds, self.source_id, picture.captured_seconds, discontinuity)

    def _retimed(self, info: SourceInfo) -> SourceInfo:
        """``info`` with the rate that was set, instead of the input's own."""
        rate = self._set_rate_hz
        if rate is None:
            return info
        self._note(f"frame_rate_hz is set: times are {counted(rate, 'picture')} a second, whatever the input states")
        duration = None if info.frame_count is None else info.frame_count / rate
        return replace(info, frame_rate_hz=rate, duration_seconds=duration)

    def _sized(self, image: NDArray[np.uint8], pts_seconds: float) -> tuple[NDArray[np.uint8], Discontinuity | None]:
        """The picture in the size in use; a change of size is noted with the time of the first one."""
        sized, discontinuity = self._sizes.fit(image)
        if discontinuity is not None:
            self._note_change(f"the picture changes to {image.shape[1]}x{image.shape[0]} at {pts_seconds:.2f} s")
        elif sized is not image:
            self._note(f"smaller pictures from {pts_seconds:.2f} s on are enlarged to the size before them")
        return sized, discontinuity

    def _note_change(self, sentence: str) -> None:
        """Note the first few changes of the picture size one by one, and how many there are in all."""
        self._size_changes += 1
        if self._size_changes <= NAMED_SIZE_CHANGES:
            self._note(f"{sentence}; tracks and states start over there")
        else:
            self._note_again("the picture size changes again")

    def _read_numbers(self, numbers: list[int]) -> dict[int, Frame]:
        """Frames by number; ``numbers`` increase. Without a way to seek: everything up to the last is decoded."""
        self.open()
        frames: dict[int, Frame] = {}
        wanted = frozenset(numbers)
        try:
            for frame in self.frames():
                if frame.index in wanted:
                    frames[frame.index] = frame
                if frame.index >= numbers[-1]:
                    return frames
        finally:
            self.close()
        raise self._beyond_end(numbers[-1], self._report.frames)

    def _times_of(self, stamps_seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """The ``pts_seconds`` that ``frames`` gives to frames with these stamps."""
        if self._set_rate_hz is not None:
            return np.arange(len(stamps_seconds)) / self._set_rate_hz
        repair = TimestampRepair(SourceReport(), 1.0 / ASSUMED_FRAME_RATE_HZ)
        return np.array([repair.place(float(stamp)) for stamp in stamps_seconds], np.float64)

    def _beyond_end(self, number: int, count: int) -> UsageError:
        return UsageError(f"{self.source_id}: frames are 0 to {count - 1}, asked for {number}")

    def _checked_numbers(self, indices: Sequence[int] | NDArray[np.int64]) -> list[int]:
        numbers = np.asarray(indices)
        if numbers.ndim != 1 or (numbers.size and (numbers.dtype.kind not in "iu" or int(numbers.min()) < 0)):
            raise UsageError(f"{self.source_id}: read() needs a list of frame numbers, 0 or more, got {indices!r}")
        return [int(number) for number in numbers]

    def _require_recorded(self, method: str) -> None:
        if self.is_live:
            raise UsageError(f"{self.source_id}: {method}() needs a recording; a camera or stream gives frames() only")
        if self._is_open:
            raise UsageError(f"{self.source_id}: {method}() needs a closed source; call close() first")

    def _note(self, sentence: str) -> None:
        """Put ``sentence`` into the report, once."""
        if sentence not in self._report.notes:
            self._report.notes.append(sentence)

    def _note_again(self, sentence: str) -> None:
        """Put ``sentence`` into the report with the number of times it occurred, in one line."""
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
        """Release what ``_open_input`` took; also called after it failed, and possibly twice."""
