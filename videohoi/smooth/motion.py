"""Contact and common motion as evidence for or against carrying verbs.

A thing that moves while it touches a human is carried; one that rests beside the hand is not, unless it was carried a
moment ago. This is physics, not learning: it holds for things no training picture shows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from videohoi.smooth.config import MotionConfig
from videohoi.smooth.history import BoxHistory, Vector, size_px


@dataclass(frozen=True)
class PairMotion:
    """How a human-object pair moves at one time."""

    contact: bool
    """the boxes touch or nearly touch"""
    object_sizes_per_second: float
    """speed of the object's centre in object sizes a second, camera motion removed; 0 when unknown"""


def gap_sizes(human_xyxy_px: Vector, object_xyxy_px: Vector) -> float:
    """Distance between the boxes in object sizes; 0 when they overlap."""
    apart = np.maximum(np.maximum(human_xyxy_px[:2] - object_xyxy_px[2:], object_xyxy_px[:2] - human_xyxy_px[2:]), 0.0)
    return float(np.hypot(*apart)) / size_px(object_xyxy_px)


def pair_motion(
    human: BoxHistory, thing: BoxHistory, pts_seconds: float, camera_px_per_second: Vector, config: MotionConfig
) -> PairMotion:
    """Motion of a pair around ``pts_seconds``, from whatever boxes lie in the window."""
    half = config.window_seconds / 2
    times, boxes = thing.between(pts_seconds - half, pts_seconds + half)
    human_times, human_boxes = human.between(pts_seconds - half, pts_seconds + half)
    if not len(times) or not len(human_times):
        return PairMotion(contact=False, object_sizes_per_second=0.0)
    box = boxes[np.argmin(np.abs(times - pts_seconds))]
    human_box = human_boxes[np.argmin(np.abs(human_times - pts_seconds))]
    velocity = thing.velocity(pts_seconds - half, pts_seconds + half)
    speed = 0.0 if velocity is None else float(np.hypot(*(velocity - camera_px_per_second))) / size_px(box)
    return PairMotion(gap_sizes(human_box, box) <= config.contact_gap_sizes, speed)


class CarriedMemory:
    """Belief in [0, 1] that a thing is being carried by a human, integrated over time."""

    def __init__(self) -> None:
        self.carried = 0.0

    def update(self, motion: PairMotion, dt_seconds: float, config: MotionConfig) -> float:
        """Advance by ``dt_seconds`` and return the logit to add to carrying verbs."""
        if not motion.contact:
            self.carried = 0.0
            return config.apart_logit
        low, high = config.still_sizes_per_second, config.moving_sizes_per_second
        moving = min(1.0, max(0.0, (motion.object_sizes_per_second - low) / (high - low)))
        rise = 1 - math.exp(-dt_seconds * moving / config.pick_up_seconds)
        fall = 1 - math.exp(-dt_seconds * (1 - moving) / config.carried_memory_seconds)
        self.carried += rise * (1 - self.carried) - fall * self.carried
        return config.resting_logit + (config.moving_logit - config.resting_logit) * self.carried


def camera_velocity(velocities_px_per_second: list[Vector]) -> Vector:
    """Median velocity of at least three tracks as the camera's own motion (2,); zero with fewer."""
    if len(velocities_px_per_second) < 3:  # two tracks may both be moving things
        return np.zeros(2)
    result: Vector = np.median(np.stack(velocities_px_per_second), axis=0)
    return result
