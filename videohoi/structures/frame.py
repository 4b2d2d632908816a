"""One decoded picture, and what is known about its source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from videohoi.structures.checks import require_dtype, require_shape


class Discontinuity(str, Enum):
    """Why a picture does not continue the one before it: tracks and states end there."""

    SCENE_CUT = "scene cut"
    """another shot begins"""
    PICTURE_SIZE = "picture size"
    """the picture changed its size or shape"""


@dataclass(frozen=True, repr=False)
class Frame:
    """A decoded picture with its true time."""

    image: NDArray[np.uint8]
    """(H, W, 3) uint8 RGB, upright (rotation metadata applied)"""
    index: int
    """0-based position among the frames the source yielded"""
    pts_seconds: float
    """media time of the picture; strictly increasing within a source"""
    source_id: str
    """which source: file name or camera name"""
    captured_seconds: float | None = None
    """monotonic clock at capture, live sources only"""
    discontinuity: Discontinuity | None = None
    """set on the first picture that does not continue the one before it; None: it does"""

    def __post_init__(self) -> None:
        require_shape("Frame", "image", self.image, (None, None, 3))
        require_dtype("Frame", "image", self.image, np.uint8)

    @property
    def height_px(self) -> int:
        """Picture height."""
        return int(self.image.shape[0])

    @property
    def width_px(self) -> int:
        """Picture width."""
        return int(self.image.shape[1])

    def __repr__(self) -> str:
        return (
            f"Frame(index={self.index}, pts_seconds={self.pts_seconds:.3f}, source_id={self.source_id!r}, "
            f"image.shape={self.image.shape})"
        )


@dataclass(frozen=True)
class SourceInfo:
    """What is known about a source once it is open."""

    source_id: str
    width_px: int
    """of the first picture, after rotation; later ones may differ (``Frame.discontinuity``)"""
    height_px: int
    """of the first picture, after rotation"""
    frame_rate_hz: float | None
    """average rate as the container states it; None when unknown. Times come from each frame, never from this."""
    frame_count: int | None
    """the container's estimate; None when unknown (live, damaged index)"""
    duration_seconds: float | None
    live: bool = False
    """a camera or stream: frames cannot be waited for"""
    pixel_aspect_ratio: float = 1.0
    """width over height of one pixel as it is meant to be shown; boxes and sizes count stored pixels"""
