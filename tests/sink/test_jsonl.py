import dataclasses
import json
import re
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from videohoi.errors import SinkError
from videohoi.sink.jsonl import EventsJsonl, FramesJsonl
from videohoi.sink.records import record_schema

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "output_schema.md"


@pytest.fixture(scope="module")
def validator():
    schema = record_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def lines_of(path, validator):
    def refuse(name):
        raise AssertionError(f"{name} in {path}")

    records = [json.loads(line, parse_constant=refuse) for line in path.read_text(encoding="utf-8").splitlines()]
    for record in records:
        validator.validate(record)
    return records


def run(sink, info, results, *, complete=True, header=None):
    sink.open(info, header or {})
    process_all(sink, results)
    sink.close(complete=complete)


def process_all(sink, results):
    for result in results:
        sink.process(result)


def test_events_file(tmp_path, info, make_event, make_result, validator):
    phases = ["begin", "update", "end", "retract", "gap"]
    results = [make_result(i, i / 30, events=[make_event(phase)]) for i, phase in enumerate(phases)]
    header = {
        "policy": "lossless",
        "weights": Path("models") / "starter.onnx",
        "rate": np.float32(0.5),
        "x": float("nan"),
    }
    run(EventsJsonl(tmp_path / "events.jsonl"), info, [*results, make_result(5, 5 / 30)], header=header)
    first, *events, last = lines_of(tmp_path / "events.jsonl", validator)
    assert (first["schema"], first["version"], first["contents"]) == ("videohoi.record", 2, "events")
    assert first["source"]["width_px"] == 320
    assert first["run"] == {"policy": "lossless", "weights": "models/starter.onnx", "rate": 0.5, "x": None}
    assert [event["phase"] for event in events] == phases
    assert events[0] == {
        "type": "event", "interaction_id": 7, "phase": "begin", "source_id": "clip.mp4", "frame_index": 12,
        "decided_seconds": 0.5, "human_id": 1, "object_id": 4, "object_class": "skateboard", "verb": "ride",
        "begin_seconds": 0.25, "end_seconds": 0.5, "peak_score": 0.9, "mean_score": 0.8, "delay_seconds": 0.25,
        "vocabulary_version": 1, "reason": None,
    }  # fmt: skip
    assert last == {
        "type": "end", "complete": True, "frames": 6, "records": 5, "first_pts_seconds": 0.0,
        "last_pts_seconds": 0.166667, "non_finite": 0,
    }  # fmt: skip


def test_frames_file(tmp_path, info, make_result, vocabulary, validator):
    both = (("stand_on", 0.7123456), ("ride", 0.93))
    results = [make_result(0, 0.0, verbs=()), make_result(1, 1 / 30, verbs=both, observed=False)]
    run(FramesJsonl(tmp_path / "frames.jsonl", vocabulary), info, results, complete=False)
    first, quiet, busy, last = lines_of(tmp_path / "frames.jsonl", validator)
    assert first["contents"] == "frames"
    assert quiet["interactions"] == []
    assert busy["frame_index"] == 1
    assert busy["pts_seconds"] == 0.033333
    assert busy["detections"][0] == {
        "track_id": 1, "object_class": "person", "box_xyxy_px": [40.0, 60.0, 100.0, 200.0], "score": 0.93,
    }  # fmt: skip
    assert busy["detections"][2]["track_id"] == -1
    assert busy["detections"][2]["box_xyxy_px"][1] == 5.13
    assert busy["interactions"] == [
        {"human_id": 1, "object_id": 4, "object_class": "skateboard", "observed": False,
         "verbs": {"ride": 0.93, "stand_on": 0.7123}},
    ]  # fmt: skip
    assert list(busy["interactions"][0]["verbs"]) == ["ride", "stand_on"]
    assert (last["complete"], last["frames"], last["records"]) == (False, 2, 2)


def test_no_frame_is_a_valid_file(tmp_path, info, validator):
    run(EventsJsonl(tmp_path / "events.jsonl"), info, [], complete=False)
    _, last = lines_of(tmp_path / "events.jsonl", validator)
    assert (last["frames"], last["first_pts_seconds"], last["last_pts_seconds"]) == (0, None, None)


