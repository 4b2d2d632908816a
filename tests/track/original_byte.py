"""BYTE's public tracker (ifzhang/ByteTrack, ``yolox/tracker``) in plain numpy and scipy: a reference for tests.

Zhang et al., "ByteTrack", ECCV 2022, arXiv 2110.06864, algorithm 1, with the Kalman filter of DeepSORT (Wojke et al.,
2017, arXiv 1703.07402, section 2.1): state x, y, aspect, height and their speeds, one frame a step, noises scaled by
the height. Details that the paper leaves open follow what the public code does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

LOW_SCORE, SECOND_LIMIT, YOUNG_LIMIT, DOUBLE_LIMIT = 0.1, 0.5, 0.7, 0.15
"""constants of ``BYTETracker.update``: lowest score used; cost limits of the second association, of unconfirmed tracks,
and under which a tracked and a lost track are one"""


@dataclass(frozen=True)
class OriginalByteConfig:
    """Arguments of ``BYTETracker`` (ifzhang/ByteTrack, ``tools/demo_track.py``). ``ConfigError`` names a bad value."""

    track_thresh: float = 0.5
    """rows above take part in the first association; a new track needs 0.1 more"""
    match_thresh: float = 0.8
    """greatest cost 1 - IoU * score of the first association, under 1"""
    track_buffer: float = 30
    """frames a lost track is waited for at 30 frames/s"""
    frame_rate: float = 30.0
    """frames/s; scales ``track_buffer``"""
    mot20: bool = False
    """cost without the score"""

    @property
    def new_thresh(self) -> float:
        """Least score of a new track (``det_thresh`` of the public code)."""
        return self.track_thresh + 0.1

    @property
    def max_lost_frames(self) -> int:
        """Frames a lost track is waited for."""
        return int(self.frame_rate / 30.0 * self.track_buffer)


def assign_scipy(costs: NDArray[np.float64], cost_limit: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Twin of the kernel: the greatest sum of max(limit - cost, 0), then without the pairs that gain nothing."""
    column_of_row = np.full(costs.shape[0], -1, np.int64)
    row_of_column = np.full(costs.shape[1], -1, np.int64)
    gains = np.maximum(cost_limit - costs, 0.0)
    rows, columns = linear_sum_assignment(gains, maximize=True)
    real = gains[rows, columns] > 0.0
    column_of_row[rows[real]] = columns[real]
    row_of_column[columns[real]] = rows[real]
    return column_of_row, row_of_column


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

POSITION, VELOCITY = 1.0 / 20, 1.0 / 160
"""standard deviations in heights a frame"""
TRANSITION = np.eye(8) + np.eye(8, k=4)
SEEN = np.eye(4, 8)


@dataclass
class PlainTrack:
    """One track; ``box`` is predicted until it is seen."""

    mean: Floats
    covariance: Floats
    start_frame: int
    seen_frame: int
    row: int
    track_id: int
    confirmed: bool
    expired: bool = False
    """waited for in vain once: it goes as soon as it is not seen"""

    @property
    def box(self) -> Floats:
        """(4,) corners px."""
        x, y, aspect, height = self.mean[:4]
        left, top = x - aspect * height / 2.0, y - height / 2.0
        return np.array([left, top, left + aspect * height, top + height])

    @property
    def life(self) -> int:
        """Frames from the first sight to the last."""
        return self.seen_frame - self.start_frame

    def predict(self, *, seen_before: bool) -> None:
        """One frame on; what is out of sight does not go on growing."""
        noise = _deviations(self.mean[3], POSITION, VELOCITY, 1e-2, 1e-5)
        if not seen_before:
            self.mean[7] = 0.0
        self.mean = TRANSITION @ self.mean
        self.covariance = TRANSITION @ self.covariance @ TRANSITION.T + np.diag(noise**2)

    def see(self, box: Floats, row: int, frame: int) -> None:
        """Correct the state by ``box`` (4,)."""
        noise = _deviations(self.mean[3], POSITION, VELOCITY, 1e-1, 0.0)[:4]
        total = SEEN @ self.covariance @ SEEN.T + np.diag(noise**2)
        gain = np.linalg.solve(total, SEEN @ self.covariance).T
        self.mean = self.mean + gain @ (_measured(box) - SEEN @ self.mean)
        self.covariance = self.covariance - gain @ total @ gain.T
        self.row, self.seen_frame, self.confirmed = row, frame, True


