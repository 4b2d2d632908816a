"""What was measured of many things over the last seconds, in one array: one row a frame, one column a thing."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

FIRST_ROWS, FIRST_COLUMNS = 64, 16
"""allotted at first; doubled as needed"""
NOBODY = 0
"""the column of everything that has none: it is never seen"""

Key = TypeVar("Key", bound=Hashable)


class Columns(Generic[Key]):
    """Which column belongs to which thing. Columns of things that are gone are given away again."""

    def __init__(self) -> None:
        self._of: dict[Key, int] = {}
        self._free: list[int] = []
        self.count = NOBODY + 1
        """columns used so far, free ones and ``NOBODY`` included"""

    def __len__(self) -> int:
        return len(self._of)

    def items(self) -> list[tuple[Key, int]]:
        """Things and their columns."""
        return list(self._of.items())

    def of(self, key: Key) -> int:
        """The thing's column; ``NOBODY`` where it has none."""
        return self._of.get(key, NOBODY)

    def take(self, key: Key) -> int:
        """A column for a thing that has none."""
        if self._free:
            column = self._free.pop()
        else:
            column, self.count = self.count, self.count + 1
        self._of[key] = column
        return column

    def release(self, key: Key) -> None:
        """The thing is gone."""
        self._free.append(self._of.pop(key))


class TimedGrid:
    """A queue of frames at times that never decrease; each has D numbers for those columns that were seen in it.

    Arrays are views that are valid until the next change. What was not seen is 0.
    """

    def __init__(self, depth: int, dtype: DTypeLike = np.float64) -> None:
        self._times = np.zeros(FIRST_ROWS)
        self._seen = np.zeros((FIRST_ROWS, FIRST_COLUMNS), np.bool_)
        self._values: NDArray[Any] = np.zeros((FIRST_ROWS, FIRST_COLUMNS, depth), dtype)
        self._begin = self._end = 0

    def __len__(self) -> int:
        return self._end - self._begin

    def span(self, begin_seconds: float, end_seconds: float) -> slice:
        """Rows with begin <= time <= end."""
        times = self.times
        return slice(int(times.searchsorted(begin_seconds, "left")), int(times.searchsorted(end_seconds, "right")))

    @property
    def times(self) -> NDArray[np.float64]:
        """(F,) seconds, oldest first."""
        return self._times[self._begin : self._end]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(F, C)."""
        return self._seen[self._begin : self._end]

    @property
    def values(self) -> NDArray[Any]:
        """(F, C, D)."""
        return self._values[self._begin : self._end]

    def push(self, pts_seconds: float, columns: NDArray[np.int64], rows: NDArray[Any]) -> None:
        """Append a frame in which ``columns`` (n,) measured ``rows`` (n, D)."""
        self._make_room(int(columns.max(initial=0)) + 1)
        self._times[self._end] = pts_seconds
        self._seen[self._end] = False
        self._values[self._end] = 0
        self._seen[self._end, columns] = True
        self._values[self._end, columns] = rows
        self._end += 1

    def drop_before(self, pts_seconds: float) -> None:
        """Forget the frames older than ``pts_seconds``."""
        self._begin += int(self.times.searchsorted(pts_seconds, "left"))

    def clear(self, column: int) -> None:
        """Forget what was measured in ``column``, which may not exist yet."""
        if column < self._seen.shape[1]:
            self.seen[:, column] = False
            self.values[:, column] = 0

    def _make_room(self, columns: int) -> None:
        rows, width = self._seen.shape
        count = len(self)
        if self._end < rows and columns <= width:
            return
        while width < columns:
            width *= 2
        if self._end == rows:  # at least half is free afterwards, so a row is moved once on average
            rows = max(FIRST_ROWS, 2 * count)
        times, seen = np.zeros(rows), np.zeros((rows, width), np.bool_)
        values = np.zeros((rows, width, self._values.shape[2]), self._values.dtype)
        times[:count] = self.times
        seen[:count, : self._seen.shape[1]] = self.seen
        values[:count, : self._seen.shape[1]] = self.values
        self._times, self._seen, self._values, self._begin, self._end = times, seen, values, 0, count
