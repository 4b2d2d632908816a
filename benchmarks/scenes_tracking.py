"""Seeded crowds for tracking: what is there, and what a detector would say of it.

Only uniform draws of the legacy generator (whose stream numpy keeps for ever) and the four operations are used, and
everything a tracker sees is rounded to float32: the same scene on every machine and with every numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RATE_HZ = 30.0
LONG_ABSENCES = (28, 29, 30, 31, 31, 31, 32, 33, 34, 50)
"""frames out of sight, round the 30 frames BYTE waits and the one in which it still finds what it gave up"""


@dataclass(frozen=True)
class Crowd:
    """What a scene is made of; lengths in px, times in frames at ``RATE_HZ``."""

    objects: int
    frames: int
    seed: int = 0
    width: float = 1920.0
    height: float = 1080.0
    heights: tuple[float, float] = (80.0, 240.0)
    """least and greatest height of a person"""
    speed: float = 4.0
    """greatest speed a frame along an axis"""
    turn: float = 0.15
    """greatest change of speed a frame along an axis"""
    miss: float = 0.1
    """share of unoccluded persons the detector misses"""
    hidden_miss: float = 0.7
    """the same of persons of which less than a quarter is to be seen"""
    low: float = 0.15
    """share of seen persons with a low score whatever their visibility"""
    jitter: float = 0.03
    """standard deviation of a corner's error, in sides"""
    false_alarms: float = 1.0
    """mean number a frame"""
    absence: float = 0.002
    """chance a frame that a person goes out of sight"""
    absences: tuple[int, ...] = (5, 10, 20, *LONG_ABSENCES)
    """frames it stays away"""


@dataclass(frozen=True)
class CrowdFrame:
    """One frame."""

    boxes: NDArray[np.float32]
    """(N, 4) corners the detector gives"""
    scores: NDArray[np.float32]
    """(N,)"""
    true_ids: NDArray[np.int64]
    """(G,) who is there"""
    true_boxes: Array
    """(G, 4)"""


QUIRKS = Crowd(
    8, 600, seed=3, width=900, height=500, speed=1.0, miss=0.06, absence=0.012, absences=LONG_ABSENCES, jitter=0.01
)
"""slow persons who are away for about the time BYTE waits, again and again"""
FIXTURES: dict[str, Crowd] = {
    "10": Crowd(10, 300, seed=10, width=960, height=540, absence=0.006),
    "20": Crowd(20, 200, seed=20, width=1280, height=720, absence=0.004),
    "50": Crowd(50, 100, seed=50),
    "200": Crowd(200, 40, seed=200, heights=(60.0, 140.0), false_alarms=5.0),
    "quirks": QUIRKS,
}
"""scenes whose answer by BYTE's public code is kept with the tests"""
SPEED: dict[int, Crowd] = {
    10: Crowd(10, 300, seed=1, width=1280, height=720),
    20: Crowd(20, 300, seed=2, width=1280, height=720),
    50: Crowd(50, 200, seed=3),
    200: Crowd(200, 100, seed=4, heights=(60.0, 140.0), false_alarms=5.0),
}
"""scenes for timing, by number of persons"""
QUALITY: dict[int, Crowd] = {
    10: Crowd(10, 900, seed=5, width=1280, height=720),
    50: Crowd(50, 600, seed=6),
    200: Crowd(200, 300, seed=7, heights=(60.0, 140.0), false_alarms=5.0),
}
"""scenes for HOTA and IDF1, by number of persons"""


