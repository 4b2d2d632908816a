"""HICO-DET's scores as a report: means by mode and group, calibration, unseen recall, precision-recall plots."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.evaluate.calibration import Calibration, CalibrationMap, calibrations, fitted_calibration
from videohoi.evaluate.hico import DEFAULT_MODE, HicoScores
from videohoi.evaluate.matching import Matches, ranked_outcomes
from videohoi.evaluate.report import Plot, Report, ReportTable, Series, curve, percent, table_of
from videohoi.evaluate.triplet_sets import TripletPredictions
from videohoi.evaluate.unseen_recall import UnseenRecall
from videohoi.vocabulary import Vocabulary

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
