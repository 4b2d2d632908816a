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


def shifted(probability: NDArray[np.float64], by_logit: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities moved by ``by_logit`` (one, or an array that fits) on the logit scale; 0, not a verb, stays 0."""
    return np.where(probability > 0, sigmoid(logit(probability) + by_logit), 0.0)


def interaction_scores(verb_scores: NDArray[np.float64], contrast: float) -> NDArray[np.float64]:
    """(V,) or (P, V) scores of verbs as belief in the pair's interaction times the verb's share of it.

    A pair interacts if any verb holds: p = 1 - prod(1 - p_v), a noisy or. Its best verb gets p itself, the others
    p * (p_v / max p_v) ** contrast. Data sets tick one of several fitting verbs, so single verbs come out too low for
    a threshold, while their union does not.
    """
    best = verb_scores.max(axis=-1, keepdims=True)
    union = 1 - np.prod(1 - verb_scores, axis=-1, keepdims=True)
    share = np.divide(verb_scores, best, out=np.zeros_like(verb_scores), where=best > 0)
    result: NDArray[np.float64] = union * share**contrast
    return result
