"""Video files and GIFs through PyAV (FFmpeg): true time stamps, error recovery per packet, bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from videohoi.decode.base import ASSUMED_FRAME_RATE_HZ, Picture, SequentialSource
from videohoi.decode.packets import decoded, is_memory_short, is_out_of_memory
from videohoi.decode.pipe import PipeReader, is_pipe
from videohoi.decode.random_access import PictureIndex, SeekingReader
from videohoi.decode.registry import SourceRequest
from videohoi.decode.streams import (
    Orientation,
    choose_stream,
    has_gif_end,
    is_raw,
    raw_rate_hz,
    shown_count,
    shown_seconds,
    stated_rate_hz,
)
from videohoi.errors import DecodeError, UsageError
from videohoi.names import counted
from videohoi.structures import Frame, SourceInfo

EARLY_END_SECONDS = 0.5
"""a file ends early when more than this is missing; less is the usual slack between container and stream lengths"""
TEXT_ART_FORMATS = frozenset({"tty", "bin", "xbin", "adf", "idf"})
"""formats in which FFmpeg draws a text file as pictures"""
SINGLE_THREADED: dict[str, Any] = {"threads": 1} if int(av.__version__.split(".")[0]) >= 17 else {}
"""for the conversion to RGB: several threads would wait for each other at its end, which costs more than it gains; PyAV
before 17 has one anyway"""
ADVICE = (
    "expected a video file (.mp4, .mkv, .mov, .avi, .webm, .gif, ...); check that it plays, or copy or convert it again"
)
NO_MEMORY = (
    "memory ran out, or nearly, while it was decoded; close other programs, lower detect.workers or decode.threads, or "
    "use a machine with more memory"
)


class VideoFile(SequentialSource):
    """One local video file or GIF, whatever its name: the content decides.

    - Times are each frame's own (variable frame rate kept), repaired where missing or not increasing.
    - Of several video streams the film is read, and the others are named in the report.
    - Pictures are RGB, turned upright by the container's display matrix. Pixels that are not square are not resampled:
      boxes stay in stored pixels, and ``SourceInfo.pixel_aspect_ratio`` says how to show them.
    - A packet that cannot be decoded costs its own frames only and is counted.
    - One frame is held at a time.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        source_id: str | None = None,
        decode_threads: int = 2,
        stream: int | None = None,
        frame_rate_hz: float | None = None,
    ) -> None:
        """Options as of ``open_source``."""
        if decode_threads < 1:
            raise UsageError(f"decode_threads must be 1 or more, got {decode_threads}")
        self.path = Path(path)
        super().__init__(source_id if source_id is not None else self.path.name, frame_rate_hz=frame_rate_hz)
        self._decode_threads = decode_threads
        self._wanted_stream = stream
        self._pipe: PipeReader | None = None
        self._container: Any = None
        self._stream: Any = None
        self._first_frame: Any = None
        self._decoded: Iterator[Any] = iter(())
        self._orientation = Orientation()
        self._reformatter = VideoReformatter()  # a new one for each frame would be set up each time
        self._info: SourceInfo | None = None
        self._raw_step_seconds: float | None = None

    def interrupt(self) -> None:
        """End a wait for the writer of a named pipe."""
        if self._pipe is not None:
            self._pipe.interrupt()

    def _open_input(self) -> SourceInfo:
        self._container = self._open_container()
        self._stream = stream = self._choose_stream()
        stream.thread_type, stream.codec_context.thread_count = "AUTO", self._decode_threads
        self._decoded = self._decode()
        self._first_frame = next(self._decoded, None)
        if self._first_frame is None:
            self._raise_pipe_reason()
            if is_memory_short(self._stream):
                raise self._memory_error()
            raise self._error("none of its frames can be decoded")
        self._orientation = Orientation.of_frame(self._first_frame)
        self._info = self._describe()
        return self._info

    def _open_container(self) -> Any:
        # "file:" keeps FFmpeg from reading a name such as "a:b.mp4" as a URL; the whitelist keeps a playlist from
        # reaching into the network. Tags in odd encodings are of no interest and must not stop the file.
        source: Any = f"file:{self.path}"
        if is_pipe(self.path):
            source = self._pipe = PipeReader(self.path)
        try:
            container = av.open(source, metadata_errors="ignore", options={"protocol_whitelist": "file"})
        except (av.error.FFmpegError, OSError, MemoryError, ImportError) as error:
            raise self._error(self._reason(error)) from None
        if container.format.name not in TEXT_ART_FORMATS:
            return container
        container.close()
        raise self._error("it is a text file")

    def _choose_stream(self) -> Any:
        container = self._container
        try:
            choice = choose_stream(container, self._wanted_stream, can_probe=self._pipe is None)
        except ValueError as error:
            raise DecodeError(f"{self.path}: {error}") from None
        if choice.note is None:
            return choice.stream
        self._note(choice.note)
        if self._pipe is not None:
            return choice.stream
        index = choice.stream.index
        container.close()  # packets were read from it
        self._container = self._open_container()
        return self._container.streams[index]

    def _describe(self) -> SourceInfo:
        container, stream, first = self._container, self._stream, self._first_frame
        transposed = self._orientation.transpose
        width, height = (first.height, first.width) if transposed else (first.width, first.height)
        rate = self._raw_rate_hz() if is_raw(container) else stated_rate_hz(stream)
        seconds = shown_seconds(container, stream, rate)
        count, aspect = shown_count(stream), self._aspect(transposed)
        return SourceInfo(self.source_id, width, height, rate, count, seconds, pixel_aspect_ratio=aspect)

    def _raw_rate_hz(self) -> float:
        rate, is_stated = raw_rate_hz(self._stream.codec_context)
        self._raw_step_seconds = 1.0 / rate
        if not is_stated and self._set_rate_hz is None:
            self._note(
                f"a raw stream that states no rate: {counted(rate, 'picture')} a second assumed; if not so, set "
                "decode.frame_rate_hz (--set decode.frame_rate_hz=30)"
            )
        return rate

    def _aspect(self, transposed: bool) -> float:
        """Width over height of a pixel."""
        aspect = self._stream.sample_aspect_ratio or self._stream.codec_context.sample_aspect_ratio
        if not aspect or aspect == 1:
            return 1.0
        self._note(f"pixels are not square ({aspect.numerator}:{aspect.denominator}); boxes are in stored pixels")
        return float(1 / aspect if transposed else aspect)

    def _pictures(self) -> Iterator[Picture]:
        frame, self._first_frame = self._first_frame, None
        count = 0
        while frame is not None:
            if frame.is_corrupt:
                self._note_again("a damaged picture was patched up by the decoder")
            raw_step = self._raw_step_seconds
            stamp = self._seconds(frame) if raw_step is None else count * raw_step
            yield Picture(self._to_rgb(frame), stamp)
            count += 1
            frame = next(self._decoded, None)
        self._check_end()

    def frame_times_seconds(self) -> NDArray[np.float64]:
        """(N,) ``pts_seconds`` of every frame; read from the packets, or decoded where their stamps do not tell."""
        self._require_recorded("frame_times_seconds")
        index = self._picture_index()
        return super().frame_times_seconds() if index is None else self._times_of(index.seconds)

    def _read_numbers(self, numbers: list[int]) -> dict[int, Frame]:
        index = self._picture_index()
        if index is None:
            return super()._read_numbers(numbers)
        if numbers[-1] >= len(index.stamps):
            raise self._beyond_end(numbers[-1], len(index.stamps))
        times_seconds = self._times_of(index.seconds)
        number_of = {int(index.stamps[number]): number for number in numbers}
        frames: dict[int, Frame] = {}
        try:
            for stamp, picture in SeekingReader(self._open_stream, index).pictures(sorted(number_of)):
                number = number_of[stamp]
                self._orientation = Orientation.of_frame(picture)
                frames[number] = Frame(self._to_rgb(picture), number, float(times_seconds[number]), self.source_id)
        except MemoryError:
            raise self._memory_error() from None
        return frames

    def _picture_index(self) -> PictureIndex | None:
        """None where pictures cannot be found by seeking."""
        if is_pipe(self.path):  # it gives its bytes once
            return None
        container, stream = self._open_stream()
        try:
            return None if is_raw(container) else PictureIndex.of_stream(container, stream)
        finally:
            container.close()

    def _open_stream(self) -> tuple[Any, Any]:
        """The container and stream, opened again; the caller closes the container."""
        self._container = self._open_container()
        try:
            stream = self._choose_stream()
        except BaseException:
            self._close_input()
            raise
        stream.thread_type, stream.codec_context.thread_count = "AUTO", self._decode_threads
        container, self._container = self._container, None
        return container, stream

    def _seconds(self, frame: Any) -> float | None:
        # Not frame.time: frames that the decoder gives up at the end carry no time base.
        base = self._stream.time_base
        return None if frame.pts is None else frame.pts * base.numerator / base.denominator

    def _to_rgb(self, frame: Any) -> NDArray[np.uint8]:
        try:
            converted: Any = self._reformatter.reformat(frame, format="rgb24", **SINGLE_THREADED)
            image: NDArray[np.uint8] = converted.to_ndarray()
        except (av.error.FFmpegError, ValueError) as error:
            if is_out_of_memory(error):
                raise self._memory_error() from None
            raise self._error(f"pixel format {frame.format.name} cannot be turned into RGB: {error}") from None
        except MemoryError:
            raise self._memory_error() from None
        # The display matrix belongs to the stream, so the first frame's holds for all.
        return self._orientation.apply(image)

    def _decode(self) -> Iterator[Any]:
        try:
            yield from decoded(self._container, self._stream, self._report)
        except MemoryError:
            raise self._memory_error() from None

    def _check_end(self) -> None:
        """Compare what came with what the container promised."""
        info, times = self._info, self._timestamps
        if self._container.format.name == "gif" and self._pipe is None and not has_gif_end(self.path):
            self._report.ended_early_seconds = times.last_seconds
            self._note("the GIF has no end mark; is it cut?")
            return
        if info is None or times.last_seconds is None or times.first_seconds is None or self._set_rate_hz is not None:
            return
        step_seconds = 1.0 / (info.frame_rate_hz or ASSUMED_FRAME_RATE_HZ)
        missing_seconds = (info.duration_seconds or 0.0) - (times.last_seconds - times.first_seconds + step_seconds)
        if missing_seconds > max(EARLY_END_SECONDS, 1.5 * step_seconds):
            self._report.ended_early_seconds = times.last_seconds
            self._note(f"the video ends {missing_seconds:.1f} s before the length its container states; is it cut?")
        elif info.frame_count is not None and self._report.frames < info.frame_count:
            self._note(f"the container states {counted(info.frame_count, 'frame')}; decoded: {self._report.frames}")

    def _close_input(self) -> None:
        container, self._container, self._stream, self._first_frame = self._container, None, None, None
        self._decoded = iter(())
        if container is not None:
            container.close()
        if self._pipe is not None:
            self._pipe.close()
        self._pipe = None

    def _reason(self, error: Exception) -> str:
        if is_out_of_memory(error):
            raise self._memory_error() from None
        self._raise_pipe_reason()
        if not self.path.exists():
            return "there is no such file"
        if self.path.is_file() and self.path.stat().st_size == 0:
            return "the file is empty"
        return f"not readable as video ({getattr(error, 'strerror', None) or error})"

    def _raise_pipe_reason(self) -> None:
        """Raise the reason that the pipe itself knows of; its message is complete."""
        if self._pipe is not None and self._pipe.reason is not None:
            raise DecodeError(f"{self.path}: {self._pipe.reason}")

    def _error(self, reason: str) -> DecodeError:
        return DecodeError(f"{self.path}: {reason}; {ADVICE}")

    def _memory_error(self) -> DecodeError:
        return DecodeError(f"{self.path}: {NO_MEMORY}")


def build(request: SourceRequest) -> VideoFile:
    """The source of a video file."""
    return VideoFile(
        request.spec, source_id=request.source_id, decode_threads=request.decode_threads, stream=request.stream,
        frame_rate_hz=request.frame_rate_hz,
    )  # fmt: skip
