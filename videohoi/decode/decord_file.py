"""Random access and bounded batches with decord (extra ``decord``).

After a request decord keeps decoding ahead without limit, even while its reader pauses (1.9 GB for 300 frames of 1080p
were measured; dmlc/decord issues 157, 197, 208, 304). ``seek(0)`` empties its queues, so one follows every batch, and a
batch has a largest size. Its time stamps are 32-bit floats: about half a millisecond after two hours.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from videohoi.decode.base import Picture, SequentialSource
from videohoi.decode.registry import SourceRequest
from videohoi.decode.streams import choose_stream
from videohoi.errors import DecodeError, UsageError
from videohoi.structures import Frame, SourceInfo

FAULT_TOLERANCE = 1e-9
"""a share of the frames: any frame that decord would replace by a copy of its neighbour is an error instead"""
_WRONG_STREAM = "decord cannot read stream {} of several; use the pyav backend for this file"
LOG_PREFIX = re.compile(r"^\[[\d:]+\] \S+\.cc:\d+:\s*")
"""time and place in decord's sources, before its messages"""
ReaderFactory = Callable[[str, int], Any]
"""(path, threads) -> an object with decord.VideoReader's methods"""


class DecordVideo:
    """A video whose frames are read by number.

    Args:
        path: video file.
        max_batch: most frames of one call; bounds memory.
        decode_threads: threads of the decoder.
        open_reader: opens the file; replaced where decord is absent.

    Raises:
        UsageError: decord is not installed, or a number is out of range.
        DecodeError: decord cannot open the file.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        max_batch: int = 64,
        decode_threads: int = 2,
        open_reader: ReaderFactory | None = None,
    ) -> None:
        if max_batch < 1 or decode_threads < 1:
            raise UsageError(f"max_batch and decode_threads must be 1 or more, got {max_batch} and {decode_threads}")
        self.path = Path(path)
        self.max_batch = max_batch
        self._errors: tuple[type[Exception], ...] = (RuntimeError, AssertionError)
        open_file = open_reader if open_reader is not None else self._import_reader()
        self._reader: Any = self._call(open_file, str(self.path), decode_threads)

    def __len__(self) -> int:
        """Number of frames as the container states it."""
        return len(self._open_reader())

    @property
    def frame_rate_hz(self) -> float | None:
        """Average rate; None when unknown."""
        return float(self._call(self._open_reader().get_avg_fps)) or None

    def frames_at(self, indices: Sequence[int] | NDArray[np.int64]) -> NDArray[np.uint8]:
        """The frames with these numbers in the order asked for.

        Args:
            indices: (N,) in [0, len), N at most ``max_batch``; may repeat.

        Returns:
            (N, H, W, 3) uint8 RGB.

        Raises:
            UsageError: an index is out of range, there are none, or there are more than ``max_batch``.
            DecodeError: a frame cannot be decoded; decord then loses the whole read.
        """
        wanted = np.asarray(indices, np.int64)
        reader, count = self._open_reader(), len(self)
        if not 1 <= len(wanted) <= self.max_batch:
            raise UsageError(f"{self.path}: ask for 1 to {self.max_batch} frames at once, got {len(wanted)}")
        if wanted.min() < 0 or wanted.max() >= count:
            raise UsageError(f"{self.path}: frames are 0 to {count - 1}, asked for {wanted.min()} to {wanted.max()}")
        try:
            batch = self._call(reader.get_batch, wanted)
            images = batch.asnumpy() if hasattr(batch, "asnumpy") else np.asarray(batch)
        finally:
            self._call(reader.seek, 0)  # empties decord's queues: see the head of this file
        return np.ascontiguousarray(images, np.uint8)

    def pts_seconds(self) -> NDArray[np.float64]:
        """(N,) start time of every frame as the container states it, in order of number."""
        spans = self._call(self._open_reader().get_frame_timestamp, np.arange(len(self)))
        return np.asarray(spans, np.float64)[:, 0]

    def close(self) -> None:
        """Free the decoder; may be called twice."""
        self._reader = None

    def _open_reader(self) -> Any:
        if self._reader is None:
            raise UsageError(f"{self.path}: the video is closed; open it again")
        return self._reader

    def _import_reader(self) -> ReaderFactory:
        try:
            decord = importlib.import_module("decord")
        except ImportError:
            raise UsageError(
                "decord is not installed; install the extra with pip install 'videohoi[decord]', or use the pyav "
                "backend"
            ) from None
        self._errors = (*self._errors, decord.DECORDError, decord.DECORDLimitReachedError)
        return lambda path, threads: decord.VideoReader(
            path, ctx=decord.cpu(0), num_threads=threads, fault_tol=FAULT_TOLERANCE
        )

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except self._errors as error:
            reason = LOG_PREFIX.sub("", (str(error).strip().splitlines() or [type(error).__name__])[-1])
            raise DecodeError(
                f"{self.path}: decord cannot read it ({reason}); use the pyav backend, which also reads videos that "
                "are damaged or were cut without encoding"
            ) from None


class DecordVideoFile(SequentialSource):
    """A video file read in order through decord, ``max_batch`` frames at a time.

    A damaged file is a ``DecodeError``; ``VideoFile`` reads what is left of it.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        source_id: str | None = None,
        max_batch: int = 64,
        decode_threads: int = 2,
        stream: int | None = None,
        frame_rate_hz: float | None = None,
        open_reader: ReaderFactory | None = None,
    ) -> None:
        """``stream`` must be the one that decord reads (FFmpeg's best); other parameters as for ``VideoFile``."""
        self.path = Path(path)
        super().__init__(source_id if source_id is not None else self.path.name, frame_rate_hz=frame_rate_hz)
        self._wanted_stream = stream
        self._max_batch = max_batch
        self._decode_threads = decode_threads
        self._open_reader = open_reader
        self._video: DecordVideo | None = None
        self._film = _Film()

    def frame_times_seconds(self) -> NDArray[np.float64]:
        """(N,) ``pts_seconds`` of every frame, from decord's index."""
        self._require_recorded("frame_times_seconds")
        video = self._open_video()
        try:
            return self._times_of(self._stamps_seconds(video))
        finally:
            video.close()

    def _read_numbers(self, numbers: list[int]) -> dict[int, Frame]:
        video = self._open_video()
        frames: dict[int, Frame] = {}
        try:
            if numbers[-1] >= len(video):
                raise self._beyond_end(numbers[-1], len(video))
            times_seconds = self._times_of(self._stamps_seconds(video))
            for begin in range(0, len(numbers), video.max_batch):
                batch = numbers[begin : begin + video.max_batch]
                for number, image in zip(batch, video.frames_at(batch), strict=True):
                    frames[number] = Frame(image, number, float(times_seconds[number]), self.source_id)
        finally:
            video.close()
        return frames

    def _open_video(self) -> DecordVideo:
        try:
            self._film = _film_of(self.path, self._wanted_stream)
        except ValueError as error:
            raise DecodeError(f"{self.path}: {error}") from None
        if self._film.note is not None:
            self._note(self._film.note)
        video = DecordVideo(
            self.path, max_batch=self._max_batch, decode_threads=self._decode_threads, open_reader=self._open_reader
        )
        if self._film.sizes_px and video.frames_at([0]).shape[2:0:-1] not in self._film.sizes_px:
            video.close()
            raise DecodeError(f"{self.path}: {_WRONG_STREAM.format(self._film.index)}")
        return video

    def _stamps_seconds(self, video: DecordVideo) -> NDArray[np.float64]:
        """(N,) media times: decord counts from the first picture, wherever the stream starts."""
        stamps = video.pts_seconds()
        return stamps - stamps[0] + self._film.start_seconds if len(stamps) else stamps

    def _open_input(self) -> SourceInfo:
        self._video = video = self._open_video()
        height, width = video.frames_at([0]).shape[1:3]
        aspect = self._film.pixel_aspect_ratio
        return SourceInfo(
            self.source_id, width, height, video.frame_rate_hz, len(video), None, pixel_aspect_ratio=aspect
        )

    def _pictures(self) -> Iterator[Picture]:
        video = self._video
        if video is None:
            return
        stamps, step = self._stamps_seconds(video), video.max_batch
        for begin in range(0, len(stamps), step):
            images = video.frames_at(range(begin, min(begin + step, len(stamps))))
            for image, stamp in zip(images, stamps[begin : begin + step], strict=True):
                yield Picture(image, float(stamp))

    def _close_input(self) -> None:
        if self._video is not None:
            self._video.close()
        self._video = None


