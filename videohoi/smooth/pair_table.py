"""Slot table of pairs: one row a pair of tracks, one column a verb, all state in arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from videohoi.smooth.filters import exponential_weights
from videohoi.smooth.impacts import ImpactPeaks
from videohoi.smooth.motion import CarriedMemory
from videohoi.smooth.timed_rows import TimedRows

OFF, PENDING, ON = 0, 1, 2
"""state of a verb: not believed; believed but not yet for long enough; announced"""


@dataclass
class PairState:
    """What is remembered of one (human, object) pair of tracks; arrays are (V,)."""

    human_id: int
    object_id: int
    object_class_id: int
    verb_count: int
    peaks: ImpactPeaks
    first_seconds: float = 0.0
    last_seen_seconds: float = 0.0
    kicked_seconds: float = -np.inf
    """when the object was last kicked away"""
    memory: CarriedMemory = field(default_factory=CarriedMemory)

    def __post_init__(self) -> None:
        count = self.verb_count
        self.history = TimedRows(count)
        self.phase = np.zeros(count, np.int8)
        self.begin = np.zeros(count)
        self.last_on = np.zeros(count)
        self.last_update = np.zeros(count)
        self.peak = np.zeros(count)
        self.score_sum = np.zeros(count)
        self.score_count = np.zeros(count, np.int64)
        self.interaction = np.full(count, -1, np.int64)

    def push(self, pts_seconds: float, verb_scores: NDArray[np.float32], keep_seconds: float) -> None:
        """Append a frame's scores (V,) and forget old ones."""
        self.history.append(pts_seconds, verb_scores)
        self.history.drop_before(pts_seconds - keep_seconds)
        self.last_seen_seconds = pts_seconds

    def filtered(self, at_seconds: float, tau_seconds: float, reach_seconds: float) -> NDArray[np.float64] | None:
        """Weighted mean of the scores (V,) within ``reach_seconds``; None when the pair was not seen there."""
        times = self.history.times
        near = np.flatnonzero(np.abs(times - at_seconds) <= reach_seconds)
        if not len(near):
            return None
        rows = slice(near[0], near[-1] + 1)
        result: NDArray[np.float64] = (
            exponential_weights(times[rows], at_seconds, tau_seconds) @ self.history.rows[rows]
        )
        return result

    def seen_at(self, at_seconds: float) -> bool:
        """Both boxes were seen in the frame at ``at_seconds``."""
        return bool((self.history.times == at_seconds).any())

    @property
    def idle(self) -> bool:
        """No verb is pending or on."""
        return not self.phase.any()