@lru_cache(maxsize=16)
def play(crowd: Crowd) -> tuple[CrowdFrame, ...]:
    """The frames of ``crowd``."""
    draw = np.random.RandomState(crowd.seed)
    tall = _between(draw, *crowd.heights, crowd.objects)
    sides = np.stack([tall * _between(draw, 0.35, 0.5, crowd.objects), tall], 1)
    room = np.array([crowd.width, crowd.height])
    centres = sides / 2 + draw.random_sample((crowd.objects, 2)) * (room - sides)
    speeds = crowd.speed * _between(draw, -1.0, 1.0, (crowd.objects, 2))
    away = np.zeros(crowd.objects, np.int64)
    frames = []
    for _ in range(crowd.frames):
        centres, speeds = _walk(draw, crowd, centres, speeds, sides, room)
        leaves = (away == 0) & (draw.random_sample(crowd.objects) < crowd.absence)
        lengths = np.array(crowd.absences)[(draw.random_sample(crowd.objects) * len(crowd.absences)).astype(np.int64)]
        away = np.where(leaves, lengths, np.maximum(away - 1, 0))
        frames.append(_look(draw, crowd, centres, sides, np.flatnonzero(away == 0)))
    return tuple(frames)


def _between(draw: np.random.RandomState, low: float, high: float, size: int | tuple[int, ...]) -> Array:
    return low + (high - low) * draw.random_sample(size)


def _bell(draw: np.random.RandomState, size: tuple[int, ...]) -> Array:
    """About normal with standard deviation 1: the sum of four uniform draws."""
    values: Array = (draw.random_sample((*size, 4)).sum(axis=-1) - 2.0) * np.sqrt(3.0)
    return values


def _walk(
    draw: np.random.RandomState, crowd: Crowd, centres: Array, speeds: Array, sides: Array, room: Array
) -> tuple[Array, Array]:
    """One frame on: speeds wander within their limit, and turn round at the picture's border."""
    speeds = np.clip(speeds + crowd.turn * _between(draw, -1.0, 1.0, speeds.shape), -crowd.speed, crowd.speed)
    centres = centres + speeds
    speeds = np.where(centres < sides / 2, np.abs(speeds), speeds)
    return centres, np.where(centres > room - sides / 2, -np.abs(speeds), speeds)


def _visible(boxes: Array) -> Array:
    """(G,) share of each box that the one nearer box covering most of it leaves; nearer is whose feet are lower."""
    low, high = np.maximum(boxes[:, None, :2], boxes[None, :, :2]), np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.maximum(high - low, 0.0).prod(axis=2)
    nearer = boxes[None, :, 3] > boxes[:, None, 3]
    covered = np.where(nearer, shared, 0.0).max(axis=1, initial=0.0)
    visible: Array = 1.0 - covered / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return visible


def _look(
    draw: np.random.RandomState, crowd: Crowd, centres: Array, sides: Array, present: NDArray[np.int64]
) -> CrowdFrame:
    true_boxes = np.concatenate([centres - sides / 2, centres + sides / 2], 1)[present]
    visible = _visible(true_boxes)
    missed = np.where(visible < 0.25, crowd.hidden_miss, crowd.miss)
    seen = draw.random_sample(len(present)) >= missed
    unsure = draw.random_sample(len(present)) < crowd.low
    high = 0.45 + 0.5 * visible * _between(draw, 0.5, 1.0, len(present))
    scores = np.where(unsure, _between(draw, 0.1, 0.5, len(present)), high)[seen]
    boxes = true_boxes[seen] + crowd.jitter * np.tile(sides[present][seen], 2) * _bell(draw, (int(seen.sum()), 4))
    wrong = int(2.0 * crowd.false_alarms * draw.random_sample())
    corners = draw.random_sample((wrong, 2)) * np.array([crowd.width, crowd.height])
    wrong_sides = _between(draw, 20.0, crowd.heights[1], (wrong, 2))
    boxes = np.concatenate([boxes, np.concatenate([corners, corners + wrong_sides], 1)])
    scores = np.concatenate([scores, _between(draw, 0.1, 0.8, wrong)])
    order = np.argsort(draw.random_sample(len(scores)), kind="stable")
    return CrowdFrame(
        boxes[order].astype(np.float32), scores[order].astype(np.float32), present.astype(np.int64), true_boxes
    )
