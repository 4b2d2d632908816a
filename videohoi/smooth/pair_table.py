"""Slot table of pairs: one row a pair of tracks, one column a verb, all state in arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from videohoi.smooth.filters import exponential_weights
from videohoi.smooth.impacts import ImpactPeaks
from videohoi.smooth.motion import CarriedMemory
from videohoi.smooth.timed_rows import TimedRows

OFF, PENDING, ON = 0, 1, 2
"""state of a verb: not believed; believed but not yet for long enough; announced"""


class Weights(NamedTuple):
    """Which rows of a history count for a frame, and how much."""

    rows: slice
    values: NDArray[np.float64]


class FrameWeights:
    """Filter weights around one time. Most pairs were seen in the same frames: theirs are computed once."""

    def __init__(self, at_seconds: float, tau_seconds: float, reach_seconds: float) -> None:
        self._at, self._tau, self._reach = at_seconds, tau_seconds, reach_seconds
        self._known: dict[bytes, Weights | None] = {}

    def of(self, times: NDArray[np.float64]) -> Weights | None:
        """For a history at ``times`` (n,); None when none of them is within reach."""
        stamp = times.tobytes()
        if stamp not in self._known:
            near = np.flatnonzero(np.abs(times - self._at) <= self._reach)
            rows = slice(near[0], near[-1] + 1) if len(near) else slice(0, 0)
            self._known[stamp] = (
                Weights(rows, exponential_weights(times[rows], self._at, self._tau)) if len(near) else None
            )
        return self._known[stamp]


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

    def filtered(self, weights: FrameWeights) -> NDArray[np.float64] | None:
        """Weighted mean of the scores (V,) around the frame; None when the pair was not seen there."""
        found = weights.of(self.history.times)
        if found is None:
            return None
        result: NDArray[np.float64] = found.values @ self.history.rows[found.rows]
        return result

    def seen_at(self, at_seconds: float) -> bool:
        """Both boxes were seen in the frame at ``at_seconds``."""
        times = self.history.times
        place = int(times.searchsorted(at_seconds))
        return place < len(times) and bool(times[place] == at_seconds)

    @property
    def idle(self) -> bool:
        """No verb is pending or on."""
        return not self.phase.any()
