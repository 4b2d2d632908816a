"""What a container says of its video: which stream is the film, its length, rate and orientation."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from videohoi.decode.base import ASSUMED_FRAME_RATE_HZ
from videohoi.names import counted

STILL_DISPOSITIONS = ("attached_pic", "still_image", "timed_thumbnails")
"""flags of streams that hold covers and thumbnails, not the film"""
DEFAULT_BONUS_PX = 5_000_000
"""pixels that the flag "default" counts for, as in FFmpeg (fftools, map_auto_video)"""
GIF_PICTURE, GIF_END = 0x2C, 0x3B
"""first bytes of blocks of a GIF; the third kind, 0x21, is an extension"""
EDIT_LIST_FORMATS = frozenset({"mov", "mp4"})
"""formats that hide pictures by edit lists, and whose whole index is read when they are opened"""
ENABLED_BY_MUXER = frozenset({"mov", "mp4"})
"""formats whose muxers always flag the first video stream as default, so that the flag says nothing"""
PROBED_PACKETS = 400
"""packets read to distinguish a single picture from a film where no count is stated: some seconds of video"""
HIGHEST_RATE_HZ = 2000
"""higher values are time units that FFmpeg reports as rates, for DV (60000)"""
RAW_FORMATS = frozenset(
    {"h264", "hevc", "vvc", "mjpeg", "mjpeg_2000", "jpeg_pipe", "m4v", "mpegvideo", "vc1", "dirac", "av1", "obu"}
)
"""FFmpeg's formats for bare elementary streams: no container, so no times"""
MATRIX_FORMAT = "=9i"
"""nine 32-bit integers in the machine's byte order (libavutil/display.h)"""


@dataclass(frozen=True)
class StreamChoice:
    """One moving-picture stream, and a sentence on the streams that were left out."""

    stream: Any
    """PyAV's; not to be used after its container was closed"""
    note: str | None


def choose_stream(container: Any, wanted: int | None = None, *, can_probe: bool = True) -> StreamChoice:
    """The stream that is the film, or the one with index ``wanted``.

    In FFmpeg's order of preference: no cover or thumbnail, more than one picture, the flag "default", the larger
    picture, the first. ``can_probe``: packets may be read to count pictures; open the container again afterwards.

    Raises:
        ValueError: there is no such stream; the message lists those that exist.
    """
    streams = list(container.streams.video)
    if not streams:
        raise ValueError("it holds no video stream (sound only?); expected a video file")
    counts = _frame_counts(container, streams, can_probe)
    names = {stream.index: _describe(stream, counts[stream.index]) for stream in streams}
    if wanted is not None:
        chosen = next((stream for stream in streams if stream.index == wanted), None)
        if chosen is None:
            raise ValueError(f"it has no video stream {wanted} (decode.stream); choose one of: {_list(names.values())}")
    else:
        moving = [stream for stream in streams if not _is_still(stream)]
        if not moving:
            raise ValueError(f"it holds no moving pictures, only {_list(names.values())}; decode.stream chooses one")
        chosen = max(moving, key=lambda stream: _rank(container, stream, counts[stream.index]))
    if chosen.codec_context is None:
        raise ValueError(
            f"the codec of {names[chosen.index]} is unknown to this FFmpeg; convert the file, to H.264 for one"
        )
    others = [name for index, name in names.items() if index != chosen.index]
    if not others:
        return StreamChoice(chosen, None)
    advice = "" if wanted is not None else "; decode.stream chooses another"
    return StreamChoice(
        chosen, f"of several video streams {names[chosen.index]} is read; left out: {_list(others)}{advice}"
    )


def _rank(container: Any, stream: Any, count: int | None) -> tuple[bool, bool, int, int]:
    """Larger is better; the last place goes to the first stream."""
    is_default = bool(stream.disposition & av.stream.Disposition.default)
    flags_mean_something = not ENABLED_BY_MUXER & set(container.format.name.split(","))
    bonus = DEFAULT_BONUS_PX if is_default and flags_mean_something else 0
    area = (stream.width or 0) * (stream.height or 0) if stream.codec_context is not None else 0
    return stream.codec_context is not None, count is None or count > 1, area + bonus, -stream.index


def _is_still(stream: Any) -> bool:
    return any(stream.disposition & getattr(av.stream.Disposition, name, 0) for name in STILL_DISPOSITIONS)


def _frame_counts(container: Any, streams: list[Any], can_probe: bool) -> dict[int, int | None]:
    """Number of pictures of each stream, by index: as stated, else as counted while probing; None: many."""
    counts = {stream.index: _stated_count(stream) for stream in streams}
    if can_probe and len(streams) > 1 and None in counts.values():
        seen = dict.fromkeys(counts, 0)
        try:
            for number, packet in enumerate(container.demux(streams)):
                seen[packet.stream.index] += packet.size > 0
                if number >= PROBED_PACKETS:
                    break
        except av.error.FFmpegError:  # a damaged packet: the packets read so far must suffice
            pass
        counts = {
            index: count if count is not None or seen[index] > 1 else seen[index] for index, count in counts.items()
        }
    return counts


def _stated_count(stream: Any) -> int | None:
    return shown_count(stream) or int(_number(stream.metadata.get("NUMBER_OF_FRAMES", ""))) or None


def _describe(stream: Any, count: int | None) -> str:
    codec = "unknown codec" if stream.codec_context is None else stream.codec_context.name
    size = f" {stream.width}x{stream.height}" if stream.codec_context is not None and stream.width else ""
    kind = ", cover or thumbnail" if _is_still(stream) else ""
    pictures = "" if count is None else f", {counted(count, 'frame')}"
    return f"stream {stream.index} ({codec}{size}{pictures}{kind})"


