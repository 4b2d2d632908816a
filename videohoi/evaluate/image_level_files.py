"""Image-level scores of HICO: one record a picture with a score for each of the 600 interactions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import TruthError
from videohoi.evaluate.hico_predictions import read_values
from videohoi.evaluate.prediction_record import PredictionRecord


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
