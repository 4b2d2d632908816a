"""Score filters over seconds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def exponential_weights(
    times_seconds: NDArray[np.float64], at_seconds: float, tau_seconds: float
) -> NDArray[np.float64]:
    """Weights exp(-|t - at| / tau) of samples around ``at_seconds``, summing to one.

    With only past samples this is the exponential moving average (alpha = 1 - exp(-dt / tau)); with future ones the
    two-sided, delay-free filter of offline use.
    """
    weights: NDArray[np.float64] = np.exp(-np.abs(times_seconds - at_seconds) / tau_seconds)
    normalised: NDArray[np.float64] = weights / weights.sum()
    return normalised


def logit(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """log(p / (1 - p)), clipped to +-13.8 (p within 1e-6 of the ends)."""
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    result: NDArray[np.float64] = np.log(clipped / (1 - clipped))
    return result


def sigmoid(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)) without overflow."""
    result: NDArray[np.float64] = 0.5 * (1 + np.tanh(0.5 * value))
    return result
