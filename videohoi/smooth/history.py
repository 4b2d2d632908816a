"""Short histories of track boxes, and velocities from them."""

from __future__ import annotations

import math
import statistics
from functools import cached_property

import numpy as np

from videohoi.smooth.timed_rows import TimedRows, Vector

LEAST_SAMPLES = 3
"""fewer points give no velocity"""


class Window:
    """One track's boxes in a span of time, and what follows from them: computed once, however many pairs ask."""

    def __init__(self, times: Vector, boxes: Vector) -> None:
        self.times = times
        """(n,) seconds, ascending"""
        self.boxes = boxes
        """(n, 4) xyxy px"""
        self._nearest: dict[float, Vector] = {}

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def stamp(self) -> bytes:
        """Equal for windows of the same times."""
        return self.times.tobytes()

    @cached_property
    def centres(self) -> Vector:
        """(n, 2)."""
        return centres(self.boxes)

    @cached_property
    def median_height_px(self) -> float:
        """Of the boxes; at least one is needed."""
        heights: list[float] = (self.boxes[:, 3] - self.boxes[:, 1]).tolist()
        return statistics.median(heights)

    @cached_property
    def highest_px(self) -> float:
        """Least y of a centre; at least one box is needed."""
        return float(self.centres[:, 1].min())

    def nearest(self, at_seconds: float) -> Vector:
        """The box (4,) whose time is nearest to ``at_seconds``; at least one is needed."""
        if at_seconds not in self._nearest:
            self._nearest[at_seconds] = nearest(self.times, self.boxes, at_seconds)
        return self._nearest[at_seconds]


class BoxHistory:
    """One track's recent boxes. What was computed from them is kept until they change: all pairs of a track ask."""

    def __init__(self) -> None:
        self._boxes = TimedRows(4)
        self._windows: dict[tuple[float, float], Window] = {}
        self._velocities: dict[tuple[float, float, int], Vector | None] = {}

    def __len__(self) -> int:
        return len(self._boxes)

    def push(self, pts_seconds: float, box_xyxy_px: Vector) -> None:
        """Append a box (4,) xyxy in source pixels."""
        self._boxes.append(pts_seconds, box_xyxy_px)
        self._changed()

    def drop_before(self, pts_seconds: float) -> None:
        """Forget the boxes older than ``pts_seconds``."""
        self._boxes.drop_before(pts_seconds)
        self._changed()

    def window(self, begin_seconds: float, end_seconds: float) -> Window:
        """The boxes with begin <= time <= end; views, valid until the next change."""
        key = (begin_seconds, end_seconds)
        found = self._windows.get(key)
        if found is None:
            times = self._boxes.times
            rows = slice(times.searchsorted(begin_seconds, "left"), times.searchsorted(end_seconds, "right"))
            found = self._windows[key] = Window(times[rows], self._boxes.rows[rows])
        return found

    def between(self, begin_seconds: float, end_seconds: float) -> tuple[Vector, Vector]:
        """Times (n,) and boxes (n, 4) of ``window``."""
        found = self.window(begin_seconds, end_seconds)
        return found.times, found.boxes

    def velocity(self, begin_seconds: float, end_seconds: float, least: int = LEAST_SAMPLES) -> Vector | None:
        """Least-squares velocity of the centre (2,) in pixels a second; None with fewer than ``least`` boxes."""
        key = (begin_seconds, end_seconds, least)
        if key not in self._velocities:
            found = self.window(begin_seconds, end_seconds)
            self._velocities[key] = None if len(found) < least else slope(found.times, found.centres)
        return self._velocities[key]

    def _changed(self) -> None:
        self._windows.clear()
        self._velocities.clear()


def centres(boxes_xyxy_px: Vector) -> Vector:
    """Centres (n, 2) of boxes (n, 4)."""
    return (boxes_xyxy_px[:, :2] + boxes_xyxy_px[:, 2:]) / 2


def nearest(times: Vector, boxes: Vector, at_seconds: float) -> Vector:
    """The box (4,) of ``boxes`` (n, 4) whose time is nearest to ``at_seconds``; n >= 1."""
    result: Vector = boxes[np.abs(times - at_seconds).argmin()]
    return result


def size_px(box_xyxy_px: Vector) -> float:
    """Square root of a box's area, at least one pixel."""
    left, top, right, bottom = box_xyxy_px.tolist()
    return math.sqrt(max(right - left, 1.0) * max(bottom - top, 1.0))


def slope(times: Vector, values: Vector) -> Vector:
    """Least-squares slope of ``values`` (n, d) over ``times`` (n,): (d,) a second."""
    centred = times - times.sum() / len(times)
    spread = float(centred @ centred)
    result: Vector = centred @ (values - values[0]) / max(spread, 1e-9)
    return result


class Histories:
    """Box histories of all live tracks of one source."""

    def __init__(self) -> None:
        self._by_track: dict[int, BoxHistory] = {}

    def __len__(self) -> int:
        return len(self._by_track)

    def push(self, track_id: int, pts_seconds: float, box_xyxy_px: Vector) -> None:
        """Append a box of a track."""
        self._by_track.setdefault(track_id, BoxHistory()).push(pts_seconds, box_xyxy_px)

    def get(self, track_id: int) -> BoxHistory:
        """History of a track; empty when it was never seen."""
        return self._by_track.get(track_id) or BoxHistory()

    def forget(self, before_seconds: float) -> None:
        """Drop older boxes, and the tracks that have none left."""
        for history in self._by_track.values():
            history.drop_before(before_seconds)
        self._by_track = {track_id: history for track_id, history in self._by_track.items() if len(history)}

    def clear(self) -> None:
        """Drop everything."""
        self._by_track.clear()
