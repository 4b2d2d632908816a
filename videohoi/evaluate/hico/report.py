"""HICO-DET's scores as a report: means by mode and group, calibration, unseen recall, precision-recall plots.

Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017, arXiv 1706.04599), equation 3: with B bins of equal
width, ECE = sum over bins of (n_b / N) * |right share_b - mean score_b|. And the map that would make it so: Platt,
"Probabilistic Outputs for Support Vector Machines" (1999), fitted to the scores' logits.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from videohoi.errors import UsageError
from videohoi.evaluate.hico.scoring import DEFAULT_MODE, HicoScores
from videohoi.evaluate.hico.unseen_recall import UnseenRecall
from videohoi.evaluate.matching import Matches, ranked_outcomes
from videohoi.evaluate.report import Plot, Report, ReportTable, Series, curve, percent, table_of
from videohoi.evaluate.triplet_sets import TripletPredictions
from videohoi.vocabulary import Vocabulary

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


Groups = Mapping[str, NDArray[np.bool_]]
CURVE_POINTS = np.linspace(0.0, 1.0, 101)
HISTOGRAM_BINS = 20


def hico_report(
    scores: HicoScores,
    predictions: TripletPredictions,
    groups: Groups,
    vocabulary: Vocabulary,
    *,
    settings: Mapping[str, str],
    notes: tuple[str, ...] = (),
    unseen: UnseenRecall | None = None,
) -> Report:
    """Everything, for the (K,) masks ``groups`` by name."""
    means = scores.means(groups)
    reliability, remark = _reliability(scores, predictions, groups)
    fitted = fitted_calibration(scores, predictions) if reliability else None
    remark += (str(fitted),) if fitted is not None else ()
    tables = [
        table_of("Mean average precision (%)", "mode", means),
        table_of("Mean highest recall (%)", "mode", {mode: _recalls(scores, mode, groups) for mode in scores.modes}),
    ]
    tables += [_calibration_table(reliability)] if reliability else []
    tables += [_unseen_table(unseen)] if unseen is not None else []
    return Report(
        title=f"HICO-DET, convention {scores.convention.name}",
        settings={"rules": scores.convention.source, **settings},
        tables=tuple(tables),
        plots=(*_plots(scores, groups), *([_reliability_plot(reliability)] if reliability else [])),
        notes=(*notes, *_counts(scores), *remark),
        record=_record(scores, means, reliability, unseen, groups, vocabulary) | _fit_record(fitted),
    )


def _recalls(scores: HicoScores, mode: str, groups: Groups) -> dict[str, float]:
    return {name: scores.mean_highest_recall(mode, classes) for name, classes in groups.items()}


def _counts(scores: HicoScores) -> tuple[str, ...]:
    top = "" if scores.convention.top_k is None else f"beyond the best {scores.convention.top_k} of their picture or "
    return (
        f"{scores.predictions} predictions in {scores.images} pictures, {scores.images_without_truth} of them without "
        "annotation",
        f"predictions the convention leaves out ({top}in pictures it does not use): {scores.not_counted}",
    )


def _reliability(
    scores: HicoScores, predictions: TripletPredictions, groups: Groups
) -> tuple[dict[str, Calibration], tuple[str, ...]]:
    try:
        return calibrations(scores, predictions, groups), ()
    except UsageError as cause:
        return {}, (f"no calibration error: {cause}",)


def _fit_record(fitted: CalibrationMap | None) -> dict[str, Any]:
    return {"fitted_calibration": None if fitted is None else dataclasses.asdict(fitted)}


def _calibration_table(reliability: Mapping[str, Calibration]) -> ReportTable:
    rows = tuple((name, percent(found.error), str(found.counts.sum())) for name, found in reliability.items())
    return ReportTable("Expected calibration error (%)", ("classes", "ECE", "predictions"), rows)


def _unseen_table(unseen: UnseenRecall) -> ReportTable:
    rows = tuple((f"U-R@{k}", percent(value)) for k, value in unseen.recalls.items())
    title = f"Recall of the {unseen.unseen_pairs} unseen pairs in {unseen.pictures} pictures (%)"
    return ReportTable(title, ("best pairs of a picture", "recall"), rows)


def mean_curve(matches: Matches, classes: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Recalls (101,) and the mean over classes of the best precision there or beyond."""
    curves = []
    for class_id in np.flatnonzero(classes & (matches.positives > 0)):
        right = ranked_outcomes(matches, int(class_id))
        hits = np.cumsum(right)
        precision = np.maximum.accumulate((hits / np.arange(1, len(right) + 1))[::-1])[::-1]
        places = np.searchsorted(hits / matches.positives[class_id], CURVE_POINTS)
        curves.append(np.append(precision, 0.0)[np.minimum(places, len(right))])
    mean = np.mean(curves, axis=0) if curves else np.full(len(CURVE_POINTS), np.nan)
    return CURVE_POINTS, mean


def _plots(scores: HicoScores, groups: Groups) -> tuple[Plot, ...]:
    curves = tuple(curve(name, *map(list, mean_curve(scores.matches, mask))) for name, mask in groups.items())
    edges = np.linspace(0.0, 1.0, HISTOGRAM_BINS + 1)
    values = scores.modes[DEFAULT_MODE].average_precisions
    counts = np.histogram(values[~np.isnan(values)], edges)[0]
    bars = Series("classes", tuple(zip(((edges[:-1] + edges[1:]) / 2).tolist(), counts.tolist(), strict=True)))
    return (
        Plot("Precision over recall, mean over classes", "recall", "precision", curves),
        Plot("Classes by average precision", "average precision", "classes", (bars,), kind="bars"),
    )


def _reliability_plot(reliability: Mapping[str, Calibration]) -> Plot:
    series = tuple(
        curve(name, found.mean_scores.tolist(), found.right_shares.tolist()) for name, found in reliability.items()
    )
    return Plot("Reliability", "mean score", "share right", series, diagonal=True)


def _record(
    scores: HicoScores,
    means: Mapping[str, Mapping[str, float]],
    reliability: Mapping[str, Calibration],
    unseen: UnseenRecall | None,
    groups: Groups,
    vocabulary: Vocabulary,
) -> dict[str, Any]:
    names = [f"{vocabulary.verbs[verb]} {vocabulary.objects[thing]}" for verb, thing in vocabulary.interactions]
    return {
        "convention": scores.convention.name,
        "mean_average_precision": means,
        "mean_highest_recall": {mode: _recalls(scores, mode, groups) for mode in scores.modes},
        "average_precision": {
            mode: dict(zip(names, values.average_precisions.tolist(), strict=True))
            for mode, values in scores.modes.items()
        },
        "expected_calibration_error": {name: found.error for name, found in reliability.items()},
        "unseen_pair_recall": None if unseen is None else {str(k): value for k, value in unseen.recalls.items()},
        "predictions": scores.predictions,
        "predictions_left_out": scores.not_counted,
    }
