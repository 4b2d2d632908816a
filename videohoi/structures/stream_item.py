"""What one frame turned into: the value that moves through the graph and reaches the caller."""

from __future__ import annotations

from dataclasses import dataclass, field

from videohoi.structures.detections import Detections
from videohoi.structures.events import InteractionEvent
from videohoi.structures.frame import Frame
from videohoi.structures.interactions import Interactions, TrackedInteractions
from videohoi.structures.tracks import Tracks


@dataclass(frozen=True)
class FrameResult:
    """A frame and everything said about it. Stages add to it with ``dataclasses.replace``."""

    frame: Frame
    detections: Detections = field(default_factory=Detections.empty)
    pair_scores: Interactions | None = None
    """per-frame verb scores before smoothing"""
    tracks: Tracks = field(default_factory=Tracks.empty)
    """row-aligned with ``detections``"""
    interactions: TrackedInteractions | None = None
    """smoothed verb scores per pair of tracks"""
    events: tuple[InteractionEvent, ...] = ()
    """decisions taken with this frame"""
