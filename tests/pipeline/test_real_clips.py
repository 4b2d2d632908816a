"""The main job on real clips."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from videohoi.decode.factory import open_source
from videohoi.decode.inputs import list_inputs
from videohoi.pipeline.annotate import annotate
from videohoi.sink.records import record_schema

CLIPS = Path(__file__).resolve().parents[2].parent / "shared" / "clips"
HOW_MANY = 2


def shortest_clips() -> list[Path]:
    """The clips of fewest frames."""
    counted = []
    for path in sorted(CLIPS.glob("*.mp4")):
        source = open_source(path)
        counted.append((source.open().frame_count or 0, path))
        source.close()
    return [path for _, path in sorted(counted)[:HOW_MANY]]


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.skipif(not CLIPS.is_dir(), reason="the real clips are not beside the project (../shared/clips)")
def test_every_decoded_frame_comes_out_in_valid_records(pipeline, tmp_path):
    validator = jsonschema.Draft202012Validator(record_schema())
    for clip in shortest_clips():
        source = open_source(clip)
        source.open()
        decoded = sum(1 for _ in source.frames())
        source.close()
        result = annotate(pipeline, list_inputs([clip])[0], tmp_path / clip.stem, overlay=False)
        assert result.run.complete
        assert result.run.frames_out == decoded
        for name in ("frames.jsonl", "events.jsonl"):
            records = [json.loads(line) for line in (result.folder / name).read_text(encoding="utf-8").splitlines()]
            for record in records:
                validator.validate(record)
            assert records[-1]["frames"] == decoded
