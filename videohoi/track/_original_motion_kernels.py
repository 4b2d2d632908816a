"""The filter of BYTE's public tracker, compiled: DeepSORT's, one frame a step.

State of a track, a row of ``motion``: x, y, aspect, height, their speeds, then 3 numbers of the covariance of x, y and
height and 3 of the aspect's. The 8x8 covariance stays four 2x2 blocks, as its first value and all noises are diagonal;
those of x, y and height are one and the same, as they are scaled by the same height.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry._assignment_kernels import compiled

Floats = NDArray[np.float64]

_POSITION, _VELOCITY = 1.0 / 20, 1.0 / 160
"""standard deviations in heights a frame, of ``KalmanFilter``"""
_ASPECT, _ASPECT_SPEED, _ASPECT_SEEN = 1e-2, 1e-5, 1e-1
"""standard deviations of the aspect, its speed, and its measurement, of ``KalmanFilter``"""


@compiled
def _square(value: float) -> float:
    return value * value


@compiled
def place(slot: int, floats: Floats, motion: Floats) -> None:
    """Corners of a track's state."""
    x, y, height = motion[slot, 0], motion[slot, 1], motion[slot, 3]
    width = motion[slot, 2] * height
    floats[0, slot] = x - width / 2.0
    floats[1, slot] = y - height / 2.0
    floats[2, slot] = floats[0, slot] + width
    floats[3, slot] = floats[1, slot] + height


@compiled
def predict(slot: int, unseen: bool, floats: Floats, motion: Floats) -> None:
    state = motion[slot]
    noise, speed_noise = _square(_POSITION * state[3]), _square(_VELOCITY * state[3])
    if unseen:
        state[7] = 0.0
    for axis in range(4):
        state[axis] += state[4 + axis]
    state[8] = (state[8] + state[9]) + (state[9] + state[10]) + noise
    state[9] = state[9] + state[10]
    state[10] = state[10] + speed_noise
    state[11] = (state[11] + state[12]) + (state[12] + state[13]) + _square(_ASPECT)
    state[12] = state[12] + state[13]
    state[13] = state[13] + _square(_ASPECT_SPEED)
    place(slot, floats, motion)


@compiled
def start(slot: int, box: Floats, floats: Floats, motion: Floats) -> None:
    """State of a track first seen at ``box`` (4 corners)."""
    state = motion[slot]
    width, height = box[2] - box[0], box[3] - box[1]
    state[:] = 0.0
    state[0] = box[0] + width / 2.0
    state[1] = box[1] + height / 2.0
    state[2] = width / height
    state[3] = height
    state[8] = _square(2.0 * _POSITION * height)
    state[10] = _square(10.0 * _VELOCITY * height)
    state[11] = _square(_ASPECT)
    state[13] = _square(_ASPECT_SPEED)
    place(slot, floats, motion)


@compiled
def correct(slot: int, box: Floats, floats: Floats, motion: Floats) -> None:
    state = motion[slot]
    width, height = box[2] - box[0], box[3] - box[1]
    seen = (box[0] + width / 2.0, box[1] + height / 2.0, width / height, height)
    total, aspect_total = state[8] + _square(_POSITION * state[3]), state[11] + _square(_ASPECT_SEEN)
    gain, speed_gain = state[8] / total, state[9] / total
    aspect_gain, aspect_speed_gain = state[11] / aspect_total, state[12] / aspect_total
    for axis in (0, 1, 3):
        error = seen[axis] - state[axis]
        state[axis] += error * gain
        state[4 + axis] += error * speed_gain
    error = seen[2] - state[2]
    state[2] += error * aspect_gain
    state[6] += error * aspect_speed_gain
    state[8] -= gain * total * gain
    state[9] -= gain * total * speed_gain
    state[10] -= speed_gain * total * speed_gain
    state[11] -= aspect_gain * aspect_total * aspect_gain
    state[12] -= aspect_gain * aspect_total * aspect_speed_gain
    state[13] -= aspect_speed_gain * aspect_total * aspect_speed_gain
    place(slot, floats, motion)
