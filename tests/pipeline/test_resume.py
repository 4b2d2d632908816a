"""Only results that would come out the same again are skipped."""

from __future__ import annotations

import json
import shutil

import pytest

from videohoi.decode.inputs import list_inputs
from videohoi.pipeline.bundled import bundled_folder
from videohoi.pipeline.input_fingerprint import input_fingerprint
from videohoi.pipeline.named_files import named_files
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
    moved = shutil.copy2(clip_file, tmp_path / "moved.mp4")
    assert is_done(copied, pipeline, list_inputs([moved])[0], overlay=True)
    assert not is_done(copied, pipeline, list_inputs([moved])[0], overlay=True, whole_hash=True)


def test_results_with_the_whole_hash_hold_for_every_copy(copied, pipeline, clip_file, item, tmp_path):
    change_report(copied, input_fingerprint=input_fingerprint(item, whole=True).record())
    copy = shutil.copyfile(clip_file, tmp_path / "copy.mp4")
    assert is_done(copied, pipeline, list_inputs([copy])[0], overlay=True, whole_hash=True)


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


def done_by(copied, item, overrides):
    """Another job whose results are told to be those in ``copied``: settings, and files as they are now."""
    other = Pipeline.from_config("offline_annotation", overrides)
    change_report(copied, config_sha256=other.header()["config_sha256"], files=named_files(other.config))
    assert is_done(copied, other, item, overlay=True)
    return other


ONE = b"name: mine\nobjects: [person, cup]\nverbs: [hold, polish]\ninteractions: {cup: [hold]}\n"
ANOTHER = ONE.replace(b"[hold]}", b"[polish]}")
NAMES = {
    "detector": ("mine.onnx", "detect.detector={}", "onnx:"),
    "weights": ("w.safetensors", "model.weights={}", ""),
    "clip_weights": ("clip.pt", "model.clip_weights={}", ""),
    "words": ("words.yaml", "model.words={}", ""),
}


@pytest.mark.parametrize("role", NAMES)
def test_another_file_under_the_same_name_is_another_job(copied, item, tmp_path, role):
    """Also where other files of the run stayed the same."""
    files = {key: tmp_path / name for key, (name, _, _) in NAMES.items()}
    overrides = ["model.name=gen_vlkt"]
    for key, (_, setting, prefix) in NAMES.items():
        files[key].write_bytes(ONE)
        if key != "detector" or role == "detector":
            overrides.append(setting.format(json.dumps(f"{prefix}{files[key]}")))
    if role == "detector":
        overrides[0] = "model.name=clip_prior"
    other = done_by(copied, item, overrides)
    files[role].write_bytes(ANOTHER)
    assert not is_done(copied, other, item, overlay=True)


def test_another_detr_for_a_method_that_brings_its_own_is_another_job(copied, item, tmp_path):
    (tmp_path / "detr.pth").write_bytes(b"one")
    detector = json.dumps(f"detr:{tmp_path / 'detr.pth'}")
    other = done_by(copied, item, ["model.name=upt", f"detect.detector={detector}"])
    (tmp_path / "detr.pth").write_bytes(b"another")
    assert not is_done(copied, other, item, overlay=True)


def test_sections_of_the_user_s_own_classes_name_no_files(tmp_path):
    """A pipeline of the user's own may mean something else by ``detector``; the shipped defaults stand for it."""

    class Model:
        name, weights, clip_weights, words = "mine", str(tmp_path / "gone"), str(tmp_path), None

    class Own:
        model = Model()

    assert named_files(Own()).keys() == {"detector", "calibration"}


@pytest.mark.parametrize("name", ["calibration.yaml", "clip_prior.yaml"])
def test_shipped_settings_that_a_user_edited_are_another_job(copied, item, tmp_path, monkeypatch, name):
    shutil.copytree(bundled_folder("configs"), tmp_path / "configs")
    monkeypatch.setattr("videohoi.pipeline.named_files.bundled_folder", lambda kind: tmp_path / kind)
    other = done_by(copied, item, ["model.name=clip_prior"])
    with (tmp_path / "configs" / "models" / name).open("a", encoding="utf-8") as file:
        file.write("# edited\n")
    assert not is_done(copied, other, item, overlay=True)


def test_results_of_other_shipped_weights_are_made_again(copied, pipeline, item):
    change_report(copied, files={"detector": "0" * 64})
    assert not is_done(copied, pipeline, item, overlay=True)
