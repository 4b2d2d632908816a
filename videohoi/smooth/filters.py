"""Score filters over seconds."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FilterName = Literal["exponential", "gaussian", "none"]
"""value of ``smooth.filter``"""
REACH_TAUS = 3.0
"""samples farther than this many time constants weigh under 5 % and are left out"""

Vector = NDArray[np.float64]

KERNELS: MappingProxyType[FilterName, Callable[[Vector], Vector]] = MappingProxyType(
    {
        "exponential": lambda taus: np.exp(-taus),
        "gaussian": lambda taus: np.exp(-0.5 * taus * taus),
        "none": lambda taus: np.where(taus == 0, 1.0, 0.0),
    }
)
"""weight of a sample by its distance in time constants"""


def filter_weights(times_seconds: Vector, at_seconds: float, tau_seconds: float, kernel: FilterName) -> Vector:
    """(F,) weights of samples around ``at_seconds``, not normalised; 0 out of reach.

    With only past samples, exponential weights are the exponential moving average (alpha = 1 - exp(-dt / tau)); with
    future ones they are the two-sided, delay-free filter of offline use.
    """
    away = np.abs(times_seconds - at_seconds)
    reach_seconds = max(REACH_TAUS * tau_seconds, 1e-6)
    return np.where(away <= reach_seconds, KERNELS[kernel](away / tau_seconds), 0.0)


def logit(probability: Vector) -> Vector:
    """log(p / (1 - p)), clipped to +-13.8 (p within 1e-6 of the ends)."""
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    result: Vector = np.log(clipped / (1 - clipped))
    return result


def sigmoid(value: Vector) -> Vector:
    """1 / (1 + exp(-x)) without overflow."""
    result: Vector = 0.5 * (1 + np.tanh(0.5 * value))
    return result


def shifted(probability: Vector, by_logit: float | Vector) -> Vector:
    """Probabilities moved by ``by_logit`` (one, or an array that fits) on the logit scale; 0, not a verb, stays 0."""
    return np.where(probability > 0, sigmoid(logit(probability) + by_logit), 0.0)


def interaction_scores(verb_scores: Vector, contrast: float) -> Vector:
    """(V,) or (P, V) scores of verbs as belief in the pair's interaction times the verb's share of it.

    A pair interacts if any verb holds: p = 1 - prod(1 - p_v), a noisy or. Its best verb gets p itself, the others
    p * (p_v / max p_v) ** contrast. Data sets tick one of several fitting verbs, so single verbs come out too low for
    a threshold, while their union does not.
    """
    best = verb_scores.max(axis=-1, keepdims=True)
    union = 1 - np.prod(1 - verb_scores, axis=-1, keepdims=True)
    share = np.divide(verb_scores, best, out=np.zeros_like(verb_scores), where=best > 0)
    result: Vector = union * share**contrast
    return result
