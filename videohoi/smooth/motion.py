"""Contact and common motion as evidence for or against carrying verbs, for all pairs at once.

A thing that moves while it touches a human is carried; one that rests beside the hand is not, unless it was carried a
moment ago. This is physics, not learning: it holds for things no training picture shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.smooth.config import MotionConfig
from videohoi.smooth.track_boxes import LEAST_SAMPLES, TrackBoxes, Vector, Window, sizes_px

Columns = NDArray[np.int64]
LEAST_TRACKS = 3
"""of two tracks both may be moving things: they say nothing about the camera"""


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
    humans: Columns,
    objects: Columns,
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


def relative_speeds(window: Window, humans: Columns, objects: Columns) -> Vector:
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
    """What motion says about the carrying verbs of n pairs; arrays (n,)."""

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
