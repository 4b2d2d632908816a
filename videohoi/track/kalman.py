"""Constant-velocity Kalman filter over seconds, as plain numpy: the reference of the compiled one.

State of a track: 4 axes (centre x, centre y, width, height; BoT-SORT, arXiv 2206.14651, section 3.1), each with its own
5 numbers (position px, speed px/s, and the 3 of its symmetric 2x2 covariance). With diagonal first covariance and
noises the axes of BYTE's 8x8 filter never mix, so four 2x2 filters are that filter.

Transition over dt with a speed that dies away with time tau (Ornstein-Uhlenbeck; tau = inf is constant velocity):
p' = p + v * tau * (1 - d), v' = v * d, d = exp(-dt / tau). Two steps dt1, dt2 equal one of dt1 + dt2.
Noise over dt: white acceleration, q^2 * [[dt^3/3, dt^2/2], [dt^2/2, dt]] (Bar-Shalom, Li, Kirubarajan, "Estimation with
Applications to Tracking and Navigation", 2001, eq. 6.2.2-12), plus a random walk s^2 * dt of the position.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from videohoi.track.byte_config import ByteConfig

AXES = 4
"""centre x, centre y, width, height"""
NUMBERS = 5
"""position, speed, var(position), cov(position, speed), var(speed)"""


class MotionModel(NamedTuple):
    """The filter's constants; lengths in sizes, times in seconds."""

    position_noise: float
    human_speed_noise: float
    object_speed_noise: float
    measurement_noise: float
    human_first_speed: float
    object_first_speed: float
    growth_tau: float
    coast_tau: float
    human_coast_tau: float


def motion_model(config: ByteConfig) -> MotionModel:
    """The constants of ``config``."""
    return MotionModel(
        float(config.position_noise_sizes),
        float(config.human_speed_noise_sizes),
        float(config.object_speed_noise_sizes),
        float(config.measurement_noise_sizes),
        float(config.human_first_speed_sizes),
        float(config.object_first_speed_sizes),
        float(config.growth_tau_seconds),
        float(config.coast_tau_seconds),
        float(config.human_coast_tau_seconds),
    )


def sizes_px(motion: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,) geometric mean of the sides in pixels, at least 1."""
    sides = np.maximum(motion[:, 2:, 0], 1.0)
    size: NDArray[np.float64] = np.sqrt(sides[:, 0] * sides[:, 1])
    return size


def corners(motion: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, 4) corners px of the state, at least 1 px wide and high."""
    half = np.maximum(motion[:, 2:, 0], 1.0) / 2.0
    return np.concatenate([motion[:, :2, 0] - half, motion[:, :2, 0] + half], axis=1)


def first_motion(boxes: NDArray[np.float64], humans: NDArray[np.bool_], model: MotionModel) -> NDArray[np.float64]:
    """(T, 4, 5) state of tracks that were seen once, at ``boxes`` (T, 4 corners px); at rest until seen again."""
    motion = np.zeros((len(boxes), AXES, NUMBERS))
    motion[:, :2, 0] = (boxes[:, :2] + boxes[:, 2:]) / 2.0
    motion[:, 2:, 0] = boxes[:, 2:] - boxes[:, :2]
    size = sizes_px(motion)
    first_speed = np.where(humans, model.human_first_speed, model.object_first_speed)
    motion[:, :, 2] = ((model.measurement_noise * size) ** 2)[:, None]
    motion[:, :, 4] = ((first_speed * size) ** 2)[:, None]
    return motion


def predict(
    motion: NDArray[np.float64],
    coasting: NDArray[np.bool_],
    humans: NDArray[np.bool_],
    dt_seconds: float,
    model: MotionModel,
) -> None:
    """Move ``motion`` (T, 4, 5) on by ``dt_seconds`` in place; ``coasting`` (T,): not seen in the last frame."""
    dt = dt_seconds
    size = sizes_px(motion)
    speed_noise = np.where(humans, model.human_speed_noise, model.object_speed_noise)
    q = ((speed_noise * size) ** 2)[:, None]
    walk = ((model.position_noise * size) ** 2)[:, None]
    shift = np.full((len(motion), AXES), dt)
    decay = np.ones((len(motion), AXES))
    for kind, tau in ((humans, model.human_coast_tau), (~humans, model.coast_tau)):
        shift[coasting & kind], decay[coasting & kind] = _fading(dt, tau)
    shift[:, 2:], decay[:, 2:] = _fading(dt, model.growth_tau)
    position, speed, pp, pv, vv = (motion[:, :, k].copy() for k in range(NUMBERS))
    motion[:, :, 0] = position + shift * speed
    motion[:, :, 1] = decay * speed
    motion[:, :, 2] = pp + 2.0 * shift * pv + shift * shift * vv + walk * dt + q * (dt * dt * dt / 3.0)
    motion[:, :, 3] = decay * (pv + shift * vv) + q * (dt * dt / 2.0)
    motion[:, :, 4] = decay * decay * vv + q * dt


def correct(motion: NDArray[np.float64], boxes: NDArray[np.float64], model: MotionModel) -> None:
    """Kalman update of ``motion`` (T, 4, 5) in place with the boxes (T, 4 corners px) its tracks were seen at."""
    seen = np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2.0, boxes[:, 2:] - boxes[:, :2]], axis=1)
    noise = ((model.measurement_noise * sizes_px(motion)) ** 2)[:, None]
    position, speed, pp, pv, vv = (motion[:, :, k].copy() for k in range(NUMBERS))
    total = pp + noise
    gain_position, gain_speed = pp / total, pv / total
    error = seen - position
    motion[:, :, 0] = position + gain_position * error
    motion[:, :, 1] = speed + gain_speed * error
    motion[:, :, 2] = pp - gain_position * pp
    motion[:, :, 3] = pv - gain_position * pv
    motion[:, :, 4] = vv - gain_speed * pv


def _fading(dt: float, tau: float) -> tuple[float, float]:
    decay = float(np.exp(-dt / tau))
    return tau * (1.0 - decay), decay