def test_nan_and_infinity_become_null_and_are_counted(tmp_path, info, make_event, make_result, vocabulary, validator):
    broken = make_result(0, 0.0, events=[make_event("begin", peak_score=float("nan"))])
    broken.detections.scores[1] = np.nan
    broken.detections.boxes_xyxy_px[0] = np.inf
    run(FramesJsonl(tmp_path / "frames.jsonl", vocabulary), info, [broken])
    run(EventsJsonl(tmp_path / "events.jsonl"), info, [broken])
    _, frame, last = lines_of(tmp_path / "frames.jsonl", validator)
    assert frame["detections"][0]["box_xyxy_px"] == [None] * 4
    assert [detection["score"] for detection in frame["detections"]] == [0.93, None, 0.3]
    assert last["non_finite"] == 5
    _, event, last = lines_of(tmp_path / "events.jsonl", validator)
    assert (event["peak_score"], last["non_finite"]) == (None, 1)


def test_a_time_that_is_not_a_number_is_an_error(tmp_path, info, make_event, make_result):
    sink = EventsJsonl(tmp_path / "events.jsonl")
    sink.open(info, {})
    with pytest.raises(SinkError, match="time of the result is NaN"):
        sink.process(make_result(events=[make_event("begin", end_seconds=float("nan"))]))
    sink.abort()


def test_a_crash_leaves_valid_lines_in_the_partial_file(tmp_path, info, make_result, vocabulary, validator):
    sink = FramesJsonl(tmp_path / "frames.jsonl", vocabulary)
    sink.open(info, {})
    for index in range(3):
        sink.process(make_result(index, index / 30))
        assert not (tmp_path / "frames.jsonl").exists()
        records = lines_of(tmp_path / ".frames.jsonl.partial", validator)
        assert [record["type"] for record in records] == ["header"] + ["frame"] * (index + 1)
    sink.abort()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_keeps_whole_lines_without_an_end_record(
    tmp_path, info, make_result, vocabulary, validator, full_disk
):
    sink = FramesJsonl(tmp_path / "frames.jsonl", vocabulary)
    sink.open(info, {})
    partial = tmp_path / ".frames.jsonl.partial"
    header_bytes = partial.stat().st_size
    sink.process(make_result(0, 0.0))
    frame_bytes = partial.stat().st_size - header_bytes
    with full_disk(header_bytes + round(2.5 * frame_bytes)):
        with pytest.raises(SinkError, match=r"frames\.jsonl") as caught:
            process_all(sink, [make_result(index, index / 30) for index in range(1, 100)])
        assert "\n" not in str(caught.value)
    with full_disk(1), pytest.raises(SinkError, match=r"frames\.jsonl"):
        sink.close(complete=False)
    records = lines_of(tmp_path / "frames.jsonl", validator)
    assert [record["type"] for record in records] == ["header", "frame", "frame"]


def test_scores_of_another_vocabulary_are_refused(tmp_path, info, make_result, vocabulary):
    small = dataclasses.replace(vocabulary, verbs=vocabulary.verbs[:5])
    sink = FramesJsonl(tmp_path / "frames.jsonl", small)
    sink.open(info, {})
    with pytest.raises(SinkError, match="117 verb scores for the 5 verbs"):
        sink.process(make_result())
    sink.abort()


@pytest.mark.parametrize(
    "record",
    [
        {"type": "end", "complete": True},
        {"type": "event"},
        {"type": "frame", "frame_index": -3, "pts_seconds": 0.0, "detections": [], "interactions": []},
        {"type": "frame", "frame_index": 0, "pts_seconds": 0.0, "detections": [], "interactions": [], "extra": 1},
        {"type": "unknown"},
    ],
)
def test_the_schema_refuses_broken_records(record, validator):
    assert not validator.is_valid(record)


def test_the_documents_examples_are_valid_and_show_every_type(validator):
    examples = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)]
    for example in examples:
        validator.validate(example)
    assert {example["type"] for example in examples} == set(record_schema()["$defs"]) & {
        "header", "event", "frame", "end",
    }  # fmt: skip