@dataclass
class PlainOriginal:
    """The tracker; ``step`` as ``OriginalByteTracker.step``."""

    config: OriginalByteConfig
    frame: int = 0
    next_id: int = 1
    tracked: list[PlainTrack] = field(default_factory=list)
    lost: list[PlainTrack] = field(default_factory=list)
    ended_ids: tuple[int, ...] = ()
    """given up in the last frame"""

    def step(self, boxes: Floats, scores: Floats) -> tuple[Ints, Floats, Ints]:
        """Ids (K,), boxes (K, 4) and input rows (K,) of what is followed in this frame."""
        self.frame += 1
        high, low = self._usable(boxes, scores)
        confirmed = [track for track in self.tracked if track.confirmed]
        young = [track for track in self.tracked if not track.confirmed]
        pool = confirmed + self.lost
        for track in pool:
            track.predict(seen_before=track.seen_frame == self.frame - 1)
        weights = None if self.config.mot20 else scores
        high = self._follow(pool, high, boxes, weights, self.config.match_thresh)
        self._follow([track for track in confirmed if not self._now(track)], low, boxes, None, SECOND_LIMIT)
        high = self._follow(young, high, boxes, weights, YOUNG_LIMIT)
        self._update_lists(self._births(high, boxes, scores))
        shown = [track for track in self.tracked if track.confirmed]
        return (
            np.array([track.track_id for track in shown], np.int64),
            np.array([track.box for track in shown]).reshape(-1, 4),
            np.array([track.row for track in shown], np.int64),
        )

    @property
    def track_count(self) -> int:
        """Tracks that may still be seen."""
        return len(self.tracked) + len(self.lost)

    @property
    def lost_ids(self) -> tuple[int, ...]:
        """Not seen in the last frame, still waited for."""
        return tuple(track.track_id for track in self.lost)

    def _now(self, track: PlainTrack) -> bool:
        return track.seen_frame == self.frame

    def _usable(self, boxes: Floats, scores: Floats) -> tuple[Ints, Ints]:
        """The high and the low rows; a score equal to the threshold is neither."""
        sides = boxes[:, 2:] - boxes[:, :2]
        with np.errstate(over="ignore", invalid="ignore"):
            solid = (sides > 0.0).all(axis=1) & (sides.prod(axis=1) < np.inf) & (scores < np.inf)
        high = solid & (scores > self.config.track_thresh)
        low = solid & (scores > LOW_SCORE) & (scores < self.config.track_thresh)
        return np.flatnonzero(high), np.flatnonzero(low)

    def _follow(
        self, tracks: list[PlainTrack], rows: Ints, boxes: Floats, weights: Floats | None, limit: float
    ) -> Ints:
        """Give ``tracks`` their best rows; returns the rows that are left."""
        if not tracks or not len(rows):
            return rows
        iou = pixel_iou(np.array([track.box for track in tracks]), boxes[rows])
        costs = 1.0 - (iou if weights is None else iou * weights[rows])
        row_of_track, track_of_row = assign_scipy(costs, limit)
        for track, chosen in zip(tracks, row_of_track, strict=True):
            if chosen >= 0:
                track.see(boxes[rows[chosen]], int(rows[chosen]), self.frame)
        return rows[track_of_row < 0]

    def _births(self, rows: Ints, boxes: Floats, scores: Floats) -> list[PlainTrack]:
        born = []
        for row in rows[scores[rows] >= self.config.new_thresh]:
            mean = np.concatenate([_measured(boxes[row]), np.zeros(4)])
            spread = _deviations(mean[3], 2 * POSITION, 10 * VELOCITY, 1e-2, 1e-5)
            at_once = self.frame == 1
            born.append(PlainTrack(mean, np.diag(spread**2), self.frame, self.frame, int(row), self.next_id, at_once))
            self.next_id += 1
        return born

    def _update_lists(self, born: list[PlainTrack]) -> None:
        before = self.tracked + self.lost
        found = [track for track in self.lost if self._now(track)]
        fresh = [track for track in self.tracked if track.confirmed and not self._now(track)]
        lost = [track for track in self.lost if not self._now(track)]
        self.tracked = [track for track in self.tracked if self._now(track)] + born + found
        self.lost = [track for track in lost + fresh if not track.expired]
        for track in lost:
            track.expired = self.frame - track.seen_frame > self.config.max_lost_frames
        self._drop_doubles()
        kept = {id(track) for track in self.tracked + self.lost}
        self.ended_ids = tuple(track.track_id for track in before if track.confirmed and id(track) not in kept)

    def _drop_doubles(self) -> None:
        """Of a tracked and a lost track at one place the one that was followed for less long goes."""
        if not self.tracked or not self.lost:
            return
        boxes, lost_boxes = (np.array([track.box for track in side]) for side in (self.tracked, self.lost))
        pairs = np.argwhere(1.0 - pixel_iou(boxes, lost_boxes) < DOUBLE_LIMIT)
        goes = {id(self._younger(self.tracked[one], self.lost[other])) for one, other in pairs}
        self.tracked = [track for track in self.tracked if id(track) not in goes]
        self.lost = [track for track in self.lost if id(track) not in goes]

    @staticmethod
    def _younger(tracked: PlainTrack, lost: PlainTrack) -> PlainTrack:
        return lost if tracked.life > lost.life else tracked


def pixel_iou(boxes: Floats, others: Floats) -> Floats:
    """(N, M) IoU of corners that name pixels, so that sides are x2 - x1 + 1, as ``cython_bbox`` counts them."""
    low, high = np.maximum(boxes[:, None, :2], others[None, :, :2]), np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.maximum(high - low + 1.0, 0.0).prod(axis=2)
    areas, other_areas = ((side[:, 2:] - side[:, :2] + 1.0).prod(axis=1) for side in (boxes, others))
    result: Floats = shared / (areas[:, None] + other_areas[None] - shared)
    return result


def _measured(box: Floats) -> Floats:
    """(4,) x, y, aspect, height of corners."""
    width, height = box[2:] - box[:2]
    return np.array([box[0] + width / 2.0, box[1] + height / 2.0, width / height, height])


def _deviations(height: float, position: float, velocity: float, aspect: float, aspect_speed: float) -> Floats:
    """(8,) standard deviations of the state."""
    near, fast = position * height, velocity * height
    return np.array([near, near, aspect, near, fast, fast, aspect_speed, fast])
