"""Boxes in COCO's results form: a list of {image_id, category_id, bbox [x, y, width, height], score}, read strictly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videohoi.datasets.coco_json import CocoBox, read_coco_instances
from videohoi.datasets.records import record_error
from videohoi.errors import TruthError
from videohoi.evaluate.detection.average_precision import PictureBoxes
from videohoi.evaluate.prediction_record import BoxRule, PredictionRecord, ReadingNotes, read_values
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
    """An ``instances_*.json``; ``InputError`` names record and field of what is wrong."""
    file = read_coco_instances(path)
    known = {category.id: place for place, category in enumerate(file.categories)}
    rows: dict[int, list[CocoBox]] = {image.id: [] for image in file.images}
    for number, row in enumerate(file.annotations):
        if row.image_id not in rows:
            raise record_error(path, "", f"annotations[{number}].image_id", "expected one of the file's images")
        if row.category_id not in known:
            raise record_error(path, "", f"annotations[{number}].category_id", "expected one of the file's categories")
        rows[row.image_id].append(row)
    pictures = tuple(_picture(found, known) for found in rows.values())
    sizes = {image.id: (image.width, image.height) for image in file.images}
    names = tuple(category.name for category in file.categories)
    return CocoTruth(tuple(rows), pictures, known, names, np.array(list(sizes.values()), np.int64).reshape(-1, 2))


def _picture(rows: Sequence[CocoBox], known: Mapping[int, int]) -> PictureBoxes:
    boxes = np.array([row.bbox for row in rows], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    class_ids = np.array([known[row.category_id] for row in rows], np.int64)
    return PictureBoxes(boxes, class_ids, np.array([bool(row.iscrowd) for row in rows], np.bool_))


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
