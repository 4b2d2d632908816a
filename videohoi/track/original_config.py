"""Settings of the tracker that repeats BYTE's public code; names and defaults are that code's."""

from __future__ import annotations

import math
from dataclasses import dataclass

from videohoi.errors import ConfigError


@dataclass(frozen=True)
class OriginalByteConfig:
    """Arguments of ``BYTETracker`` (ifzhang/ByteTrack, ``tools/demo_track.py``). ``ConfigError`` names a bad value."""

    track_thresh: float = 0.5
    """rows above take part in the first association; a new track needs 0.1 more"""
    match_thresh: float = 0.8
    """greatest cost 1 - IoU * score of the first association, under 1"""
    track_buffer: float = 30
    """frames a lost track is waited for at 30 frames/s"""
    frame_rate: float = 30.0
    """frames/s; scales ``track_buffer``"""
    mot20: bool = False
    """cost without the score"""

    def __post_init__(self) -> None:
        for name in ("track_thresh", "match_thresh", "track_buffer", "frame_rate"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
                raise ConfigError(f"OriginalByteConfig.{name} must be a finite number of 0 or more, got {value!r}")
        if self.match_thresh >= 1:
            raise ConfigError(
                f"OriginalByteConfig.match_thresh must be under 1, got {self.match_thresh}: "
                "at 1 boxes that do not touch would be matched"
            )

    @property
    def new_thresh(self) -> float:
        """Least score of a new track (``det_thresh`` of the public code)."""
        return self.track_thresh + 0.1

    @property
    def max_lost_frames(self) -> int:
        """Frames a lost track is waited for."""
        return int(self.frame_rate / 30.0 * self.track_buffer)
