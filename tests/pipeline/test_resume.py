"""Only results that would come out the same again are skipped."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from videohoi.decode.inputs import list_inputs
from videohoi.pipeline.pipeline import Pipeline
from videohoi.pipeline.resume import is_done


def change_report(folder, **changes):
    path = folder / "report.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def test_complete_results_of_the_same_input_and_settings_are_done(copied, pipeline, item):
    assert is_done(copied, pipeline, item, overlay=True)


def test_other_settings_are_another_job(copied, item):
    other = Pipeline.from_config("offline_annotation", ["smooth.on_threshold=0.6"])
    assert not is_done(copied, other, item, overlay=True)


def test_another_video_under_the_same_name_is_another_job(copied, pipeline, clip_file, tmp_path):
    other = tmp_path / clip_file.name
    other.write_bytes(clip_file.read_bytes() + b"\0")
    assert not is_done(copied, pipeline, list_inputs([other])[0], overlay=True)


def test_the_same_video_elsewhere_is_the_same_job(copied, pipeline, clip_file, tmp_path):
    moved = shutil.copy(clip_file, tmp_path / "moved.mp4")
    assert is_done(copied, pipeline, list_inputs([moved])[0], overlay=True)


@pytest.mark.parametrize("name", ["segments.csv", "frames.jsonl", "report.json"])
def test_a_missing_file_is_made_again(copied, pipeline, item, name):
    (copied / name).unlink()
    assert not is_done(copied, pipeline, item, overlay=True)


def test_an_overlay_is_missed_only_where_one_is_wanted(copied, pipeline, item):
    (copied / "overlay.mp4").unlink()
    assert not is_done(copied, pipeline, item, overlay=True)
    assert is_done(copied, pipeline, item, overlay=False)


@pytest.mark.parametrize("changes", [{"complete": False}, {"machine": {"videohoi": "0.0.1"}}, {"machine": 3}])
def test_an_interrupted_run_or_another_release_is_done_again(copied, pipeline, item, changes):
    change_report(copied, **changes)
    assert not is_done(copied, pipeline, item, overlay=True)


@pytest.mark.parametrize("text", ["", "[1, 2]", "{"])
def test_an_unreadable_report_is_no_report(copied, pipeline, item, text):
    (copied / "report.json").write_text(text, encoding="utf-8")
    assert not is_done(copied, pipeline, item, overlay=True)


def test_new_weights_under_the_same_name_are_another_job(copied, item, tmp_path):
    weights = tmp_path / "mine.onnx"
    weights.write_bytes(b"one")
    mine = Pipeline.from_config("offline_annotation", [f"detect.detector={json.dumps(f'onnx:{weights}')}"])
    sha256 = hashlib.sha256(b"one").hexdigest()
    change_report(copied, config_sha256=mine.header()["config_sha256"], detector={"weights_sha256": sha256})
    assert is_done(copied, mine, item, overlay=True)
    weights.write_bytes(b"two")
    assert not is_done(copied, mine, item, overlay=True)


def test_results_of_other_shipped_weights_are_made_again(copied, pipeline, item):
    change_report(copied, detector={"name": "starter", "weights_sha256": "0" * 64})
    assert not is_done(copied, pipeline, item, overlay=True)
