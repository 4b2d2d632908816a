"""Contact and common motion as evidence for or against carrying verbs.

A thing that moves while it touches a human is carried; one that rests beside the hand is not, unless it was carried a
moment ago. This is physics, not learning: it holds for things no training picture shows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from videohoi.smooth.config import MotionConfig
from videohoi.smooth.history import LEAST_SAMPLES, BoxHistory, Window, size_px
from videohoi.smooth.timed_rows import Vector


@dataclass(frozen=True)
class PairMotion:
    """How a human-object pair moves at one time."""

    contact: bool
    """the boxes touch or nearly touch"""
    object_sizes_per_second: float
    """speed of the object's centre in object sizes a second, camera motion removed; 0 when unknown"""
    relative_heights_per_second: float
    """mean speed of the object against the human in human heights a second, back and forth counted; 0 when unknown"""
    highest_share: float = 1.0
    """highest the object's centre rose over the human's feet in the last moments, in human heights; 1 when unknown"""


def gap_sizes(human_xyxy_px: Vector, object_xyxy_px: Vector) -> float:
    """Distance between the boxes in object sizes; 0 when they overlap."""
    left, top, right, bottom = human_xyxy_px.tolist()
    object_left, object_top, object_right, object_bottom = object_xyxy_px.tolist()
    apart_x = max(left - object_right, object_left - right, 0.0)
    apart_y = max(top - object_bottom, object_top - bottom, 0.0)
    return math.hypot(apart_x, apart_y) / size_px(object_xyxy_px)


def pair_motion(
    human: BoxHistory, thing: BoxHistory, pts_seconds: float, camera_px_per_second: Vector, config: MotionConfig
) -> PairMotion:
    """Motion of a pair around ``pts_seconds``, from whatever boxes lie in the window."""
    half = config.window_seconds / 2
    seen = thing.window(pts_seconds - half, pts_seconds + half)
    human_seen = human.window(pts_seconds - half, pts_seconds + half)
    if not len(seen) or not len(human_seen):
        return PairMotion(contact=False, object_sizes_per_second=0.0, relative_heights_per_second=0.0)
    box, human_box = seen.nearest(pts_seconds), human_seen.nearest(pts_seconds)
    velocity = thing.velocity(pts_seconds - half, pts_seconds + half)
    speed = 0.0 if velocity is None else math.hypot(*(velocity - camera_px_per_second).tolist()) / size_px(box)
    contact = gap_sizes(human_box, box) <= config.contact_gap_sizes
    highest_px = thing.window(pts_seconds - config.low_seconds, pts_seconds + config.low_seconds).highest_px
    rise = (float(human_box[3]) - highest_px) / max(float(human_box[3] - human_box[1]), 1.0)
    return PairMotion(contact, speed, _relative_speed(human_seen, seen), rise)


def relative_speed(human_times: Vector, human_boxes: Vector, times: Vector, boxes: Vector) -> float:
    """Path length a second of the object's centre in the human's frame, in human heights; 0 with too few boxes."""
    return _relative_speed(Window(human_times, human_boxes), Window(times, boxes))


def _relative_speed(human: Window, thing: Window) -> float:
    times, human_centres, thing_centres = thing.times, human.centres, thing.centres
    if human.stamp != thing.stamp:  # one of them was missed in some frame
        times, human_rows, rows = np.intersect1d(human.times, times, return_indices=True)
        human_centres, thing_centres = human_centres[human_rows], thing_centres[rows]
    if len(times) < LEAST_SAMPLES:
        return 0.0
    apart = thing_centres - human_centres
    path = apart[1:] - apart[:-1]
    length = np.hypot(path[:, 0], path[:, 1]).sum()
    return float(length / (times[-1] - times[0]) / max(human.median_height_px, 1.0))


@dataclass(frozen=True)
class CarryingEvidence:
    """What motion says about carrying verbs."""

    logit: float
    """added to their logits"""
    floor: float
    """least probability of "hold": what moves while a human touches it is held, whatever the boxes look like"""


class CarriedMemory:
    """Belief in [0, 1] that a thing is being carried by a human, integrated over time."""

    def __init__(self) -> None:
        self.carried = 0.0

    def update(
        self, motion: PairMotion, dt_seconds: float, config: MotionConfig, *, free: bool = False
    ) -> CarryingEvidence:
        """Advance by ``dt_seconds``; ``free``: known not to be in the hand."""
        free = free or motion.relative_heights_per_second > config.free_heights_per_second
        if free or not motion.contact:
            self.carried = 0.0
            return CarryingEvidence(config.apart_logit, 0.0)
        low, high = config.still_sizes_per_second, config.moving_sizes_per_second
        moving = min(1.0, max(0.0, (motion.object_sizes_per_second - low) / (high - low)))
        rise = 1 - math.exp(-dt_seconds * moving / config.pick_up_seconds)
        fall = 1 - math.exp(-dt_seconds * (1 - moving) / config.carried_memory_seconds)
        self.carried += rise * (1 - self.carried) - fall * self.carried
        logit = config.resting_logit + (config.moving_logit - config.resting_logit) * self.carried
        return CarryingEvidence(logit, config.carried_floor * self.carried)


def camera_velocity(velocities_px_per_second: list[Vector]) -> Vector:
    """Median velocity of at least three tracks as the camera's own motion (2,); zero with fewer."""
    if len(velocities_px_per_second) < 3:  # two tracks may both be moving things
        return np.zeros(2)
    result: Vector = np.median(np.stack(velocities_px_per_second), axis=0)
    return result
