"""Where the tracks of a source were in the last seconds, and how human and object of a pair move.

Contact and common motion are evidence for or against carrying verbs. A thing that moves while it touches a human is
carried; one that rests beside the hand is not, unless it was carried a moment ago. This is physics, not learning: it
holds for things that no training picture shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from videohoi.smooth.config import MotionConfig
from videohoi.smooth.timed_grid import Columns, TimedGrid
from videohoi.structures import FrameResult

LEAST_TRACKS = 3
"""of two tracks both may belong to moving things: they say nothing about the camera"""
LEAST_SAMPLES = 3
"""fewer points give no velocity"""

Vector = NDArray[np.float64]
TrackColumns = NDArray[np.int64]


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
        """(C,) tracks with enough boxes to measure a velocity."""
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


@dataclass(frozen=True)
class PairMotion:
    """How n human-object pairs move at one time; arrays (n,)."""

    contact: NDArray[np.bool_]
    """the boxes touch or nearly touch"""
    object_sizes_per_second: Vector
    """speed of the object's centre in object sizes a second, camera motion removed; 0 when unknown"""
    relative_heights_per_second: Vector
    """mean speed of the object against the human in human heights a second, back and forth counted; 0 when unknown"""
    highest_share: Vector
    """highest the object's centre rose over the human's feet in the last moments, in human heights; 1 when unknown"""


def gap_sizes(human_xyxy_px: Vector, object_xyxy_px: Vector) -> Vector:
    """(n,) distances between boxes (n, 4) in object sizes; 0 when they overlap."""
    apart = np.maximum(human_xyxy_px[:, :2] - object_xyxy_px[:, 2:], object_xyxy_px[:, :2] - human_xyxy_px[:, 2:])
    apart = np.maximum(apart, 0.0)
    result: Vector = np.hypot(apart[:, 0], apart[:, 1]) / sizes_px(object_xyxy_px)
    return result


def pair_motion(
    tracks: TrackBoxes,
    humans: TrackColumns,
    objects: TrackColumns,
    pts_seconds: float,
    camera_px_per_second: Vector,
    config: MotionConfig,
) -> PairMotion:
    """Motion around ``pts_seconds`` of the pairs of track columns ``humans`` (n,) and ``objects`` (n,)."""
    half = config.window_seconds / 2
    window = tracks.window(pts_seconds - half, pts_seconds + half)
    known = (window.counts[humans] > 0) & (window.counts[objects] > 0)
    nearest = window.nearest(pts_seconds)
    human_boxes, boxes = nearest[humans], nearest[objects]
    velocities = window.velocities[objects] - camera_px_per_second
    speeds = np.hypot(velocities[:, 0], velocities[:, 1]) / sizes_px(boxes)
    speeds[~window.moving[objects]] = 0.0
    low = tracks.window(pts_seconds - config.low_seconds, pts_seconds + config.low_seconds)
    feet, heights = human_boxes[:, 3], human_boxes[:, 3] - human_boxes[:, 1]
    rises = (feet - low.highest_px()[objects]) / np.maximum(heights, 1.0)
    return PairMotion(
        contact=known & (gap_sizes(human_boxes, boxes) <= config.contact_gap_sizes),
        object_sizes_per_second=np.where(known, speeds, 0.0),
        relative_heights_per_second=np.where(known, relative_speeds(window, humans, objects), 0.0),
        highest_share=np.where(known, rises, 1.0),
    )


def relative_speeds(window: Window, humans: TrackColumns, objects: TrackColumns) -> Vector:
    """(n,) path length a second of the object's centre in the human's frame, in human heights; 0 with too few boxes.

    Only frames that saw both count; between two of them the path is straight.
    """
    if not len(window.times):
        return np.zeros(len(humans))
    both = window.seen[:, humans] & window.seen[:, objects]
    centres = window.centres
    apart = centres[:, objects] - centres[:, humans]
    newest = np.maximum.accumulate(np.where(both, np.arange(len(both))[:, None], -1), axis=0)  # that saw both, so far
    path = apart[np.maximum(newest, 0), np.arange(len(humans))]
    steps = (path[1:] - path[:-1]) * (newest[:-1] >= 0)[..., None]
    lengths = np.hypot(steps[..., 0], steps[..., 1]).sum(axis=0)
    seconds = window.times[np.maximum(newest[-1], 0)] - window.times[both.argmax(axis=0)]
    enough = both.sum(axis=0) >= LEAST_SAMPLES
    heights = np.maximum(window.median_heights_px()[humans], 1.0)
    result: Vector = np.where(enough, lengths / np.where(enough, seconds, 1.0) / heights, 0.0)
    return result


@dataclass(frozen=True)
class CarryingEvidence:
    """Evidence of motion for the carrying verbs of n pairs; arrays (n,)."""

    carried: Vector
    """belief in [0, 1] that the thing is being carried, integrated over time"""
    logits: Vector
    """added to the verbs' logits"""
    floors: Vector
    """least probability of "hold": what moves while a human touches it is held, whatever the boxes look like"""


def carrying_evidence(
    carried: Vector, motion: PairMotion, dt_seconds: float, config: MotionConfig, known_free: NDArray[np.bool_]
) -> CarryingEvidence:
    """Advance the belief ``carried`` (n,) by ``dt_seconds``; ``known_free`` (n,): surely not in the hand."""
    free = known_free | (motion.relative_heights_per_second > config.free_heights_per_second) | ~motion.contact
    low, high = config.still_sizes_per_second, config.moving_sizes_per_second
    moving = np.clip((motion.object_sizes_per_second - low) / (high - low), 0.0, 1.0)
    rise = 1 - np.exp(-dt_seconds * moving / config.pick_up_seconds)
    fall = 1 - np.exp(-dt_seconds * (1 - moving) / config.carried_memory_seconds)
    carried = np.where(free, 0.0, carried + rise * (1 - carried) - fall * carried)
    logits = config.resting_logit + (config.moving_logit - config.resting_logit) * carried
    return CarryingEvidence(carried, np.where(free, config.apart_logit, logits), config.carried_floor * carried)


def camera_velocity(velocities_px_per_second: Vector) -> Vector:
    """Median of at least three velocities (n, 2) as the camera's own motion (2,); zero with fewer."""
    if len(velocities_px_per_second) < LEAST_TRACKS:
        return np.zeros(2)
    ordered, count = np.sort(velocities_px_per_second, axis=0), len(velocities_px_per_second)
    result: Vector = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2  # as np.median, which takes 50 us
    return result
