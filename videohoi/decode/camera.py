"""Cameras and network streams through OpenCV: capture times, reconnection with back-off, no passwords in messages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from videohoi.decode.base import Picture, SequentialSource
from videohoi.decode.registry import SourceRequest
from videohoi.errors import DecodeError, UsageError
from videohoi.names import redact_credentials
from videohoi.structures import SourceInfo


class Capture(Protocol):
    """The part of ``cv2.VideoCapture`` that is used."""

    def isOpened(self) -> bool: ...  # noqa: D102, N802 - OpenCV's name
    def grab(self) -> bool: ...  # noqa: D102
    def retrieve(self) -> tuple[bool, Any]: ...  # noqa: D102
    def get(self, property_id: int) -> float: ...  # noqa: D102
    def release(self) -> None: ...  # noqa: D102


@dataclass(frozen=True)
class ReconnectPolicy:
    """When and how often a lost connection is opened again."""

    attempts: int = 10
    """attempts in a row before the source fails; 0: no attempt"""
    first_delay_seconds: float = 0.5
    """wait before the first attempt; each further wait is twice as long"""
    longest_delay_seconds: float = 8.0
    """no wait is longer"""

    def __post_init__(self) -> None:
        if self.attempts < 0 or not 0 < self.first_delay_seconds <= self.longest_delay_seconds:
            raise UsageError(f"ReconnectPolicy needs attempts >= 0 and 0 < first delay <= longest delay, got {self}")

    def delays_seconds(self) -> Iterator[float]:
        """The wait before each attempt."""
        for attempt in range(self.attempts):
            yield min(self.first_delay_seconds * 2.0**attempt, self.longest_delay_seconds)


class CameraSource(SequentialSource):
    """A camera (index or device) or a stream (``rtsp://``, ``http://``); live.

    ``captured_seconds`` is the clock right after OpenCV received the picture. ``pts_seconds`` is the same clock,
    counted from the first picture, so a lost connection is a gap in time. A stream that states its length (a file on a
    web server) ends when the server ends it and is not opened again. ``close`` may be called from another thread: it
    ends a wait for the camera at once, and a read in progress as soon as OpenCV returns (``timeout_seconds`` at the
    latest).

    Args:
        address: camera index, device path or stream address.
        source_id: name of the source; None: ``camera 0``, or the address without its password.
        reconnect: when to open a lost connection again.
        timeout_seconds: longest time to open a stream, and to wait for one picture of it.
        clock: monotonic seconds.
        open_capture: opens the device; replaced where there is none.
    """

    is_live = True

    def __init__(
        self,
        address: int | str,
        *,
        source_id: str | None = None,
        reconnect: ReconnectPolicy | None = None,
        timeout_seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        open_capture: Callable[[int | str, float], Capture] | None = None,
    ) -> None:
        is_index = isinstance(address, int) or address.isdecimal()
        self._name = f"camera {int(address)}" if is_index else redact_credentials(str(address))
        super().__init__(source_id if source_id is not None else self._name)
        self._address: int | str = int(address) if is_index else address
        self._reconnect_policy = reconnect if reconnect is not None else ReconnectPolicy()
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._open_capture = open_capture if open_capture is not None else open_opencv_capture
        self._capture: Capture | None = None
        self._capture_lock = threading.Lock()  # held while OpenCV works: releasing a capture in use crashes
        self._closing = threading.Event()
        self._first: Picture | None = None
        self._first_captured_seconds = 0.0
        self._size_px = (0, 0)
        self._frame_limit = 0

    def _open_input(self) -> SourceInfo:
        self._closing.clear()
        if not self._connect():
            raise DecodeError(
                f"{self._name}: cannot be opened; check that it is switched on, that the address is right and that no "
                "other program uses it"
            )
        picture = self._read()
        capture = self._capture
        if picture is None or capture is None:
            raise DecodeError(f"{self._name}: opened but gave no picture; check that it sends video")
        height, width = picture.image.shape[:2]
        self._first, self._size_px = picture, (width, height)
        self._first_captured_seconds = picture.captured_seconds or 0.0
        self._frame_limit = int(_positive(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        rate = _positive(capture.get(cv2.CAP_PROP_FPS)) or None
        return SourceInfo(self.source_id, width, height, rate, None, None, live=True)

    def _pictures(self) -> Iterator[Picture]:
        picture, self._first = self._first, None
        while not self._closing.is_set():
            if picture is not None:
                yield self._at_first_size(picture)
            elif self._closing.is_set() or self._frame_limit or not self._reconnect():
                self._note_finite_end()
                return
            picture = self._read()

    def interrupt(self) -> None:
        """End ``frames`` soon, also out of a wait for a lost camera; from any thread, without waiting."""
        self._closing.set()

    def _read(self) -> Picture | None:
        """The next picture; None when the connection is lost or the source is being closed."""
        with self._capture_lock:
            picture = self._take()
        if self._closing.is_set():  # close() could not take the lock, so this thread releases the capture
            self._release()
            return None
        return picture

    def _take(self) -> Picture | None:
        capture = self._capture
        try:
            if capture is None or not capture.grab():
                return None
            captured_seconds = self._clock()
            is_whole, image = capture.retrieve()
        except cv2.error:
            return None
        if not is_whole or image is None:
            self._report.corrupt_packets += 1
            return None
        return Picture(_rgb(image), None, captured_seconds)

    def _at_first_size(self, picture: Picture) -> Picture:
        """The picture counted from the first one's time, at the first one's size."""
        captured_seconds = picture.captured_seconds or 0.0
        image = picture.image
        if image.shape[1::-1] != self._size_px:
            self._note("the camera changed its picture size; pictures are rescaled to the first one's")
            image = np.asarray(cv2.resize(image, self._size_px, interpolation=cv2.INTER_AREA), np.uint8)
        return Picture(image, captured_seconds - self._first_captured_seconds, captured_seconds)

    def _reconnect(self) -> bool:
        """Open the connection again, until it works (True) or ``close`` is called (False).

        Raises:
            DecodeError: all attempts failed.
        """
        self._note_again("the connection was lost")
        self._release()
        for delay_seconds in self._reconnect_policy.delays_seconds():
            if self._closing.wait(delay_seconds):
                return False
            if self._connect():
                return True
        raise DecodeError(
            f"{self._name}: the connection was lost and {self._reconnect_policy.attempts} attempts to open it again "
            "failed; check the camera and the network"
        )

    def _connect(self) -> bool:
        with self._capture_lock:
            try:
                capture = self._open_capture(self._address, self._timeout_seconds)
            except cv2.error:
                return False
            if not capture.isOpened():
                capture.release()
                return False
            self._capture = capture
            return True

    def _note_finite_end(self) -> None:
        if self._frame_limit and self._report.frames < self._frame_limit:
            self._report.ended_early_seconds = self._timestamps.last_seconds
            self._note(f"the stream ended after {self._report.frames} of {self._frame_limit} frames")

    def _close_input(self) -> None:
        self._closing.set()
        self._first = None
        if self._capture_lock.acquire(blocking=False):
            try:
                self._release()
            finally:
                self._capture_lock.release()

    def _release(self) -> None:
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()


def open_opencv_capture(address: int | str, timeout_seconds: float) -> Capture:
    """Open a camera or stream with OpenCV; the caller checks ``isOpened``."""
    if isinstance(address, int) or "://" not in address:
        return cv2.VideoCapture(address)
    limit_ms = int(timeout_seconds * 1000)
    options = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit_ms]
    return cv2.VideoCapture(address, cv2.CAP_FFMPEG, options)


def _rgb(image: NDArray[Any]) -> NDArray[np.uint8]:
    code = cv2.COLOR_GRAY2RGB if image.ndim == 2 or image.shape[2] == 1 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(image, code), np.uint8)


def _positive(value: float) -> float:
    """``value`` if it is a positive number, else 0: OpenCV gives 0, -1 or nonsense for "unknown"."""
    return float(value) if 0 < value < 1e9 else 0.0


def build(request: SourceRequest) -> CameraSource:
    """The source of a camera or stream."""
    return CameraSource(str(request.spec), source_id=request.source_id)
