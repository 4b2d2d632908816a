"""Reads a prediction file for HICO-DET, whatever its form, strictly: what is wrong is an error, not a missing row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videohoi.errors import TruthError
from videohoi.evaluate.hico.prediction_forms import Reader, ReadingRules, read_gen, read_listed, read_pocket, read_qpic
from videohoi.evaluate.hico.sink_files import read_sink_files
from videohoi.evaluate.image_index import ImageIndex, is_named
from videohoi.evaluate.object_orders import ObjectOrder
from videohoi.evaluate.prediction_record import BoxRule, PredictionRecord, ReadingNotes, read_values
from videohoi.evaluate.triplet_sets import TripletPredictions, TripletTruth, joined
from videohoi.vocabulary import Vocabulary, hico_det

FORMS: tuple[tuple[str, str, Reader], ...] = (
    ("verb_scores", "qpic", read_qpic),
    ("hoi_scores", "gen", read_gen),
    ("pairing", "pocket", read_pocket),
    ("hoi_prediction", "listed", read_listed),
)
"""the field that identifies a form, its name, its reader"""


@dataclass(frozen=True)
class ReadPredictions:
    """What a file held."""

    predictions: TripletPredictions
    form: str
    """``sink``, ``qpic``, ``gen``, ``pocket`` or ``listed``"""
    notes: tuple[str, ...]
    """what was met and counted: pictures without predictions, boxes outside, unobserved pairs"""


def read_hico_predictions(
    path: Path,
    truth: TripletTruth,
    *,
    object_order: str = "coco",
    outside: str = "error",
    limit: int | None = None,
    vocabulary: Vocabulary | None = None,
) -> ReadPredictions:
    """Predictions of ``path``: a run of this project (folder or ``.jsonl``), or a JSON or pickled list of records.

    Args:
        path: the file or folder.
        truth: the pictures; a file without any name, with a record for each picture, is in the order of the pictures.
        object_order: the order of the file's object ids: ``coco``, ``hico`` or ``coco91``.
        outside: ``error``, ``keep`` or ``clip`` boxes that leave their picture.
        limit: best triplets kept of each picture's table of scores (a convention's ``top_k``).
        vocabulary: default HICO-DET.

    Raises:
        TruthError: anything malformed; names file, record and field.
        UsageError: an unknown order or rule.
    """
    words = vocabulary or hico_det()
    rules = ReadingRules(
        words, ImageIndex(truth), ObjectOrder(object_order, words), BoxRule(outside), ReadingNotes(), limit
    )
    if path.is_dir() or path.suffix == ".jsonl":
        form, predictions = "sink", read_sink_files(path, rules)
    else:
        form, predictions = _listed(path, read_values(path), rules)
    rules.notes.add("pictures without a record, scored as without predictions", rules.images.unused)
    return ReadPredictions(predictions, form, rules.notes.lines())


def _listed(path: Path, values: Any, rules: ReadingRules) -> tuple[str, TripletPredictions]:
    if not isinstance(values, (list, tuple)):
        raise TruthError(f"{path}: expected a list with a record for each picture, got {type(values).__name__}")
    if not values:
        raise TruthError(f"{path}: the list is empty; expected a record for each picture, with or without pairs")
    first = PredictionRecord(values[0], f"{path}: record 0")
    for field, form, reader in FORMS:
        if first.has(field):
            return form, _records(path, values, reader, rules)
    known = ", ".join(f"{field} ({form})" for field, form, _ in FORMS)
    raise TruthError(f"{path}: record 0: unknown form; expected a field such as {known}")


def _records(path: Path, values: Any, reader: Reader, rules: ReadingRules) -> TripletPredictions:
    records = [PredictionRecord(value, f"{path}: record {number}") for number, value in enumerate(values)]
    by_position = len(values) == len(rules.images) and not any(is_named(record) for record in records)
    parts = []
    for number, record in enumerate(records):
        image = rules.images.row_of(record, number if by_position else None)
        parts.append(reader(record, image, rules))
    return joined(parts)
