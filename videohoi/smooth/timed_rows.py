"""Rows of numbers with their times, in arrays that grow at one end and shrink at the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

FIRST_CAPACITY = 16
"""rows allotted at first; doubled as needed"""


class TimedRows:
    """A queue of (n, d) rows whose times (n,) never decrease, readable as plain arrays without a copy."""

    def __init__(self, columns: int) -> None:
        self._times = np.zeros(FIRST_CAPACITY)
        self._rows = np.zeros((FIRST_CAPACITY, columns))
        self._begin = 0
        self._end = 0

    def __len__(self) -> int:
        return self._end - self._begin

    @property
    def times(self) -> Vector:
        """(n,) seconds, oldest first; valid until the next change."""
        return self._times[self._begin : self._end]

    @property
    def rows(self) -> Vector:
        """(n, d), aligned with ``times``; valid until the next change."""
        return self._rows[self._begin : self._end]

    def append(self, pts_seconds: float, row: NDArray[np.floating]) -> None:
        """Add a row (d,) at the end."""
        if self._end == len(self._times):
            self._make_room()
        self._times[self._end] = pts_seconds
        self._rows[self._end] = row
        self._end += 1

    def drop_before(self, pts_seconds: float) -> None:
        """Forget the rows older than ``pts_seconds``."""
        while self._begin < self._end and self._times[self._begin] < pts_seconds:
            self._begin += 1

    def _make_room(self) -> None:
        count = len(self)
        capacity = max(FIRST_CAPACITY, 2 * count)  # at least half is free afterwards, so a row is moved once on average
        times, rows = np.zeros(capacity), np.zeros((capacity, self._rows.shape[1]))
        times[:count], rows[:count] = self.times, self.rows
        self._times, self._rows, self._begin, self._end = times, rows, 0, count
