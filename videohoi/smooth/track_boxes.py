"""Recent boxes of all tracks of a source, and what follows from them, for all tracks at once."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from videohoi.smooth.timed_grid import Columns, TimedGrid
from videohoi.structures import FrameResult

LEAST_SAMPLES = 3
"""fewer points give no velocity"""

Vector = NDArray[np.float64]


class Window:
    """The boxes of a span of time; C columns, one a track."""

    def __init__(self, times: Vector, boxes: Vector, seen: NDArray[np.bool_]) -> None:
        self.times = times
        """(F,) seconds, ascending"""
        self.boxes = boxes
        """(F, C, 4) xyxy px; 0 where not seen"""
        self.seen = seen
        """(F, C)"""
        self.counts: NDArray[np.int64] = seen.sum(axis=0)
        """(C,) frames in which the track was seen"""

    @property
    def moving(self) -> NDArray[np.bool_]:
        """(C,) tracks with boxes enough to tell their velocity."""
        return self.counts >= LEAST_SAMPLES

    @cached_property
    def centres(self) -> Vector:
        """(F, C, 2) px."""
        return (self.boxes[..., :2] + self.boxes[..., 2:]) / 2

    @cached_property
    def velocities(self) -> Vector:
        """(C, 2) least-squares velocities of the centres in px/s; 0 with fewer than two boxes (see ``counts``)."""
        if len(self.times) < 2:
            return np.zeros((len(self.counts), 2))
        times = self.times - self.times[0]
        sums = np.stack([times, times * times]) @ self.seen.astype(np.float64)
        means = sums[0] / np.maximum(self.counts, 1)
        spread = np.maximum(sums[1] - means * sums[0], 1e-9)
        centres = self.centres.reshape(len(times), -1)  # 0 where not seen
        along = (times @ centres).reshape(-1, 2) - means[:, None] * centres.sum(axis=0).reshape(-1, 2)
        result: Vector = along / spread[:, None]
        return result

    def nearest(self, at_seconds: float) -> Vector:
        """(C, 4) the box whose time is nearest to ``at_seconds``; 0 for a track not seen."""
        if not len(self.times):
            return np.zeros((len(self.counts), 4))
        away = np.where(self.seen, np.abs(self.times - at_seconds)[:, None], np.inf)
        result: Vector = self.boxes[away.argmin(axis=0), np.arange(len(self.counts))]
        return result

    def highest_px(self) -> Vector:
        """(C,) least y of a centre; infinite for a track not seen."""
        result: Vector = np.where(self.seen, self.centres[..., 1], np.inf).min(axis=0, initial=np.inf)
        return result

    def median_heights_px(self) -> Vector:
        """(C,) of the boxes; infinite for a track not seen."""
        heights = np.sort(np.where(self.seen, self.boxes[..., 3] - self.boxes[..., 1], np.inf), axis=0)
        if not len(heights):
            return np.full(len(self.counts), np.inf)
        columns, last = np.arange(len(self.counts)), np.maximum(self.counts - 1, 0)
        result: Vector = (heights[last // 2, columns] + heights[(last + 1) // 2, columns]) / 2
        return result


class TrackBoxes:
    """Boxes of the live tracks of one source."""

    def __init__(self) -> None:
        self._grid = TimedGrid(4)
        self._columns: Columns[int] = Columns()
        self._windows: dict[tuple[float, float], Window] = {}

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def frame_count(self) -> int:
        """Frames remembered."""
        return len(self._grid)

    def push(self, item: FrameResult) -> None:
        """Append the boxes of a frame's confirmed tracks."""
        ids = item.tracks.track_ids
        rows = np.flatnonzero(ids >= 0)
        columns = [self._columns.of(track) or self._columns.take(track) for track in ids[rows].tolist()]
        boxes = item.detections.boxes_xyxy_px[rows].astype(np.float64)
        self._grid.push(item.frame.pts_seconds, np.array(columns, np.int64), boxes)
        self._windows.clear()

    def columns_of(self, track_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Columns of tracks, of any shape; 0, a track that is never seen, where nothing is remembered."""
        columns = [self._columns.of(track) for track in track_ids.ravel().tolist()]
        return np.array(columns, np.int64).reshape(track_ids.shape)

    def window(self, begin_seconds: float, end_seconds: float) -> Window:
        """The boxes with begin <= time <= end; views, valid until the next change, and the same ones until then."""
        known = self._windows.get((begin_seconds, end_seconds))
        if known is None:
            rows, used = self._grid.span(begin_seconds, end_seconds), self._columns.count
            known = Window(self._grid.times[rows], self._grid.values[rows, :used], self._grid.seen[rows, :used])
            self._windows[begin_seconds, end_seconds] = known
        return known

    def forget(self, before_seconds: float) -> None:
        """Drop older boxes, and the tracks that have none left."""
        self._grid.drop_before(before_seconds)
        self._windows.clear()
        counts = self._grid.seen.sum(axis=0)
        for track, column in self._columns.items():
            if not counts[column]:
                self._columns.release(track)


def sizes_px(boxes_xyxy_px: Vector) -> Vector:
    """Square roots of the areas of boxes (..., 4), at least one pixel."""
    sides = np.maximum(boxes_xyxy_px[..., 2:] - boxes_xyxy_px[..., :2], 1.0)
    result: Vector = np.sqrt(sides[..., 0] * sides[..., 1])
    return result
