"""The memory of all (human, object) pairs of tracks, in arrays of one row a pair and one column a verb."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.smooth.timed_grid import FIRST_COLUMNS, Columns, TimedGrid
from videohoi.structures import FrameResult

OFF, PENDING, ON = 0, 1, 2
"""state of a verb: off; scored high enough but not yet for long enough; announced"""

NO_TRACK = 0
"""in place of the track ids of a row without a pair; ids begin at 1"""
ROUNDING_SECONDS = 1e-9
"""sums of frame times miss round limits by rounding"""

PairKey = tuple[int, int]
"""track ids of the human and the object"""
Rows = NDArray[np.int64]

PAIR_FIELDS: MappingProxyType[str, type] = MappingProxyType(
    {
        **dict.fromkeys(("human_ids", "object_ids", "class_ids", "reported_class_ids"), np.int64),
        **dict.fromkeys(("first_seconds", "last_seen_seconds", "observed_seconds", "last_observed"), np.float64),
        **dict.fromkeys(("kicked_seconds", "carried"), np.float64),
    }
)
"""arrays (R,) of a pair table"""
VERB_FIELDS: MappingProxyType[str, type] = MappingProxyType(
    {
        "phase": np.int8,
        **dict.fromkeys(("begin", "last_on", "begin_observed", "last_on_observed"), np.float64),
        **dict.fromkeys(("last_update", "peak", "score_sum"), np.float64),
        "score_count": np.int64,
        "is_reported": np.bool_,
    }
)
"""arrays (R, V) of a pair table"""


class PairTable:
    """Pairs of one source. Arrays have R rows; row 0 and rows of pairs that are gone are off and have no scores."""

    def __init__(self, verb_count: int) -> None:
        self.verb_count = verb_count
        self.scores = TimedGrid(verb_count, np.float32)
        """verb scores of the frames; a column of the grid is a row of this table"""
        self._keys: Columns[PairKey] = Columns()
        self._rows: Rows | None = None  # of all pairs in order, while these stay the same
        self._row_count = 0
        self._allot(FIRST_COLUMNS)

    def _allot(self, rows: int) -> None:
        """Grow every array to ``rows`` rows."""
        for fields, shape in ((PAIR_FIELDS, (rows,)), (VERB_FIELDS, (rows, self.verb_count))):
            for name, dtype in fields.items():
                grown: NDArray[Any] = np.zeros(shape, dtype)
                grown[: self._row_count] = getattr(self, name, grown)[: self._row_count]
                setattr(self, name, grown)
        self._row_count = rows

    human_ids: NDArray[np.int64]
    """(R,) track ids"""
    object_ids: NDArray[np.int64]
    """(R,) track ids"""
    class_ids: NDArray[np.int64]
    """(R,) the object's voted class in the newest frame that saw the pair"""
    reported_class_ids: NDArray[np.int64]
    """(R,) the class under which the states that are pending or on began"""
    first_seconds: NDArray[np.float64]
    """(R,) when the pair was first seen"""
    last_seen_seconds: NDArray[np.float64]
    """(R,)"""
    observed_seconds: NDArray[np.float64]
    """(R,) how long the pair has been seen so far, up to the frame decided last"""
    last_observed: NDArray[np.float64]
    """(R,) time of the newest decided frame that saw the pair"""
    kicked_seconds: NDArray[np.float64]
    """(R,) when the object was last kicked away; -inf: never"""
    carried: NDArray[np.float64]
    """(R,) belief in [0, 1] that the human carries the object"""
    phase: NDArray[np.int8]
    """(R, V) OFF, PENDING or ON"""
    begin: NDArray[np.float64]
    """(R, V) time of the first frame of the state"""
    last_on: NDArray[np.float64]
    """(R, V) time of the newest frame in which it holds"""
    begin_observed: NDArray[np.float64]
    """(R, V) ``observed_seconds`` at ``begin``"""
    last_on_observed: NDArray[np.float64]
    """(R, V) ``observed_seconds`` at ``last_on``"""
    last_update: NDArray[np.float64]
    """(R, V) time of the newest begin or update event"""
    peak: NDArray[np.float64]
    """(R, V) highest score of the state"""
    score_sum: NDArray[np.float64]
    """(R, V) over the frames in which it holds"""
    score_count: NDArray[np.int64]
    """(R, V) those frames"""
    is_reported: NDArray[np.bool_]
    """(R, V) the begin of the state was reported: its class can no longer change"""

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def used(self) -> int:
        """Rows up to here may hold pairs."""
        return self._keys.count

    def row_of(self, key: PairKey) -> int:
        """The row of a pair; 0 where it is not known."""
        return self._keys.of(key)

    def key_of(self, row: int) -> PairKey:
        """Track ids of the pair in ``row``."""
        return int(self.human_ids[row]), int(self.object_ids[row])

    def mean_score(self, row: int, verb: int) -> float:
        """Of the state, over the frames in which it holds."""
        return float(self.score_sum[row, verb] / max(self.score_count[row, verb], 1))

    def rows(self) -> Rows:
        """(P,) rows of all pairs, by human id, then object id."""
        if self._rows is None:
            self._rows = np.array([row for _, row in sorted(self._keys.items())], np.int64)
        return self._rows

    def observe(self, item: FrameResult, keep_seconds: float) -> None:
        """Take in a frame's pairs of confirmed tracks; scores older than ``keep_seconds`` are forgotten."""
        pts, scored = item.frame.pts_seconds, item.pair_scores
        self.scores.drop_before(pts - keep_seconds)
        pair_rows = pairs_of(item)
        if scored is None or not len(pair_rows):
            return
        ids, classes = item.tracks.track_ids, item.tracks.class_ids
        humans, objects = scored.pairs.human_rows[pair_rows], scored.pairs.object_rows[pair_rows]
        keys = zip(ids[humans].tolist(), ids[objects].tolist(), strict=True)
        rows = np.array([self._keys.of(key) or self._take(key, pts) for key in keys], np.int64)
        self.class_ids[rows] = classes[objects]
        self.last_seen_seconds[rows] = pts
        self.scores.push(pts, rows, scored.verb_scores[pair_rows])

    def _take(self, key: PairKey, pts_seconds: float) -> int:
        row, self._rows = self._keys.take(key), None
        if row >= self._row_count:
            self._allot(2 * self._row_count)
        self.human_ids[row], self.object_ids[row] = key
        self.reported_class_ids[row] = -1
        self.first_seconds[row] = pts_seconds
        self.observed_seconds[row] = self.carried[row] = 0.0
        self.last_observed[row] = self.kicked_seconds[row] = -np.inf
        return row

    def observed_in(self, item: FrameResult) -> NDArray[np.bool_]:
        """(R used,) pairs whose two boxes were seen in this frame, whether or not the pair was scored."""
        ids = np.sort(item.tracks.track_ids)
        return _contains(ids, self.human_ids[: self.used]) & _contains(ids, self.object_ids[: self.used])

    def was_observed_since(self, pts_seconds: float) -> NDArray[np.bool_]:
        """(R used,) pairs that a frame decided so far saw at ``pts_seconds`` or later."""
        return self.last_observed[: self.used] >= pts_seconds - ROUNDING_SECONDS

    def note_observed(self, observed: NDArray[np.bool_], pts_seconds: float, dt_seconds: float) -> None:
        """The frame at ``pts_seconds``, ``dt_seconds`` after the one before, saw the pairs ``observed`` (R used,)."""
        self.observed_seconds[: self.used][observed] += dt_seconds
        self.last_observed[: self.used][observed] = pts_seconds

    def expire(self, before_seconds: float) -> list[PairKey]:
        """Forget the pairs that are off and were not seen since ``before_seconds``; returns them."""
        old = self.last_seen_seconds[: self.used] < before_seconds
        if not old.any():
            return []
        idle = self.phase[: self.used].max(axis=1) == OFF
        gone = [key for key, row in self._keys.items() if old[row] and idle[row]]
        for key in gone:
            row = self._keys.of(key)
            self.scores.clear(row)
            self.human_ids[row] = self.object_ids[row] = NO_TRACK
            self._keys.release(key)
        self._rows = None
        return gone


def _contains(ascending: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) whether each of ``values`` (n,) is in ``ascending``."""
    if not len(ascending):
        return np.zeros(len(values), np.bool_)
    places = np.minimum(ascending.searchsorted(values), len(ascending) - 1)
    return np.asarray(ascending[places] == values)


def pairs_of(item: FrameResult) -> Rows:
    """(n,) rows of a frame's pair scores whose two tracks are confirmed."""
    if item.pair_scores is None:
        return np.zeros(0, np.int64)
    ids, pairs = item.tracks.track_ids, item.pair_scores.pairs
    return np.flatnonzero((ids[pairs.human_rows] >= 0) & (ids[pairs.object_rows] >= 0))
