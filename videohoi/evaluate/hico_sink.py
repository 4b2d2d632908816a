"""Predictions for HICO-DET in this project's own form: the records of ``frames.jsonl``, one picture a frame.

A picture is named by the frame record's ``image`` or else by the ``source_id`` of the header before it, so the
``frames.jsonl`` of many annotated pictures may be joined into one file. Scores are those of the verbs that are on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from videohoi.errors import TruthError, UsageError
from videohoi.evaluate.hico_formats import ReadingRules
from videohoi.evaluate.prediction_record import PredictionRecord
from videohoi.evaluate.triplet_sets import TripletPredictions, joined

UNOBSERVED = "interactions of pairs without boxes in their frame, which cannot be scored"


def read_sink_files(path: Path, rules: ReadingRules) -> TripletPredictions:
    """One ``.jsonl`` file, or the ``frames.jsonl`` of every folder below ``path``.

    Raises:
        TruthError: a malformed line, or none at all.
    """
    files = sorted(path.rglob("frames.jsonl")) if path.is_dir() else [path]
    if not files:
        raise TruthError(f"{path}: no frames.jsonl in it or below; run `videohoi annotate` on the pictures first")
    return joined([part for file in files for part in _file(file, rules)])


def frame_records(file: Path) -> Iterator[tuple[PredictionRecord, str | None]]:
    """Frame records and the source id of the header before each."""
    source: str | None = None
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                record = _record(file, number, line)
                kind = record.value("type") if record.has("type") else "frame"
                if kind == "header":
                    source = PredictionRecord(record.value("source"), f"{record.place}: source").text("source_id")
                elif kind == "frame":
                    yield record, source
                elif kind not in ("end", "event"):
                    raise record.wrong("type", "header, frame, event or end")
    except (OSError, UnicodeDecodeError) as cause:
        raise TruthError(f"{file}: cannot be read: {cause}") from cause


def _record(file: Path, number: int, line: str) -> PredictionRecord:
    try:
        return PredictionRecord(json.loads(line), f"{file}: line {number}")
    except ValueError as cause:
        raise TruthError(f"{file}: line {number}: expected a JSON object: {cause}") from cause


def _file(file: Path, rules: ReadingRules) -> Iterator[TripletPredictions]:
    for record, source in frame_records(file):
        if not record.has("image") and source is not None:
            record = record.with_value("image", source)
        yield read_frame(record, rules.images.row_of(record), rules)


def read_frame(record: PredictionRecord, image: int, rules: ReadingRules) -> TripletPredictions:
    """Triplets of one frame record."""
    boxes = {}
    for row in record.records("detections"):
        box = row.numbers("box_xyxy_px", (4,))[None]
        box = row.checked("box_xyxy_px", box, rules.images.size(image), rules.boxes, rules.notes)
        name = row.text("object_class")
        _word(row, "object_class", name, rules, rules.vocabulary.objects)
        boxes[int(row.numbers("track_id", ()))] = box[0]
    parts = [part for row in record.records("interactions") for part in _interaction(row, image, boxes, rules)]
    return joined(parts)


def _interaction(
    row: PredictionRecord, image: int, boxes: dict[int, np.ndarray], rules: ReadingRules
) -> Iterator[TripletPredictions]:
    verbs = row.value("verbs")
    if not isinstance(verbs, dict):
        raise row.wrong("verbs", "verbs with their scores")
    ends = [int(row.numbers(name, ())) for name in ("human_id", "object_id")]
    if not all(end in boxes for end in ends):
        if row.has("observed") and row.value("observed") is False:
            rules.notes.add(UNOBSERVED, len(verbs))
            return
        missing = "human_id" if ends[0] not in boxes else "object_id"
        raise row.wrong(missing, "the track_id of a detection of this frame")
    thing = _word(row, "object_class", row.text("object_class"), rules, rules.vocabulary.objects)
    scores = PredictionRecord(verbs, f"{row.place}: verbs")
    for verb in verbs:
        _word(row, "verbs", verb, rules, rules.vocabulary.verbs)
        class_id = _class(row, verb, thing, rules)
        yield TripletPredictions(
            np.array([image]), np.array([class_id]), boxes[ends[0]][None], boxes[ends[1]][None],
            scores.numbers(verb, ())[None],
        )  # fmt: skip


def _word(row: PredictionRecord, field: str, name: str, rules: ReadingRules, words: tuple[str, ...]) -> int:
    """Row of a class name; the error offers the nearest."""
    if name in words:
        return words.index(name)
    lookup = rules.vocabulary.object_id if words is rules.vocabulary.objects else rules.vocabulary.verb_id
    try:
        return lookup(name)
    except UsageError as cause:
        raise TruthError(f"{row.place}: {field}: {cause}") from cause


def _class(row: PredictionRecord, verb: str, thing: int, rules: ReadingRules) -> int:
    words = rules.vocabulary
    pair = (words.verb_id(verb), thing)
    if pair not in words.interactions:
        raise row.wrong("verbs", f"verbs that {words.name} has with {words.objects[thing]}", verb)
    return words.interactions.index(pair)