@dataclass(frozen=True)
class _Film:
    """What decord does not report of the film of a file; read through PyAV."""

    start_seconds: float = 0.0
    pixel_aspect_ratio: float = 1.0
    index: int = 0
    sizes_px: frozenset[tuple[int, int]] = frozenset()
    """as stored and as turned; empty: there is no other stream that decord could read"""
    note: str | None = None
    """which streams are left out"""


def _film_of(path: Path, wanted_stream: int | None) -> _Film:
    """The film of a file, or its stream ``wanted_stream``.

    Raises:
        ValueError: there is no such stream, or decord may read another one and nothing would show it.
    """
    try:
        container = av.open(f"file:{path}", metadata_errors="ignore", options={"protocol_whitelist": "file"})
    except (av.error.FFmpegError, OSError):
        return _Film()  # decord reports what is wrong with the file
    with container:
        choice = choose_stream(container, wanted_stream)
        stream = choice.stream
        start_seconds = float(stream.start_time * stream.time_base) if stream.start_time else 0.0
        size_px = (stream.width, stream.height)
        others = [other for other in container.streams.video if other.index != stream.index]
        if any((other.width, other.height) == size_px for other in others if other.codec_context is not None):
            raise ValueError(_WRONG_STREAM.format(stream.index))
        sizes_px = frozenset({size_px, size_px[::-1]}) if others else frozenset()
        aspect = float(stream.sample_aspect_ratio or 1)
        return _Film(start_seconds, aspect, stream.index, sizes_px, choice.note)


def build(request: SourceRequest) -> DecordVideoFile:
    """The source of a video file."""
    return DecordVideoFile(
        request.spec, source_id=request.source_id, decode_threads=request.decode_threads, stream=request.stream,
        frame_rate_hz=request.frame_rate_hz,
    )  # fmt: skip