def _list(names: Any) -> str:
    return ", ".join(names)


def shown_count(stream: Any) -> int | None:
    """Pictures that are shown, as the container states; None where it states none.

    An edit list, as a trim without encoding writes it, hides stored pictures before the cut. FFmpeg leaves them out of
    its index of an MP4 file, or marks those that are needed to decode the others.
    """
    entries = getattr(stream, "index_entries", None)
    has_edits = not EDIT_LIST_FORMATS.isdisjoint(stream.container.format.name.split(","))
    if not has_edits or entries is None or not 0 < len(entries) <= stream.frames:  # others fill theirs while they read
        return stream.frames or None
    return len(entries) - sum(1 for entry in entries if getattr(entry, "is_discard", False))


def shown_seconds(container: Any, stream: Any, rate_hz: float | None) -> float | None:
    """How long the stream shows pictures, as the container states: the longest figure; None where it states none."""
    if end := _clock_seconds(stream.metadata.get("DURATION", "")):  # Matroska's tag is the end, not the length
        return end - _start_seconds(stream)  # the other figures are of the whole file
    stated = []
    if stream.duration:
        stated.append(float(stream.duration * stream.time_base) - _matroska_start_seconds(container, stream))
    if rate_hz and (count := shown_count(stream)):
        stated.append(count / rate_hz)
    if not stated and container.duration and len(container.streams) == 1:  # else it may be the sound's
        stated.append(container.duration / av.time_base - _matroska_start_seconds(container, stream))
    return max(stated, default=0.0) or None


def _start_seconds(stream: Any) -> float:
    return float(stream.start_time * stream.time_base) if stream.start_time else 0.0


def _matroska_start_seconds(container: Any, stream: Any) -> float:
    """Matroska's durations are ends: they count from 0, not from the first picture."""
    return _start_seconds(stream) if "matroska" in container.format.name else 0.0


def stated_rate_hz(stream: Any) -> float | None:
    """Average pictures a second as the container states, else as FFmpeg guesses; None where neither is known."""
    average, guessed = stream.average_rate, stream.guessed_rate
    if average and average <= HIGHEST_RATE_HZ:
        return float(average)
    return float(guessed) if guessed and guessed <= HIGHEST_RATE_HZ else None


@dataclass(frozen=True)
class Orientation:
    """One of the eight orientations of a picture: first transposed, then flipped."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """``image`` (H, W, 3) turned upright, contiguous; a view when it is upright already."""
        turned = image.transpose(1, 0, 2) if self.transpose else image
        rows, columns = slice(None, None, -1 if self.flip_y else 1), slice(None, None, -1 if self.flip_x else 1)
        return np.ascontiguousarray(turned[rows, columns])

    @staticmethod
    def from_display_matrix(matrix: bytes) -> Orientation:
        """The multiple of a quarter turn, with or without mirror, nearest to a display matrix.

        libavutil/display.h: a stored point (p, q) is shown at ``x = a p + c q``, ``y = b p + d q`` (offsets aside),
        with (a, b, u, c, d, v, x, y, w) the matrix in its stored order.
        """
        a, b, _, c, d = struct.unpack(MATRIX_FORMAT, matrix[: struct.calcsize(MATRIX_FORMAT)])[:5]
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return Orientation(transpose=False, flip_x=a < 0, flip_y=d < 0)
        return Orientation(transpose=True, flip_x=c < 0, flip_y=b < 0)

    @staticmethod
    def of_frame(frame: Any) -> Orientation:
        """The orientation a decoded PyAV frame carries; upright when it carries none."""
        for side_data in frame.side_data:
            if side_data.type.name == "DISPLAYMATRIX":
                return Orientation.from_display_matrix(bytes(side_data))
        return Orientation()


def is_raw(container: Any) -> bool:
    """A bare elementary stream: FFmpeg gives its pictures times of 25 a second, whatever its header says."""
    return container.format.name in RAW_FORMATS


def raw_rate_hz(codec_context: Any) -> tuple[float, bool]:
    """Pictures a second of a raw stream, and whether its header states it; call it after a picture was decoded."""
    rate: Fraction | None = codec_context.framerate
    return (float(rate), True) if rate else (ASSUMED_FRAME_RATE_HZ, False)


def has_gif_end(path: Path) -> bool:
    """Whether the blocks of a GIF (GIF89a specification, appendix A) run on to its end mark; False: it was cut."""
    try:
        data = path.read_bytes()
    except OSError:  # removed while it was read: that is no sign of a cut
        return True
    at = 13 + _colour_table_bytes(data[10:11])
    while at < len(data) and data[at] != GIF_END:
        is_picture = data[at] == GIF_PICTURE
        at += 11 + _colour_table_bytes(data[at + 9 : at + 10]) if is_picture else 2
        while at < len(data) and data[at]:  # sub-blocks; the last one is empty
            at += 1 + data[at]
        at += 1
    return at < len(data)


def _colour_table_bytes(flags: bytes) -> int:
    return 3 * 2 ** ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _clock_seconds(text: str) -> float:
    """Seconds of ``HH:MM:SS.fraction``; 0 when it is something else."""
    try:
        hours, minutes, seconds = (float(part) for part in text.split(":"))
    except ValueError:
        return 0.0
    return hours * 3600 + minutes * 60 + seconds
