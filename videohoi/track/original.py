"""The tracker whose ids and boxes are those of BYTE's public code (ifzhang/ByteTrack, ``yolox/tracker``), every frame.

For those who replace that code or compare with figures obtained by it. It knows neither classes nor time: a frame is a
frame. ``ByteTracker`` is the tracker of humans and objects in video.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import InputError, UsageError
from videohoi.geometry.warming import warmed
from videohoi.structures import Detections, SourceInfo, Tracks
from videohoi.track.original_compiled import CompiledOriginal
from videohoi.track.original_config import OriginalByteConfig
from videohoi.track.original_plain import PlainOriginal


class OriginalFrame(NamedTuple):
    """K tracks followed in a frame, in the order of the public code's ``output_stracks``."""

    track_ids: NDArray[np.int64]
    """(K,)"""
    boxes_xyxy_px: NDArray[np.float64]
    """(K, 4) corners of the filter's state after it saw the row"""
    rows: NDArray[np.int64]
    """(K,) row of the input each track was matched with"""


class OriginalByteTracker:
    """Tracks one source; see ``protocol.Tracker``.

    Two habits of the public code's lost tracks are kept: one that was waited for in vain can still be found in the one
    frame after, and if it is, it is gone as soon as it is not seen again. Two are not: ids belong to the instance and
    begin at 1, and what is over is forgotten (the public code keeps every track that ever was, and slows down with
    them). Coordinates and scores are taken as float64. Where two matchings cost exactly the same, either program may
    take either.
    """

    def __init__(self, config: OriginalByteConfig | None = None, *, compiled: bool | None = None) -> None:
        """``compiled``: True waits for the compiler at ``open``, False runs on numpy, None runs on what is ready."""
        self._config = config if config is not None else OriginalByteConfig()
        self._compiled = compiled
        self._engine: CompiledOriginal | PlainOriginal | None = None

    def open(self, info: SourceInfo) -> None:
        """Begin a source with ids from 1. Loads the compiled step, or runs on numpy while it is compiled."""
        compiled = warmed(warm_up) if self._compiled is None else self._compiled
        self._engine = CompiledOriginal(self._config) if compiled else PlainOriginal(self._config)
        if self._compiled:
            warm_up()

    def step(self, boxes_xyxy_px: NDArray[np.floating[Any]], scores: NDArray[np.floating[Any]]) -> OriginalFrame:
        """The next frame's rows, corners (N, 4) px and scores (N,). One that is not finite or has no area is left out.

        ``UsageError`` before ``open``; ``ValueError`` on other shapes.
        """
        if self._engine is None:
            raise UsageError("OriginalByteTracker.step before open: call open(info) first")
        boxes: NDArray[np.float64] = np.ascontiguousarray(boxes_xyxy_px, np.float64)
        weights: NDArray[np.float64] = np.ascontiguousarray(scores, np.float64)
        if weights.ndim != 1 or boxes.shape != (len(weights), 4):
            raise ValueError(f"boxes must have shape (N, 4) and scores (N,), got {boxes.shape} and {weights.shape}")
        return OriginalFrame(*self._engine.step(boxes, weights))

    def update(self, detections: Detections, pts_seconds: float) -> Tracks:
        """Ids of the rows; ``pts_seconds`` is checked and not used. Classes are the rows' own.

        ``UsageError`` before ``open``; ``InputError`` on a stamp that is not finite.
        """
        if not math.isfinite(pts_seconds):
            raise InputError(f"pts_seconds must be a finite number of seconds, got {pts_seconds}")
        if self._engine is None:
            raise UsageError("OriginalByteTracker.update before open: call open(info) first")
        followed = self.step(detections.boxes_xyxy_px, detections.scores)
        track_ids = np.full(len(detections), -1, np.int64)
        track_ids[followed.rows] = followed.track_ids
        return Tracks(track_ids, detections.class_ids.copy(), self._engine.lost_ids, self._engine.ended_ids)

    def reset(self) -> None:
        """Forget every track; ids go on counting and none returns."""
        if self._engine is not None:
            self._engine = type(self._engine)(self._config, next_id=self._engine.next_id)

    def close(self) -> None:
        """Free the state; may be called twice."""
        self._engine = None

    @property
    def track_count(self) -> int:
        """Tracks held now, confirmed or not, seen or lost: what memory and time per frame grow with."""
        return 0 if self._engine is None else self._engine.track_count


def warm_up() -> None:
    """Compile (or load from the cache) the step."""
    boxes = np.array([[0.0, 0.0, 9.0, 30.0], [40.0, 0.0, 49.0, 30.0]])
    engine = CompiledOriginal(OriginalByteConfig())
    engine.step(boxes, np.array([0.9, 0.3]))
