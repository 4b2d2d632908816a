"""H.264 in MP4 as browsers play it, with the times of the source."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from videohoi.errors import SinkError
from videohoi.files import AtomicFile, sink_error

TICKS_PER_SECOND = 90_000
"""clock of the file; a multiple of 24, 25, 30, 50 and 60 frames/s and the usual clock of MPEG streams"""
_KEYFRAME_SECONDS = 5  # a player that seeks decodes at most this much
_USUAL_RATE_HZ = 30  # for the encoder's rate control where the source states none; times do not depend on it
_FOR_SCREEN = {
    "mbtree": "1",
    "rc-lookahead": "10",
    "x264-params": "subme=0:partitions=none:weightp=0",
}
"""for the two fastest presets: the look-ahead of ``veryfast``, which saves a third of the file, and the motion search
of ``ultrafast``, which saves a fifth of the time of ``superfast`` (6.3 -> 5.0 ms a 720p frame); files grow by 7-19 %"""
_LIMITED_RANGE = 1  # AVCOL_RANGE_MPEG: what OpenCV's RGB2YUV_I420 makes
_BT601 = 6  # SMPTE 170M, OpenCV's matrix; without the mark players take BT.709 for HD and shift the colours


class H264File:
    """One video stream without sound; appears at ``close`` with its index in front (progressive download)."""

    def __init__(self, path: Path | str, *, preset: str, crf: int, threads: int) -> None:
        self.path = Path(path)
        self.frame_count = 0
        self._options = {"preset": preset, "crf": str(crf), "bf": "0"}
        if preset in ("ultrafast", "superfast"):
            self._options |= _FOR_SCREEN
        self._threads = threads
        self._file = AtomicFile(path)
        self._container: av.container.OutputContainer | None = None
        self._offset_seconds = 0.0
        self._last_ticks = -1

    @property
    def is_open(self) -> bool:
        """Between ``open`` and ``close`` or ``abort``."""
        return self._container is not None

    def open(self, width_px: int, height_px: int, frame_rate_hz: float | None) -> None:
        """Begin a video of even ``width_px`` and ``height_px``; ``SinkError`` when it cannot be written."""
        self.abort()
        self._file.open()
        self.frame_count, self._last_ticks = 0, -1
        try:
            self._start(width_px, height_px, frame_rate_hz or _USUAL_RATE_HZ)
        except (av.FFmpegError, ValueError) as error:
            self.abort()
            raise self._error(error) from error

    def write(self, image: NDArray[np.uint8], pts_seconds: float) -> None:
        """Encode ``image`` (H, W, 3) RGB, shown at ``pts_seconds``.

        Times are kept to 1/90000 s. A video cannot begin before zero: where the first time is negative, all are
        shifted by it.
        """
        if self._container is None:
            raise SinkError(f"cannot write {self.path}: it is not open; call open() before process()")
        if self.frame_count == 0:
            self._offset_seconds = max(0.0, -pts_seconds)
        # Two pictures less than a tick apart still need different times.
        ticks = max(round((pts_seconds + self._offset_seconds) * TICKS_PER_SECOND), self._last_ticks + 1)
        try:
            # Eight times faster than PyAV's own rgb24 -> yuv420p reformat.
            frame = av.VideoFrame.from_ndarray(cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420), format="yuv420p")
            frame.pts, frame.time_base = ticks, Fraction(1, TICKS_PER_SECOND)
            self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, ValueError) as error:
            raise self._error(error) from error
        self.frame_count += 1
        self._last_ticks = ticks

    def close(self) -> None:
        """Write the index and give the file its name. Without any frame no file is left."""
        if self._container is None:
            return
        if self.frame_count == 0:
            self.abort()
            return
        try:
            self._container.mux(self._stream.encode())
            self._container.close()
        except (av.FFmpegError, ValueError) as error:
            raise self._error(error) from error
        self._file.commit()
        self._container = None

    def abort(self) -> None:
        """Leave nothing."""
        container, self._container = self._container, None
        if container is not None:
            with contextlib.suppress(av.FFmpegError):  # the file goes anyway; an encoder that failed fails again
                container.close()
        self._file.abort()

    def _start(self, width_px: int, height_px: int, frame_rate_hz: float) -> None:
        target = str(self._file.partial_path)
        self._container = av.open(target, "w", format="mp4", options={"movflags": "+faststart"})
        rate = Fraction(frame_rate_hz).limit_denominator(1001)
        options = {**self._options, "g": str(max(1, round(_KEYFRAME_SECONDS * frame_rate_hz)))}
        self._stream = self._container.add_stream("libx264", rate=rate, options=options)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width_px, height_px, "yuv420p"
        context = self._stream.codec_context
        context.time_base = self._stream.time_base = Fraction(1, TICKS_PER_SECOND)
        context.thread_count = self._threads
        context.color_range = _LIMITED_RANGE
        context.colorspace = context.color_primaries = context.color_trc = _BT601
        self._container.start_encoding()

    def _error(self, error: Exception) -> SinkError:
        if isinstance(error, OSError):
            return sink_error(self.path, error)
        reason = " ".join(str(error).split())
        return SinkError(f"cannot write {self.path}: the H.264 encoder failed ({reason}); try another preset or size")
