"""Image-level HICO: which of the 600 interactions a picture shows, without boxes (HTS, DEFR and the HICO benchmark).

HICO (Chao et al., ICCV 2015): average precision of each class over all pictures, mean over classes. A label is
positive, negative or ambiguous; ambiguous pictures are left out of that class.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import TruthError, UsageError
from videohoi.evaluate.conventions import OFFICIAL
from videohoi.evaluate.matching import eleven_points
from videohoi.evaluate.prediction_record import PredictionRecord, read_values

POSITIVE, AMBIGUOUS, NEGATIVE = 1, 0, -1
METHODS = ("all_points", "eleven_points")


@dataclass(frozen=True, repr=False)
class ImageLevelScores:
    """Average precision of each class."""

    average_precisions: NDArray[np.float64]
    """(K,) in [0, 1]; nan where no picture is positive"""
    positives: NDArray[np.int64]
    """(K,)"""

    def mean(self, classes: NDArray[np.bool_] | None = None) -> float:
        """Mean over the classes of a (K,) mask that have positives; nan where none has."""
        values = self.average_precisions if classes is None else self.average_precisions[classes]
        known = values[~np.isnan(values)]
        return float(known.mean()) if len(known) else float("nan")


def image_level_precision(
    scores: NDArray[np.float64], labels: NDArray[np.int8], *, method: str = "all_points"
) -> ImageLevelScores:
    """Score (I, K) ``scores`` against ``labels`` (I, K) of 1 positive, 0 ambiguous, -1 negative.

    ``all_points`` is the area under the interpolated curve (VOC 2010, as the HICO benchmark), ``eleven_points`` VOC
    2007. Equal scores keep the order of the pictures.

    Raises:
        UsageError: shapes that differ, scores that are not finite, another label, an unknown method.
    """
    if scores.shape != labels.shape or scores.ndim != 2:
        raise UsageError(f"image-level: expected scores and labels (I, K), got {scores.shape} and {labels.shape}")
    if not np.isfinite(scores).all():
        row, column = np.argwhere(~np.isfinite(scores))[0]
        raise UsageError(f"image-level: picture {row}, class {column}: expected a finite score")
    if not np.isin(labels, (POSITIVE, AMBIGUOUS, NEGATIVE)).all() or method not in METHODS:
        raise UsageError(f"image-level: expected labels 1, 0, -1 and one of {', '.join(METHODS)}, got {method!r}")
    values = [_precision(scores[:, k], labels[:, k], method) for k in range(scores.shape[1])]
    return ImageLevelScores(np.array(values, np.float64), (labels == POSITIVE).sum(axis=0))


def labels_of(positives: NDArray[np.bool_], ambiguous: NDArray[np.bool_] | None = None) -> NDArray[np.int8]:
    """Labels of a (I, K) mask of positives; the rest is negative unless it is ``ambiguous``."""
    labels = np.where(positives, POSITIVE, NEGATIVE).astype(np.int8)
    if ambiguous is not None:
        labels[ambiguous & ~positives] = AMBIGUOUS
    return labels


def _precision(scores: NDArray[np.float64], labels: NDArray[np.int8], method: str) -> float:
    used = labels != AMBIGUOUS
    right = labels[used][np.argsort(-scores[used], kind="stable")] == POSITIVE
    total = int(right.sum())
    if total == 0:
        return float("nan")
    return all_points(right, total) if method == "all_points" else eleven_points(right, total, OFFICIAL.recall_points())


def all_points(outcomes: NDArray[np.bool_], positives: int) -> float:
    """Area under the interpolated precision-recall curve (VOC 2010); ``outcomes`` (N,) best score first."""
    precision = np.cumsum(outcomes) / np.arange(1, len(outcomes) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best_from_here[outcomes].sum() / positives)


def read_image_scores(path: Path, image_names: tuple[str, ...], class_count: int) -> NDArray[np.float64]:
    """(I, K) scores of a JSON or pickled list of {filename, scores (K,)}; every picture must be there once.

    Raises:
        TruthError: a malformed record, an unknown picture, one that is there twice or not at all.
    """
    values = read_values(path)
    if not isinstance(values, (list, tuple)):
        raise TruthError(f"{path}: expected a list with a record for each picture, got {type(values).__name__}")
    rows = {name: row for row, name in enumerate(image_names)}
    scores = np.full((len(rows), class_count), np.nan)
    for number, value in enumerate(values):
        record = PredictionRecord(value, f"{path}: record {number}")
        name = record.text("filename")
        if name not in rows:
            raise record.wrong("filename", f"one of the {len(rows)} pictures of the labels")
        if not np.isnan(scores[rows[name], 0]):
            raise record.wrong("filename", "every picture once")
        scores[rows[name]] = record.numbers("scores", (class_count,))
    missing = np.flatnonzero(np.isnan(scores[:, 0]))
    if len(missing):
        raise TruthError(f"{path}: no record for {image_names[missing[0]]} and {len(missing) - 1} more pictures")
    return scores
