"""Contact and common motion as evidence for or against carrying verbs.

A thing that moves while it touches a human is carried; one that rests beside the hand is not, unless it was carried a
moment ago. This is physics, not learning: it holds for things no training picture shows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from videohoi.smooth.config import MotionConfig
from videohoi.smooth.history import LEAST_SAMPLES, BoxHistory, Vector, centres, size_px


@dataclass(frozen=True)
class PairMotion:
    """How a human-object pair moves at one time."""

    contact: bool
    """the boxes touch or nearly touch"""
    object_sizes_per_second: float
    """speed of the object's centre in object sizes a second, camera motion removed; 0 when unknown"""
    relative_heights_per_second: float
    """mean speed of the object against the human in human heights a second, back and forth counted; 0 when unknown"""


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
        return PairMotion(contact=False, object_sizes_per_second=0.0, relative_heights_per_second=0.0)
    box = boxes[np.argmin(np.abs(times - pts_seconds))]
    human_box = human_boxes[np.argmin(np.abs(human_times - pts_seconds))]
    velocity = thing.velocity(pts_seconds - half, pts_seconds + half)
    speed = 0.0 if velocity is None else float(np.hypot(*(velocity - camera_px_per_second))) / size_px(box)
    contact = gap_sizes(human_box, box) <= config.contact_gap_sizes
    return PairMotion(contact, speed, relative_speed(human_times, human_boxes, times, boxes))


def relative_speed(human_times: Vector, human_boxes: Vector, times: Vector, boxes: Vector) -> float:
    """Path length a second of the object's centre in the human's frame, in human heights; 0 with too few boxes."""
    common, human_rows, rows = np.intersect1d(human_times, times, return_indices=True)
    if len(common) < LEAST_SAMPLES:
        return 0.0
    path = np.diff(centres(boxes[rows]) - centres(human_boxes[human_rows]), axis=0)
    height = float(np.median(human_boxes[:, 3] - human_boxes[:, 1]))
    return float(np.hypot(path[:, 0], path[:, 1]).sum() / (common[-1] - common[0]) / max(height, 1.0))


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
