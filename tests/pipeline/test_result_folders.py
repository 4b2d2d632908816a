"""Results of one input never replace those of another, and only what would come out the same again is skipped."""

from __future__ import annotations

import json
import shutil

import pytest

from videohoi.decode.inputs import InputItem, list_inputs
from videohoi.decode.registry import VIDEO
from videohoi.errors import SinkError
from videohoi.pipeline.bundled import bundled_folder
from videohoi.pipeline.fingerprints import input_fingerprint, named_files
from videohoi.pipeline.pipeline import Pipeline
from videohoi.pipeline.result_folders import is_done, plan_jobs


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
    monkeypatch.setattr("videohoi.pipeline.fingerprints.bundled_folder", lambda kind: tmp_path / kind)
    other = done_by(copied, item, ["model.name=clip_prior"])
    with (tmp_path / "configs" / "models" / name).open("a", encoding="utf-8") as file:
        file.write("# edited\n")
    assert not is_done(copied, other, item, overlay=True)


def test_results_of_other_shipped_weights_are_made_again(copied, pipeline, item):
    change_report(copied, files={"detector": "0" * 64})
    assert not is_done(copied, pipeline, item, overlay=True)


def report_in(folder, path, **changes):
    """A folder that holds the results of a file."""
    folder.mkdir(parents=True)
    record = {"input": str(path), "input_path": str(path.resolve()), **changes}
    (folder / "report.json").write_text(json.dumps(record), encoding="utf-8")


def files(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return [folder / name for name in names]


def folders(paths, out):
    return [job.folder.name for job in plan_jobs([InputItem(path, VIDEO) for path in paths], out)]


def test_a_later_run_over_another_file_of_the_stem_gets_a_longer_name_and_says_so(tmp_path):
    stream, pictures = files(tmp_path, "r10.h264", "r10.mjpeg")
    report_in(tmp_path / "run" / "r10.videohoi", stream)
    (job,) = plan_jobs([InputItem(pictures, VIDEO)], tmp_path / "run")
    assert job.folder.name == "r10.mjpeg.videohoi"
    assert "r10.videohoi holds the results of" in job.note
    assert "r10.h264; those of" in job.note
    assert folders([stream], tmp_path / "run") == ["r10.videohoi"]
    report_in(job.folder, pictures)
    assert folders([stream, pictures], tmp_path / "run") == ["r10.videohoi", "r10.mjpeg.videohoi"]


def test_files_of_one_name_in_two_folders_do_not_meet_in_one_out(tmp_path):
    first, second, third = files(tmp_path, "a/clip.mp4", "b/clip.mp4", "c/clip.mp4")
    out = tmp_path / "run"
    for path in (first, second, third):
        (job,) = plan_jobs([InputItem(path, VIDEO)], out)
        report_in(job.folder, path)
    assert sorted(path.name for path in out.iterdir()) == [
        "c_clip.mp4.videohoi", "clip.mp4.videohoi", "clip.videohoi",
    ]  # fmt: skip
    (fourth,) = files(tmp_path, "d/c/clip.mp4")
    with pytest.raises(SinkError, match=r"clip\.videohoi: holds the results of .*; choose another"):
        folders([fourth], out)


def test_a_file_that_changed_or_was_moved_keeps_its_folder(tmp_path):
    (path,) = files(tmp_path, "a/clip.mp4")
    item = InputItem(path, VIDEO)
    report_in(tmp_path / "run" / "clip.videohoi", path, input_fingerprint=input_fingerprint(item).record())
    moved = tmp_path / "b" / "clip.mp4"
    moved.parent.mkdir()
    path.rename(moved)
    assert folders([moved], tmp_path / "run") == ["clip.videohoi"]
    files(tmp_path, "a/clip.mp4")
    assert folders([moved], tmp_path / "run") == ["clip.mp4.videohoi"]  # the file of the results is back
    path.write_bytes(b"another cut")
    assert folders([path], tmp_path / "run") == ["clip.videohoi"]


def test_copies_of_one_file_keep_apart_when_the_original_is_gone(tmp_path):
    (path,) = files(tmp_path, "gone/clip.mp4")
    report_in(
        tmp_path / "run" / "clip.videohoi", path, input_fingerprint=input_fingerprint(InputItem(path, VIDEO)).record()
    )
    copies = [tmp_path / name / "clip.mp4" for name in ("a", "b")]
    for copy in copies:
        copy.parent.mkdir()
        shutil.copy2(path, copy)
    path.unlink()
    assert folders(copies, tmp_path / "run") == ["clip.videohoi", "b_clip.mp4.videohoi"]
