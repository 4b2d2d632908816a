"""One input in, a folder of results out, or nothing at all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
from pathlib import Path

import av
import jsonschema
import pytest
from short_clip import FRAME_COUNT

from videohoi import __version__
from videohoi.decode.inputs import list_inputs
from videohoi.detect.starter import starter_weights
from videohoi.errors import DecodeError, ModelError, SinkError
from videohoi.pipeline import annotate as module
from videohoi.pipeline.annotate import OUTPUT_FILES, annotate
from videohoi.pipeline.pipeline import Pipeline
from videohoi.pipeline.result_folders import output_folder
from videohoi.sink.records import record_schema

ENDLESS = "test://160x120?frames=100000&rate=10"


def records(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def frames_in(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def interrupt_at(frame: int):
    """A progress callback that presses Ctrl-C when ``frame`` frames are done."""

    def progress(done: int, _total: int | None) -> None:
        if done == frame:
            os.kill(os.getpid(), signal.SIGINT)

    return progress


def test_all_outputs_are_there_and_tell_of_every_frame(finished):
    assert {path.name for path in finished.folder.iterdir()} == set(OUTPUT_FILES)
    assert finished.run.complete
    assert not finished.interrupted
    header, *frames, end = records(finished.folder / "frames.jsonl")
    assert [record["frame_index"] for record in frames] == list(range(FRAME_COUNT))
    assert header["source"]["frame_count"] == FRAME_COUNT
    assert end["complete"] is True
    assert frames_in(finished.folder / "overlay.mp4") == FRAME_COUNT


@pytest.mark.parametrize("name", ["events.jsonl", "frames.jsonl"])
def test_records_satisfy_the_schema(finished, name):
    validator = jsonschema.Draft202012Validator(record_schema())
    for record in records(finished.folder / name):
        validator.validate(record)


def test_the_report_says_what_ran_on_what(finished, pipeline, clip_file):
    report = json.loads((finished.folder / "report.json").read_text(encoding="utf-8"))
    assert report["source"] == "small.mp4"
    assert report["source_info"]["width_px"] == 320
    assert report["input"] == str(clip_file)
    assert report["input_fingerprint"]["method"] == "sampled"
    assert report["input_fingerprint"]["whole_sha256"] is None
    assert report["detector"]["name"] == "starter"
    assert report["detector"]["engine"] == "onnxruntime"
    assert report["detector"]["weights_sha256"] == hashlib.sha256(starter_weights()).hexdigest()
    assert "--detector" in report["detector"]["note"]
    assert report["head"]["verb_count"] == len(pipeline.vocabulary.verbs)
    assert len(report["head"]["weights_sha256"]) == 64
    assert report["truncated_pairs"] == 0
    assert report["policy"] == report["run"]["policy"] == "lossless"
    assert report["config"]["detect"]["threads"] == 1
    assert report["decode"]["frames"] == report["run"]["frames_out"] == FRAME_COUNT
    assert report["machine"]["videohoi"] == __version__
    assert report["complete"] is True
    assert report["interrupted"] is False
    assert sorted(report["outputs"]) == sorted(OUTPUT_FILES)


def test_the_same_input_gives_the_same_bytes(finished, pipeline, item, tmp_path):
    again = annotate(pipeline, item, tmp_path / "again")
    for name in OUTPUT_FILES[:-1]:
        assert (again.folder / name).read_bytes() == (finished.folder / name).read_bytes(), name


def test_progress_counts_to_the_number_of_frames_expected(pipeline, item, tmp_path):
    told = []
    annotate(pipeline, item, tmp_path / "o", overlay=False, progress=lambda done, total: told.append((done, total)))
    assert told == [(done, FRAME_COUNT) for done in range(FRAME_COUNT + 1)]


def test_without_overlay_an_earlier_one_does_not_stay(pipeline, item, copied):
    annotate(pipeline, item, copied, overlay=False)
    assert not (copied / "overlay.mp4").exists()
    assert "overlay.mp4" not in json.loads((copied / "report.json").read_text(encoding="utf-8"))["outputs"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("empty.mp4", b"", "the file is empty"), ("text.mp4", b"hello\n" * 50, "not readable as video")],
)
def test_a_bad_input_leaves_no_folder_that_was_not_there(pipeline, tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    bad = list_inputs([tmp_path / name])[0]
    with pytest.raises(DecodeError, match=message):
        annotate(pipeline, bad, tmp_path / "made" / "too" / "x.videohoi")
    assert {path.name for path in tmp_path.iterdir()} == {name}


def test_weights_that_cannot_be_loaded_leave_nothing(item, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"garbage")
    spec = json.dumps(f"onnx:{tmp_path / 'bad.onnx'}")
    with pytest.raises(ModelError, match=r"bad\.onnx"):
        annotate(Pipeline.from_config("offline_annotation", [f"detect.detector={spec}"]), item, tmp_path / "o")
    assert {path.name for path in tmp_path.iterdir()} == {"bad.onnx"}


def test_a_full_disk_leaves_nothing_new_and_everything_old(pipeline, item, tmp_path, copied):
    resource = pytest.importorskip("resource", reason="limits of a process exist on POSIX only")
    before = {path.name: path.read_bytes() for path in copied.iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))  # the header of frames.jsonl fits, the video does not
    try:
        for folder in (tmp_path / "new" / "x.videohoi", copied):
            with pytest.raises(SinkError, match="cannot write"):
                annotate(pipeline, item, folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "new").exists()
    assert {path.name: path.read_bytes() for path in copied.iterdir()} == before


@pytest.mark.parametrize("syncs", [0, 3, 6])
def test_a_disk_that_is_full_only_at_the_end_leaves_nothing_half_written(pipeline, item, tmp_path, monkeypatch, syncs):
    """Each file is flushed to the disk before it gets its name: the first ``syncs`` of them succeed."""
    real, left = os.fsync, [syncs]

    def fsync(descriptor: int) -> None:
        if left[0] == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left[0] -= 1
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(SinkError, match="disk or quota is full"):
        annotate(pipeline, item, tmp_path / "made" / "x.videohoi")
    assert not (tmp_path / "made").exists()


def test_an_interrupt_keeps_what_was_processed_valid_and_says_so(pipeline, tmp_path):
    endless = list_inputs([ENDLESS])[0]
    result = annotate(pipeline, endless, tmp_path / "o", progress=interrupt_at(5))
    assert result.interrupted
    report = json.loads((tmp_path / "o" / "report.json").read_text(encoding="utf-8"))
    assert report["interrupted"] is True
    assert report["complete"] is False
    assert {path.name for path in (tmp_path / "o").iterdir()} == set(OUTPUT_FILES)
    _, *frames, end = records(tmp_path / "o" / "frames.jsonl")
    assert end["complete"] is False
    assert end["frames"] == len(frames) >= 5
    assert frames_in(tmp_path / "o" / "overlay.mp4") >= 1


def test_an_interrupt_before_the_first_frame_leaves_nothing(pipeline, item, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        annotate(pipeline, item, tmp_path / "made" / "o", progress=interrupt_at(0))
    assert not (tmp_path / "made").exists()


def test_an_interrupt_while_files_are_finished_waits_until_they_are(pipeline, item, tmp_path, monkeypatch):
    real = module.write_report

    def interrupted_write(path, record):
        os.kill(os.getpid(), signal.SIGINT)
        real(path, record)

    monkeypatch.setattr(module, "write_report", interrupted_write)
    result = annotate(pipeline, item, tmp_path / "o")
    assert result.interrupted
    assert {path.name for path in (tmp_path / "o").iterdir()} == set(OUTPUT_FILES)
    assert json.loads((tmp_path / "o" / "report.json").read_text(encoding="utf-8"))["complete"] is True


def test_a_cut_file_is_processed_up_to_the_cut(pipeline, clip_file, tmp_path):
    whole = clip_file.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) * 3 // 5])  # the index lies in front
    result = annotate(pipeline, list_inputs([tmp_path / "cut.mp4"])[0], tmp_path / "o")
    assert 0 < result.run.frames_out < FRAME_COUNT
    decode = json.loads((tmp_path / "o" / "report.json").read_text(encoding="utf-8"))["decode"]
    *_, last, _end = records(tmp_path / "o" / "frames.jsonl")
    assert decode["ended_early_seconds"] == last["pts_seconds"] < 3.8


def test_a_video_of_one_frame_works(pipeline, tmp_path):
    result = annotate(pipeline, list_inputs(["test://160x120?frames=1"])[0], tmp_path / "o")
    assert result.run.frames_out == 1
    assert frames_in(tmp_path / "o" / "overlay.mp4") == 1


def test_a_pipeline_of_the_users_own_needs_no_stage_with_facts(tmp_path, item):
    """A plain graph without detector, head or overlay settings still gives all files."""
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\n\n"
        "from videohoi.graph import FunctionNode, Graph\n"
        "from videohoi.pipeline.nodes import SinkNode\n"
        "from videohoi.structures import FrameResult\n\n\n"
        "@dataclass(frozen=True)\nclass Config:\n    size: int = 1\n\n\n"
        "def build(config, source, branches=(), header=None):\n"
        "    ends = [[SinkNode(sink, header or {}) for sink in branch] for branch in branches]\n"
        "    return Graph(source, [[FunctionNode('wrap', FrameResult)]], branches=ends)\n",
        encoding="utf-8",
    )
    (tmp_path / "mine.yaml").write_text("pipeline: mine.py\n", encoding="utf-8")
    result = annotate(Pipeline.from_config(tmp_path / "mine.yaml"), item, tmp_path / "o")
    assert result.facts == {}
    assert {path.name for path in (tmp_path / "o").iterdir()} == set(OUTPUT_FILES)


@pytest.mark.parametrize(
    ("spec", "out", "expected"),
    [
        ("v/clip.mp4", None, "v/clip.videohoi"),
        ("v/clip.mp4", "run", "run/clip.videohoi"),
        ("v/images.d", None, "v/images.videohoi"),
        ("test://8x8?frames=1", "run", "run/test___8x8_frames_1.videohoi"),
    ],
)
def test_where_results_go(tmp_path, monkeypatch, spec, out, expected):
    monkeypatch.chdir(tmp_path)
    Path("v/images.d").mkdir(parents=True)
    shutil.copy(Path(__file__), "v/clip.mp4")
    Path("v/images.d/1.png").write_bytes(b"\x89PNG")
    folder = output_folder(list_inputs([spec])[0], None if out is None else Path(out))
    assert folder == Path(expected)
