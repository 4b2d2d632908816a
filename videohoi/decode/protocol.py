"""The interface of a source of frames, and the report it fills."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from videohoi.structures import Frame, SourceInfo


@dataclass
class SourceReport:
    """What went wrong while decoding; filled as frames are read and shown in the run report."""

    frames: int = 0
    """frames yielded"""
    corrupt_packets: int = 0
    """packets that could not be decoded; their frames are lost"""
    missing_timestamps: int = 0
    """frames without a time stamp; one was inferred from its neighbours"""
    repaired_timestamps: int = 0
    """frames whose stamp did not increase; it was moved just past the previous one"""
    ended_early_seconds: float | None = None
    """media time of the last frame when the container promised clearly more; None otherwise"""
    notes: list[str] = field(default_factory=list)
    """sentences for the user"""


class Source(Protocol):
    """Yields the frames of one video, camera or folder in order. One thread at a time."""

    @property
    def report(self) -> SourceReport:
        """Counts so far."""
        ...

    def open(self) -> SourceInfo:
        """Open; raises ``DecodeError`` naming the input, what was expected and what to do."""
        ...

    def frames(self) -> Iterator[Frame]:
        """The frames, once; ``index`` counts from 0, ``pts_seconds`` strictly increases, the first is 0 or later."""
        ...

    def close(self) -> None:
        """Release the file or device; may be called twice and while ``frames`` is suspended."""
        ...
