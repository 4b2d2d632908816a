"""Reads single pictures of a video by seeking: decoding starts at the key frame before each, not at the first frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from videohoi.decode.packets import decoded
from videohoi.decode.protocol import SourceReport

# fmt: off
ONE_PICTURE_A_PACKET = frozenset({
    "h264", "hevc", "av1", "vp9", "mpeg4", "mpeg2video", "mpeg1video", "mjpeg", "prores", "dnxhd", "ffv1", "rawvideo",
})
# fmt: on
"""codecs whose packets show exactly one picture each; VP8, for one, has packets that show none"""
MOST_REORDERED = 16
"""places by which a picture may be shown earlier or later than it is stored: the largest reorder buffer of H.264 and
HEVC. More means that the clock restarts (joined recordings), so that stamps cannot be sorted"""


OpenStream = Callable[[], tuple[Any, Any]]
"""opens the file again and returns PyAV's container and video stream"""


@dataclass(frozen=True)
class PictureIndex:
    """The stamps of a video's pictures, read from its packets without decoding."""

    stamps: NDArray[np.int64]
    """(N,) in units of the stream's time base, increasing; picture number k has stamp k"""
    key_stamps: NDArray[np.int64]
    """(K,) those at which decoding can start, increasing"""
    time_base: Fraction

    @property
    def seconds(self) -> NDArray[np.float64]:
        """(N,) the stamps in seconds."""
        return self.stamps * self.time_base.numerator / self.time_base.denominator

    @staticmethod
    def of_stream(container: Any, stream: Any) -> PictureIndex | None:
        """Read all packets; None where their stamps do not number the pictures (missing, repeated, out of order)."""
        if stream.codec_context.codec.canonical_name not in ONE_PICTURE_A_PACKET:
            return None
        stamps: list[int] = []
        keys: list[int] = []
        for packet in container.demux(stream):
            if not packet.size or packet.is_discard:  # the flush packet, and what an edit list hides
                continue
            if packet.pts is None:
                return None
            stamps.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
        return PictureIndex._sorted(np.asarray(stamps, np.int64), np.asarray(keys, np.int64), stream.time_base)

    @staticmethod
    def _sorted(stored: NDArray[np.int64], keys: NDArray[np.int64], time_base: Fraction) -> PictureIndex | None:
        order = np.argsort(stored, kind="stable")
        stamps = stored[order]
        moved = np.abs(order - np.arange(len(order)))
        if len(stamps) == 0 or (np.diff(stamps) == 0).any() or moved.max() > MOST_REORDERED:
            return None
        return PictureIndex(stamps, np.sort(keys), time_base)

    def key_before(self, stamp: int) -> int | None:
        """The last key frame at or before ``stamp``; None where there is none."""
        place = int(np.searchsorted(self.key_stamps, stamp, side="right"))
        return int(self.key_stamps[place - 1]) if place else None


class SeekingReader:
    """Decodes the pictures that carry given stamps.

    Where a seek lands too late or on a damaged picture, as happens in transport streams, the file is decoded from its
    start instead: slower, and right.
    """

    def __init__(self, open_stream: OpenStream, index: PictureIndex) -> None:
        self._open_stream = open_stream
        self._index = index

    def pictures(self, stamps: Sequence[int]) -> Iterator[tuple[int, Any]]:
        """(stamp, PyAV frame) of each of ``stamps``, which increase; those that cannot be decoded are left out."""
        container, stream = self._open_stream()
        missed: list[int] = []
        try:
            frames: Iterator[Any] = iter(())
            position: int | None = None
            for stamp in stamps:
                key = self._index.key_before(stamp)
                if position is None or (key is not None and key > position):
                    frames = self._from_key(container, stream, key)
                frame = _advance(frames, stamp)
                position = stamp
                if frame is None or frame.is_corrupt:
                    missed.append(stamp)
                    position = None  # this decoder is past the picture: seek for the next one
                else:
                    yield stamp, frame
        finally:
            container.close()
        yield from self._from_start(missed)

    def _from_key(self, container: Any, stream: Any, key: int | None) -> Iterator[Any]:
        target = int(self._index.stamps[0]) if key is None else key
        try:
            container.seek(target, stream=stream, backward=True, any_frame=False)
        except (av.error.FFmpegError, OSError):
            return iter(())
        stream.codec_context.flush_buffers()
        return decoded(container, stream, SourceReport())

    def _from_start(self, stamps: Sequence[int]) -> Iterator[tuple[int, Any]]:
        if not stamps:
            return
        container, stream = self._open_stream()
        try:
            frames = decoded(container, stream, SourceReport())
            wanted, last = set(stamps), max(stamps)
            for frame in frames:
                if frame.pts in wanted:
                    yield frame.pts, frame
                if frame.pts is not None and frame.pts >= last:
                    return
        finally:
            container.close()


def _advance(frames: Iterator[Any], stamp: int) -> Any | None:
    """The frame with this stamp; None when ``frames`` is past it."""
    for frame in frames:
        if frame.pts is not None and frame.pts >= stamp:
            return frame if frame.pts == stamp else None
    return None
