"""Confidence of a track: its best recent score. A box that continues a confident track counts as confident too."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from videohoi.structures import Detections, Tracks

CONFIDENCE_TAU_SECONDS = 2.0
"""time constant at which a score fades: hands and small objects flicker"""


class TrackConfidence:
    """Confidence of the tracks of one source."""

    def __init__(self) -> None:
        self._best: dict[int, tuple[float, float]] = {}

    def update(self, tracks: Tracks, detections: Detections, pts_seconds: float) -> Tracks:
        """``tracks`` of a frame with the confidence of its rows; a row without a track has its own score."""
        confidence = detections.scores.astype(np.float32)
        for row in np.flatnonzero(tracks.confirmed).tolist():
            track_id = int(tracks.track_ids[row])
            best, seen_seconds = self._best.get(track_id, (0.0, pts_seconds))
            faded = best * math.exp(-(pts_seconds - seen_seconds) / CONFIDENCE_TAU_SECONDS)
            confidence[row] = max(faded, float(confidence[row]))
            self._best[track_id] = (float(confidence[row]), pts_seconds)
        for track_id in tracks.ended_ids:
            self._best.pop(track_id, None)
        return replace(tracks, confidence=confidence)
