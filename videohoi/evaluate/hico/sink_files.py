"""Predictions for HICO-DET in this project's own form: the records of ``frames.jsonl``, one picture a frame.

A picture is named by the frame record's ``image`` or else by the ``source_id`` of the header before it, so the
``frames.jsonl`` of many annotated pictures may be joined into one file. Scores are those of the verbs that are on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import TruthError, UsageError
from videohoi.evaluate.hico.prediction_forms import ReadingRules
from videohoi.evaluate.prediction_record import PredictionRecord, ReadingNotes
from videohoi.evaluate.triplet_sets import TripletPredictions, joined
from videohoi.files import text_encoding

UNOBSERVED = "interactions of pairs without boxes in their frame, which cannot be scored"
UNFINISHED = "runs that were interrupted or failed (no end record that says complete)"
UNCONFIRMED = -1
"""track of a detection that the tracker has not confirmed; no pair may name it"""


def read_sink_files(path: Path, rules: ReadingRules) -> TripletPredictions:
    """One ``.jsonl`` file, or the ``frames.jsonl`` of every folder below ``path``.

    Raises:
        TruthError: a malformed line, or none at all.
    """
    files = sorted(path.rglob("frames.jsonl")) if path.is_dir() else [path]
    if not files:
        raise TruthError(f"{path}: no frames.jsonl in it or below; run `videohoi annotate` on the pictures first")
    return joined([part for file in files for part in _file(file, rules)])


def frame_records(file: Path, notes: ReadingNotes) -> Iterator[tuple[PredictionRecord, str | None]]:
    """Frame records and the source id of the header before each; runs without a proper end are counted."""
    source: str | None = None
    begun = finished = 0
    try:
        with file.open(encoding=text_encoding(file)) as lines:
            for number, line in enumerate(lines, 1):
                record = _record(file, number, line)
                kind = record.value("type") if record.has("type") else "frame"
                if kind == "header":
                    begun += 1
                    source = PredictionRecord(record.value("source"), f"{record.place}: source").text("source_id")
                elif kind == "frame":
                    yield record, source
                elif kind == "end":
                    finished += record.value("complete") is True
                elif kind != "event":
                    raise record.wrong("type", "header, frame, event or end")
    except (OSError, UnicodeDecodeError) as cause:
        raise TruthError(f"{file}: cannot be read: {cause}") from cause
    notes.add(UNFINISHED, max(begun - finished, 0))


def _record(file: Path, number: int, line: str) -> PredictionRecord:
    try:
        return PredictionRecord(json.loads(line), f"{file}: line {number}")
    except ValueError as cause:
        raise TruthError(f"{file}: line {number}: expected a JSON object: {cause}") from cause


def _file(file: Path, rules: ReadingRules) -> Iterator[TripletPredictions]:
    for record, source in frame_records(file, rules.notes):
        if not record.has("image") and source is not None:
            record = record.with_value("image", source)
        yield read_frame(record, rules.images.row_of(record), rules)


@dataclass(frozen=True)
class _Seen:
    """A detection of the frame that carries a track."""

    box_xyxy_px: NDArray[np.float64]
    """(4,)"""
    object_id: int


def read_frame(record: PredictionRecord, image: int, rules: ReadingRules) -> TripletPredictions:
    """Triplets of one frame record."""
    found: dict[int, _Seen] = {}
    for row in record.records("detections"):
        box = row.numbers("box_xyxy_px", (4,))[None]
        box = row.checked("box_xyxy_px", box, rules.images.size(image), rules.boxes, rules.notes)
        thing = _word(row, "object_class", row.text("object_class"), rules, rules.vocabulary.objects)
        track = float(row.numbers("track_id", ()))
        if track != UNCONFIRMED:
            if row.whole("track_id") in found:
                raise row.wrong("track_id", "every track once in a frame")
            found[int(track)] = _Seen(box[0], thing)
    parts = [part for row in record.records("interactions") for part in _interaction(row, image, found, rules)]
    return joined(parts)


def _interaction(
    row: PredictionRecord, image: int, seen: dict[int, _Seen], rules: ReadingRules
) -> Iterator[TripletPredictions]:
    verbs = row.value("verbs")
    if not isinstance(verbs, dict):
        raise row.wrong("verbs", "verbs with their scores")
    ends = [row.whole(name) for name in ("human_id", "object_id")]
    if not all(end in seen for end in ends):
        if row.has("observed") and row.value("observed") is False:
            rules.notes.add(UNOBSERVED, len(verbs))
            return
        missing = "human_id" if ends[0] not in seen else "object_id"
        raise row.wrong(missing, "the track_id of a detection of this frame")
    human, held = seen[ends[0]], seen[ends[1]]
    thing = _word(row, "object_class", row.text("object_class"), rules, rules.vocabulary.objects)
    words = rules.vocabulary.objects
    if human.object_id != rules.vocabulary.person_id:
        raise row.wrong("human_id", "the track of a person", f"{ends[0]}, a {words[human.object_id]}")
    if held.object_id != thing:
        raise row.wrong("object_class", f"{words[held.object_id]}, the class of detection {ends[1]}")
    scores = PredictionRecord(verbs, f"{row.place}: verbs")
    for verb in verbs:
        _word(row, "verbs", verb, rules, rules.vocabulary.verbs)
        class_id = _class(row, verb, thing, rules)
        yield TripletPredictions(
            np.array([image]), np.array([class_id]), human.box_xyxy_px[None], held.box_xyxy_px[None],
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
