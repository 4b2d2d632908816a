"""The interface of a tracker, as the rest of the package uses it."""

from __future__ import annotations

from typing import Protocol

from videohoi.structures import Detections, SourceInfo, Tracks


class Tracker(Protocol):
    """Gives the detections of one source an identity over time. One thread at a time; one instance a source."""

    def open(self, info: SourceInfo) -> None:
        """Begin a source: no track, ids from 1. Whatever must be compiled is compiled here."""
        ...

    def update(self, detections: Detections, pts_seconds: float) -> Tracks:
        """Ids of this frame's rows, in the rows' order; ``pts_seconds`` is the frame's media time."""
        ...

    def reset(self) -> None:
        """Forget every track after a discontinuity. Ids go on counting: an id never means two things in one source."""
        ...

    def close(self) -> None:
        """Free the state; may be called twice."""
        ...
