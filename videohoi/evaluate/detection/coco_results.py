"""Boxes in COCO's results form: a list of {image_id, category_id, bbox [x, y, width, height], score}, read strictly."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import TruthError
from videohoi.evaluate.detection.average_precision import PictureBoxes
from videohoi.evaluate.prediction_record import BoxRule, PredictionRecord, ReadingNotes
from videohoi.evaluate.prediction_values import read_values
from videohoi.structures import Detections

LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, repr=False)
class CocoTruth:
    """True boxes of the pictures of an instances file."""

    image_ids: tuple[int, ...]
    pictures: tuple[PictureBoxes, ...]
    """in the order of ``image_ids``"""
    categories: dict[int, int]
    """COCO's category id to class id, in the file's order"""
    names: tuple[str, ...]
    """by class id"""
    image_sizes_wh_px: NDArray[np.int64]
    """(I, 2) 0 where the file does not say"""


def read_coco_truth(path: Path) -> CocoTruth:
    """An ``instances_*.json``; ``TruthError`` names record and field of what is wrong."""
    values = PredictionRecord(read_values(path), str(path))
    categories = values.records("categories")
    known = {row.whole("id"): place for place, row in enumerate(categories)}
    sizes = {row.whole("id"): _size(row) for row in values.records("images")}
    images = list(sizes)
    rows: dict[int, list[tuple[np.ndarray, int, bool]]] = {image: [] for image in images}
    for row in values.records("annotations"):
        image = row.whole("image_id")
        if image not in rows:
            raise row.wrong("image_id", "one of the file's images")
        crowd = row.has("iscrowd") and bool(row.value("iscrowd"))
        rows[image].append((_corners(row), _class(row, known), crowd))
    pictures = tuple(
        PictureBoxes(
            np.array([box for box, _, _ in found], np.float64).reshape(-1, 4),
            np.array([class_id for _, class_id, _ in found], np.int64),
            np.array([crowd for _, _, crowd in found], np.bool_),
        )
        for found in rows.values()
    )
    names = tuple(row.text("name") for row in categories)
    return CocoTruth(tuple(images), pictures, known, names, np.array([sizes[image] for image in images]).reshape(-1, 2))


def read_coco_results(
    path: Path, truth: CocoTruth, outside: str = "error", notes: ReadingNotes | None = None
) -> list[Detections]:
    """Detections of each picture of ``truth``, in its order.

    Args:
        path: JSON or pickle.
        truth: the pictures.
        outside: ``error``, ``keep`` or ``clip`` boxes that leave their picture.
        notes: counts what was left out or corrected.

    Raises:
        TruthError: a record that is malformed, or of a picture or category the truth does not have.
    """
    values = read_values(path)
    if not isinstance(values, list):
        raise TruthError(f"{path}: expected a list with a record for each box, got {type(values).__name__}")
    known = dict(zip(truth.image_ids, truth.image_sizes_wh_px, strict=True))
    rule, counted = BoxRule(outside), ReadingNotes() if notes is None else notes
    rows: dict[int, list[tuple[np.ndarray, float, int]]] = defaultdict(list)
    for number, value in enumerate(values):
        record = PredictionRecord(value, f"{path}: record {number}")
        image = record.whole("image_id")
        if image not in known:
            raise record.wrong("image_id", f"one of the {len(known)} pictures of the truth file")
        box = record.checked("bbox", _corners(record)[None], known[image], rule, counted)[0]
        rows[image].append((box, _score(record), _class(record, truth.categories)))
    counted.add("pictures without a box", len(known) - len(rows))
    return [_detections(rows[image]) for image in truth.image_ids]


def _detections(rows: list[tuple[np.ndarray, float, int]]) -> Detections:
    return Detections(
        boxes_xyxy_px=np.array([box for box, _, _ in rows], np.float32).reshape(-1, 4),
        scores=np.array([score for _, score, _ in rows], np.float32),
        class_ids=np.array([class_id for _, _, class_id in rows], np.int64),
    )


def _score(row: PredictionRecord) -> float:
    score = float(row.numbers("score", ()))
    if abs(score) > LARGEST:
        raise row.wrong("score", "a number of single precision")
    return score


def _size(row: PredictionRecord) -> tuple[int, int]:
    return (row.whole("width"), row.whole("height")) if row.has("width") and row.has("height") else (0, 0)


def _corners(row: PredictionRecord) -> np.ndarray:
    box = row.numbers("bbox", (4,))
    if (box[2:] < 0).any() or (np.abs(box) > LARGEST / 2).any():
        raise row.wrong("bbox", "x, y and a width and height of 0 or more")
    return np.concatenate([box[:2], box[:2] + box[2:]])


def _class(row: PredictionRecord, categories: dict[int, int]) -> int:
    number = row.whole("category_id")
    if number not in categories:
        raise row.wrong("category_id", "a category of the truth file")
    return categories[number]
