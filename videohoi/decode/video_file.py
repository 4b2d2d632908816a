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
from videohoi.decode.orientation import Orientation
from videohoi.errors import DecodeError, UsageError
from videohoi.structures import SourceInfo

EARLY_END_SECONDS = 0.5
"""a file ends early when more than this is missing; less is the usual slack between container and stream lengths"""
MAX_READ_FAILURES = 5
"""failed reads in a row (a bad disk, a damaged container) after which the rest of the file is given up"""
TEXT_ART_FORMATS = frozenset({"tty", "bin", "xbin", "adf", "idf"})
"""formats in which FFmpeg draws a text file as pictures: never a video a user means"""
SINGLE_THREADED: dict[str, Any] = {"threads": 1} if int(av.__version__.split(".")[0]) >= 17 else {}
"""of a conversion to RGB: several threads wait for each other at its end, and so for whatever else the cores do, which
costs more than it gains; PyAV before 17 has one anyway"""
ADVICE = (
    "expected a video file (.mp4, .mkv, .mov, .avi, .webm, .gif, ...); check that it plays, or copy or convert it again"
)


class VideoFile(SequentialSource):
    """One local video file or GIF, whatever its name: the content decides.

    - Times are each frame's own (variable frame rate kept), repaired where missing or not increasing.
    - Pictures are RGB, turned upright by the container's display matrix; one of another size than the first is rescaled
      to it and noted. Pixels that are not square are noted, not resampled: boxes stay in stored pixels.
    - A packet that cannot be decoded costs its own frames only and is counted.
    - One frame is held at a time.
    """

    def __init__(self, path: str | Path, *, source_id: str | None = None, decode_threads: int = 2) -> None:
        if decode_threads < 1:
            raise UsageError(f"decode_threads must be 1 or more, got {decode_threads}")
        self.path = Path(path)
        super().__init__(source_id if source_id is not None else self.path.name)
        self._decode_threads = decode_threads
        self._container: Any = None
        self._stream: Any = None
        self._first_frame: Any = None
        self._decoded: Iterator[Any] = iter(())
        self._orientation = Orientation()
        self._reformatter = VideoReformatter()  # kept, since one for each frame would set itself up each time
        self._info: SourceInfo | None = None

    def _open_input(self) -> SourceInfo:
        self._container = self._open_container()
        self._stream = self._pick_stream()
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = self._decode_threads
        self._decoded = self._decode()
        self._first_frame = next(self._decoded, None)
        if self._first_frame is None:
            raise self._error("none of its frames can be decoded")
        self._orientation = Orientation.of_frame(self._first_frame)
        self._info = self._describe()
        return self._info

    def _open_container(self) -> Any:
        # "file:" keeps FFmpeg from reading a name such as "a:b.mp4" as a URL; the whitelist keeps a playlist from
        # reaching into the network. Tags in odd encodings are of no interest and must not stop the file.
        try:
            container = av.open(f"file:{self.path}", metadata_errors="ignore", options={"protocol_whitelist": "file"})
        except (av.error.FFmpegError, OSError) as error:
            raise self._error(_reason(self.path, error)) from None
        if container.format.name in TEXT_ART_FORMATS:
            container.close()
            raise self._error("it is a text file")
        return container

    def _pick_stream(self) -> Any:
        """The first moving-picture stream; a cover image of a sound file is none."""
        streams = self._container.streams.video
        moving = [stream for stream in streams if not stream.disposition & av.stream.Disposition.attached_pic]
        if not moving:
            raise self._error("it holds no video stream (sound only?)")
        if moving[0].codec_context is None:
            raise self._error("its codec is unknown to this FFmpeg")
        return moving[0]

    def _describe(self) -> SourceInfo:
        stream, first = self._stream, self._first_frame
        width, height = (first.height, first.width) if self._orientation.transpose else (first.width, first.height)
        aspect = stream.sample_aspect_ratio
        if aspect and aspect != 1:
            self._note(f"pixels are not square ({aspect.numerator}:{aspect.denominator}); boxes are in stored pixels")
        rate = float(stream.average_rate) if stream.average_rate else None
        return SourceInfo(self.source_id, width, height, rate, stream.frames or None, self._promised_seconds(rate))

    def _promised_seconds(self, rate_hz: float | None) -> float | None:
        """How long the container says the video lasts: the longest of what it states; None when it states nothing."""
        stream, container = self._stream, self._container
        stated = [_clock_seconds(stream.metadata.get("DURATION", ""))]  # Matroska keeps it in a tag
        if stream.duration:
            stated.append(float(stream.duration * stream.time_base))
        if stream.frames and rate_hz:
            stated.append(stream.frames / rate_hz)
        if not any(stated) and container.duration and len(container.streams) == 1:  # else it may be the sound's
            stated.append(container.duration / av.time_base)
        return max(stated) or None

    def _pictures(self) -> Iterator[Picture]:
        frame, self._first_frame = self._first_frame, None
        size_px = (frame.width, frame.height)
        while frame is not None:
            if frame.is_corrupt:
                self._note_again("a damaged picture was patched up by the decoder")
            yield Picture(self._to_rgb(frame, size_px), self._seconds(frame))
            frame = next(self._decoded, None)
        self._check_end()

    def _seconds(self, frame: Any) -> float | None:
        # Not frame.time: frames that the decoder gives up at the end carry no time base.
        base = self._stream.time_base
        return None if frame.pts is None else frame.pts * base.numerator / base.denominator

    def _to_rgb(self, frame: Any, size_px: tuple[int, int]) -> NDArray[np.uint8]:
        options: dict[str, Any] = {"format": "rgb24", **SINGLE_THREADED}
        if (frame.width, frame.height) != size_px:
            options |= {"width": size_px[0], "height": size_px[1]}
            self._note(
                f"the picture size changes to {frame.width}x{frame.height}; "
                f"such pictures are rescaled to the first one's {size_px[0]}x{size_px[1]}"
            )
        try:
            converted: Any = self._reformatter.reformat(frame, **options)
            image: NDArray[np.uint8] = converted.to_ndarray()
        except (av.error.FFmpegError, ValueError) as error:
            raise self._error(f"pixel format {frame.format.name} cannot be turned into RGB: {error}") from None
        # The display matrix belongs to the stream, so the first frame's holds for all and the size never flips.
        return self._orientation.apply(image)

    def _decode(self) -> Iterator[Any]:
        for packet in self._without_cut_end():
            try:
                frames = self._stream.codec_context.decode(packet)
            except av.error.FFmpegError:
                self._report.corrupt_packets += 1
                continue
            yield from frames

    def _packets(self) -> Iterator[Any]:
        """Packets, going on after failed reads; no empty ones (AVI: same picture again), they would end the decoder."""
        failures = 0
        while failures < MAX_READ_FAILURES:
            try:
                for packet in self._container.demux(self._stream):
                    failures = 0
                    if packet.size:
                        yield packet
                return
            except av.error.FFmpegError:
                failures += 1
                self._report.corrupt_packets += 1
        self._note(f"reading failed {MAX_READ_FAILURES} times in a row; the rest of the file was given up")

    def _without_cut_end(self) -> Iterator[Any]:
        """The packets, then None, which asks the decoder for what it still holds.

        A last packet that is cut is left out: its error would hide the good frames that wait behind it in the decoder.
        """
        held = None
        for packet in self._packets():
            if held is not None:
                yield held
            held = packet
        if held is not None and held.is_corrupt:
            self._report.corrupt_packets += 1
        elif held is not None:
            yield held
        yield None

    def _check_end(self) -> None:
        """Compare what came with what the container promised."""
        info, times = self._info, self._timestamps
        if info is None or times.last_seconds is None or times.first_seconds is None:
            return
        step_seconds = 1.0 / (info.frame_rate_hz or ASSUMED_FRAME_RATE_HZ)
        missing_seconds = (info.duration_seconds or 0.0) - (times.last_seconds - times.first_seconds + step_seconds)
        if missing_seconds > max(EARLY_END_SECONDS, 1.5 * step_seconds):
            self._report.ended_early_seconds = times.last_seconds
            self._note(f"the video ends {missing_seconds:.1f} s before the length its container states; is it cut?")
        elif info.frame_count is not None and self._report.frames < info.frame_count:
            self._note(f"{self._report.frames} of the {info.frame_count} frames the container states were decoded")

    def _close_input(self) -> None:
        container, self._container, self._stream, self._first_frame = self._container, None, None, None
        self._decoded = iter(())
        if container is not None:
            container.close()

    def _error(self, reason: str) -> DecodeError:
        return DecodeError(f"{self.path}: {reason}; {ADVICE}")


def _reason(path: Path, error: Exception) -> str:
    if not path.exists():
        return "there is no such file"
    if path.is_file() and path.stat().st_size == 0:
        return "the file is empty"
    return f"not readable as video ({getattr(error, 'strerror', None) or error})"


def _clock_seconds(text: str) -> float:
    """Seconds of ``HH:MM:SS.fraction``; 0 when it is something else."""
    try:
        hours, minutes, seconds = (float(part) for part in text.split(":"))
    except ValueError:
        return 0.0
    return hours * 3600 + minutes * 60 + seconds
