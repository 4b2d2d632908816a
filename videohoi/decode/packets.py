"""Decoding packet by packet: damage costs only the pictures of its packets, and exhausted memory is not damage."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any

import av
import numpy as np

from videohoi.decode.protocol import SourceReport

MAX_READ_FAILURES = 5
"""failed reads in a row (a bad disk, a damaged container) after which the rest of the file is skipped"""
DECODER_BYTES = 32 << 20
"""memory of a decoder without its pictures, the stacks of its threads included"""
HELD_PICTURES = 4
"""pictures of 3 bytes a pixel that are held at once: reference pictures, and one being converted"""


def decoded(container: Any, stream: Any, report: SourceReport) -> Iterator[Any]:
    """The frames of ``stream`` from the current position of ``container``; lost packets are counted in ``report``.

    Raises:
        MemoryError: there is too little memory.
    """
    for packet in _without_cut_end(_packets(container, stream, report), report):
        try:
            frames = stream.codec_context.decode(packet)
        except (av.error.FFmpegError, MemoryError) as error:
            # FFmpeg says EAGAIN here where memory does not suffice to start its threads
            if is_out_of_memory(error, stream) or isinstance(error, BlockingIOError):
                raise MemoryError from error
            report.corrupt_packets += 1
            continue
        yield from frames


def _packets(container: Any, stream: Any, report: SourceReport) -> Iterator[Any]:
    """Packets, going on after failed reads; no empty ones (AVI: same picture again), they would end the decoder."""
    failures = 0
    while failures < MAX_READ_FAILURES:
        try:
            for packet in container.demux(stream):
                failures = 0
                if packet.size:
                    yield packet
            return
        except (av.error.FFmpegError, MemoryError) as error:
            if is_out_of_memory(error, stream):
                raise MemoryError from error
            failures += 1
            report.corrupt_packets += 1
    report.notes.append(f"reading failed {MAX_READ_FAILURES} times in a row; the rest of the file was skipped")


def _without_cut_end(packets: Iterator[Any], report: SourceReport) -> Iterator[Any]:
    """The packets, then None, which asks the decoder for what it still holds.

    A last packet that is cut is left out: its error would hide the good frames that wait behind it in the decoder.
    """
    held = None
    for packet in packets:
        if held is not None:
            yield held
        held = packet
    if held is not None and held.is_corrupt:
        report.corrupt_packets += 1
    elif held is not None:
        yield held
    yield None


def is_out_of_memory(error: BaseException, stream: Any = None) -> bool:
    """An allocation failed: in Python, in FFmpeg (which may call it invalid data), or where PyAV loads a part."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    return isinstance(error, (av.error.InvalidDataError, ImportError)) and is_memory_short(stream)


def is_memory_short(stream: Any = None) -> bool:
    """What decoding a few pictures of ``stream`` takes cannot be allocated now."""
    codec = None if stream is None else stream.codec_context
    picture_bytes = 0 if codec is None else 3 * (codec.width or 0) * (codec.height or 0)
    try:
        np.empty(DECODER_BYTES + HELD_PICTURES * picture_bytes, np.uint8)  # not touched, so it costs nothing
    except MemoryError:
        return True
    return False
