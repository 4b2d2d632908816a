"""The records of the JSON Lines files; docs/output_schema.md and data/record.schema.json describe them."""

from __future__ import annotations

import dataclasses
import json
from importlib import resources
from typing import Any

from videohoi.sink.frame_rows import ActivePair, DetectionRows, active_pairs, detection_rows
from videohoi.sink.rounding import PIXEL_DIGITS, SCORE_DIGITS, TIME_DIGITS, Rounding, plain
from videohoi.structures import FrameResult, InteractionEvent, SourceInfo
from videohoi.vocabulary import Vocabulary

SCHEMA_NAME = "videohoi.record"
SCHEMA_VERSION = 2
"""raised with every change of a record's keys or meaning"""

Record = dict[str, Any]


def record_schema() -> Record:
    """The JSON Schema (draft 2020-12) that every line satisfies."""
    text = (resources.files("videohoi.sink") / "data" / "record.schema.json").read_text(encoding="utf-8")
    schema: Record = json.loads(text)
    return schema


def header_record(contents: str, info: SourceInfo, header: dict[str, Any]) -> Record:
    """First line. ``contents`` is "events" or "frames"; ``header`` is the run's own header, as given."""
    return {
        "schema": SCHEMA_NAME,
        "version": SCHEMA_VERSION,
        "type": "header",
        "contents": contents,
        "source": plain(info, TIME_DIGITS),
        "run": plain(header),
    }


def event_record(event: InteractionEvent, rounding: Rounding) -> Record:
    """One decision: all fields of ``InteractionEvent``."""
    record: Record = {"type": "event"}
    for field in dataclasses.fields(event):
        value = getattr(event, field.name)
        if field.name.endswith("_seconds"):
            value = round(float(value), TIME_DIGITS)
        elif field.name.endswith("_score"):
            value = rounding.real(value, SCORE_DIGITS)
        else:
            value = plain(value)
        record[field.name] = value
    return record


def frame_record(result: FrameResult, vocabulary: Vocabulary, rounding: Rounding) -> Record:
    """One frame: its detections and the interactions that are on."""
    record: Record = {
        "type": "frame",
        "frame_index": result.frame.index,
        "pts_seconds": round(float(result.frame.pts_seconds), TIME_DIGITS),
        "detections": _detections(detection_rows(result, vocabulary), rounding),
        "interactions": [_interaction(pair, rounding) for pair in active_pairs(result, vocabulary)],
    }
    if result.frame.captured_seconds is not None:
        record["captured_seconds"] = round(float(result.frame.captured_seconds), TIME_DIGITS)
    return record


def _detections(rows: DetectionRows, rounding: Rounding) -> list[Record]:
    scores = rounding.reals(rows.scores, SCORE_DIGITS)
    return [
        {
            "track_id": track_id,
            "object_class": name,
            "box_xyxy_px": rounding.reals(box, PIXEL_DIGITS),
            "score": score,
        }
        for track_id, name, box, score in zip(
            rows.track_ids.tolist(), rows.names, rows.boxes_xyxy_px, scores, strict=True
        )
    ]


def _interaction(pair: ActivePair, rounding: Rounding) -> Record:
    return {
        "human_id": pair.human_id,
        "object_id": pair.object_id,
        "object_class": pair.object_class,
        "observed": pair.observed,
        "verbs": {verb: rounding.real(score, SCORE_DIGITS) for verb, score in pair.verbs},
    }
