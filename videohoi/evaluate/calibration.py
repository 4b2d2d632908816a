"""Whether a score of 0.7 is right seven times in ten: expected calibration error, for seen and unseen classes apart.

Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017, arXiv 1706.04599), equation 3: with B bins of equal
width, ECE = sum over bins of (n_b / N) * |right share_b - mean score_b|. And the map that would make it so: Platt,
"Probabilistic Outputs for Support Vector Machines" (1999), fitted to the scores' logits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from videohoi.errors import UsageError
from videohoi.evaluate.hico import HicoScores
from videohoi.evaluate.triplet_sets import TripletPredictions

BINS = 15
"""as in the paper"""
LEAST_SLOPE = 1e-3
"""keeps the order of the scores"""


@dataclass(frozen=True, repr=False)
class Calibration:
    """A reliability diagram in B bins of equal width over [0, 1]."""

    counts: NDArray[np.int64]
    """(B,) predictions whose score is in the bin"""
    mean_scores: NDArray[np.float64]
    """(B,) nan in an empty bin"""
    right_shares: NDArray[np.float64]
    """(B,) share that is right; nan in an empty bin"""

    @property
    def error(self) -> float:
        """Expected calibration error in [0, 1]; nan without predictions."""
        total = int(self.counts.sum())
        if total == 0:
            return float("nan")
        filled = self.counts > 0
        gaps = np.abs(self.right_shares[filled] - self.mean_scores[filled])
        return float((self.counts[filled] / total * gaps).sum())


def calibration(scores: NDArray[np.float64], right: NDArray[np.bool_], bins: int = BINS) -> Calibration:
    """Reliability of (N,) scores given which predictions are ``right`` (N,). A score of 1 falls in the last bin.

    Raises:
        UsageError: scores outside [0, 1], or as many scores as ``right`` are expected.
    """
    if scores.shape != right.shape:
        raise UsageError(f"calibration: expected one outcome a score, got {scores.shape} and {right.shape}")
    if len(scores) and not (scores.min() >= 0 and scores.max() <= 1):
        raise UsageError(
            f"calibration: expected scores in [0, 1], got {scores.min():.3g} to {scores.max():.3g}; "
            "a sum of probabilities (GEN-VLKT) is no probability"
        )
    own = np.minimum((scores * bins).astype(np.int64), bins - 1)
    counts = np.bincount(own, minlength=bins)
    sums, hits = (np.bincount(own, weights=values, minlength=bins) for values in (scores, right.astype(np.float64)))
    means, shares = (np.divide(values, counts, out=np.full(bins, np.nan), where=counts > 0) for values in (sums, hits))
    return Calibration(counts.astype(np.int64), means, shares)


@dataclass(frozen=True)
class CalibrationMap:
    """sigmoid(slope * logit(score) + offset), the form of a method's row in configs/models/calibration.yaml."""

    slope: float
    offset: float
    error_before: float
    """expected calibration error of the scores it was fitted to"""
    error_after: float

    def __str__(self) -> str:
        """For people: what it does, and how to use it."""
        return (
            f"slope {self.slope:.4g} and offset {self.offset:.4g} would take the calibration error of these scores "
            f"from {100 * self.error_before:.1f} to {100 * self.error_after:.1f} %: --set model.calibration.slope="
            f"{self.slope:.4g} --set model.calibration.offset={self.offset:.4g}"
        )


def fit_calibration(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> CalibrationMap | None:
    """The map that makes (N,) scores probabilities of being ``right`` (N,), by maximum likelihood with Platt's targets.

    Scores of exactly 0 and 1 stay what they are and have no say. None where there are not both right and wrong ones.

    Raises:
        UsageError: as ``calibration``.
    """
    before = calibration(scores, right).error
    inside = (scores > 0) & (scores < 1)
    logits, hits = logit(scores[inside]), right[inside]
    positives, negatives = int(hits.sum()), int((~hits).sum())
    if positives == 0 or negatives == 0:
        return None
    targets = np.where(hits, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(line: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        values = line[0] * logits + line[1]
        slack = expit(values) - targets
        entropy = np.logaddexp(0, values) - targets * values
        return float(entropy.mean()), np.array([(slack * logits).mean(), slack.mean()])

    bounds = [(LEAST_SLOPE, None), (None, None)]
    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds)
    slope, offset = (float(value) for value in found.x)
    mapped = scores.copy()
    mapped[inside] = expit(slope * logits + offset)
    return CalibrationMap(slope, offset, before, calibration(mapped, right).error)


def fitted_calibration(scores: HicoScores, predictions: TripletPredictions) -> CalibrationMap | None:
    """``fit_calibration`` of all counted predictions."""
    rows = scores.matches.outcomes >= 0
    return fit_calibration(predictions.scores[rows], scores.matches.outcomes[rows] == 1)


def calibrations(
    scores: HicoScores, predictions: TripletPredictions, groups: Mapping[str, NDArray[np.bool_]]
) -> dict[str, Calibration]:
    """Calibration of the counted predictions of each group of classes.

    Raises:
        UsageError: scores outside [0, 1].
    """
    outcomes = scores.matches.outcomes
    found = {}
    for name, classes in groups.items():
        rows = (outcomes >= 0) & classes[predictions.class_ids]
        found[name] = calibration(predictions.scores[rows], outcomes[rows] == 1)
    return found
