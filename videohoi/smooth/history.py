"""Short histories of track boxes, and velocities from them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

LEAST_SAMPLES = 3
"""fewer points give no velocity"""


@dataclass
class BoxHistory:
    """One track's recent boxes."""

    times: deque[float] = field(default_factory=deque)
    boxes: deque[Vector] = field(default_factory=deque)
    """(4,) xyxy in source pixels"""

    def push(self, pts_seconds: float, box_xyxy_px: Vector, keep_seconds: float) -> None:
        """Append a box and forget what is older than ``keep_seconds``."""
        self.times.append(pts_seconds)
        self.boxes.append(box_xyxy_px)
        while self.times[0] < pts_seconds - keep_seconds:
            self.times.popleft()
            self.boxes.popleft()

    def between(self, begin_seconds: float, end_seconds: float) -> tuple[Vector, Vector]:
        """Times (n,) and boxes (n, 4) with begin <= time <= end."""
        times = np.array(self.times)
        rows = (times >= begin_seconds) & (times <= end_seconds)
        return times[rows], np.array(self.boxes).reshape(-1, 4)[rows]

    def velocity(self, begin_seconds: float, end_seconds: float) -> Vector | None:
        """Least-squares velocity of the centre (2,) in pixels a second; None with fewer than three boxes."""
        times, boxes = self.between(begin_seconds, end_seconds)
        return None if len(times) < LEAST_SAMPLES else slope(times, centres(boxes))


def centres(boxes_xyxy_px: Vector) -> Vector:
    """Centres (n, 2) of boxes (n, 4)."""
    return (boxes_xyxy_px[:, :2] + boxes_xyxy_px[:, 2:]) / 2


def size_px(box_xyxy_px: Vector) -> float:
    """Square root of a box's area, at least one pixel."""
    width, height = np.maximum(box_xyxy_px[2:] - box_xyxy_px[:2], 1.0)
    return float(np.sqrt(width * height))


def slope(times: Vector, values: Vector) -> Vector:
    """Least-squares slope of ``values`` (n, d) over ``times`` (n,): (d,) a second."""
    centred = times - times.mean()
    spread = float(centred @ centred)
    result: Vector = centred @ (values - values.mean(axis=0)) / max(spread, 1e-9)
    return result


class Histories:
    """Box histories of all live tracks of one source."""

    def __init__(self, keep_seconds: float) -> None:
        self.keep_seconds = keep_seconds
        self._by_track: dict[int, BoxHistory] = {}

    def push(self, track_id: int, pts_seconds: float, box_xyxy_px: Vector) -> None:
        """Append a box of a track."""
        self._by_track.setdefault(track_id, BoxHistory()).push(pts_seconds, box_xyxy_px, self.keep_seconds)

    def get(self, track_id: int) -> BoxHistory:
        """History of a track; empty when it was never seen."""
        return self._by_track.get(track_id) or BoxHistory()

    def forget(self, track_ids: tuple[int, ...]) -> None:
        """Drop ended tracks."""
        for track_id in track_ids:
            self._by_track.pop(track_id, None)

    def clear(self) -> None:
        """Drop everything."""
        self._by_track.clear()
