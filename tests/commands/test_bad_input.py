"""What is wrong is said in one line; nothing half-made is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from quick_settings import QUICK


def write_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        stream.layout = "mono"
        for index in range(4):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, index * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.fixture
def here(clip: Path) -> set[str]:
    """One of each bad input beside a good one; gives the names."""
    Path("folder").mkdir()
    Path("empty.mp4").touch()
    Path("text.mp4").write_text("not a video\n" * 20, encoding="utf-8")
    Path("headless.mp4").write_bytes(clip.read_bytes()[:500])
    Path("bad.onnx").write_bytes(b"garbage")
    write_sound(Path("sound.mp4"))
    return {path.name for path in Path().iterdir()}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["missing.mp4"], 1, "missing.mp4: there is no such file"),
        (["folder"], 1, "folder: the folder holds no videos"),
        (["*.avi"], 1, "matches nothing"),
        (["empty.mp4"], 1, "empty.mp4: the file is empty"),
        (["text.mp4"], 1, "text.mp4: not readable as video"),
        (["sound.mp4"], 1, "sound.mp4: it holds no video stream"),
        (["headless.mp4"], 1, "headless.mp4: not readable as video"),
        (["text.mp4", "--out", "a/b/c"], 1, "not readable as video"),
        (["clip.mp4", "--out", "text.mp4/sub"], 1, "a part of its path is a file"),
        (["clip.mp4", "--detector", "yolo9000"], 2, "unknown detector 'yolo9000'"),
        (["clip.mp4", "text.mp4", "--detector", "yolo9000"], 2, "unknown detector 'yolo9000'"),
        (["clip.mp4", "--detector", "onnx:bad.onnx"], 1, "bad.onnx: not an ONNX model"),
        (["clip.mp4", "text.mp4", "--detector", "onnx:bad.onnx"], 1, "bad.onnx: not an ONNX model"),
        (["clip.mp4", "--detector", "onnx:gone.onnx"], 1, "gone.onnx: cannot be read"),
        (["clip.mp4", "--config", "x"], 2, "unknown pipeline configuration 'x'"),
        (["clip.mp4", "--config", "x.yaml"], 2, "x.yaml: cannot be read"),
        (["clip.mp4", "--set", "smooth.foo=1"], 2, "unknown key smooth.foo"),
        (["clip.mp4", "--set", "smooth.tau_seconds=[1"], 2, "not valid YAML"),
        (["clip.mp4", "--set", "overlay.crf=99"], 2, "overlay.crf=99: expected a number from 0 to 51"),
        (
            ["clip.mp4", "--set", "detect.engine=fast"],
            2,
            "detect.engine='fast': expected one of auto, onnx",
        ),
        (["clip.mp4", "--set", "track.low_score=0.9"], 2, "low_score <= high_score"),
        (["rtsp://localhost/cam"], 2, "annotate is for recorded video"),
        (["gopher://x"], 2, "unknown scheme gopher://"),
        (["--foo", "clip.mp4"], 2, "No such option: --foo"),
        (["clip.mp4", "--detector"], 2, "requires an argument"),
        ([], 2, "Missing argument 'INPUT...'; see: videohoi annotate --help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_annotate_says_what_is_wrong_in_one_line_and_leaves_nothing(videohoi, here, arguments, code, message):
    outcome = videohoi("annotate", *arguments)
    assert message in outcome.complaint()
    assert outcome.code == code
    assert outcome.out == ""
    assert {path.name for path in Path().iterdir()} == here
    assert not list(Path("folder").iterdir())


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["eval", "segments", ".", ".", "--tiou", "0.4"], 2, "--tiou 0.4: expected one of 0.3, 0.5"),
        (["eval", "segments", ".", ".", "--threshold", "2"], 2, "'--threshold'"),
        (
            ["eval", "segments", ".", ".", "--choose-by", "luck"],
            2,
            "--choose-by luck: expected one of strict, agnostic",
        ),
        (["eval", "segments", "gone", "gone.json"], 1, "gone.json: cannot be read"),
        (["eval", "segments", "."], 2, "Missing argument 'TRUTH'"),
        (["models", "pull", "yolox_nanoo"], 2, "did you mean yolox_nano?"),
        (["models", "pull"], 2, "Missing argument 'NAME'"),
        (["anotate"], 2, "No such command 'anotate'"),
        (["demo", "--out", "text.mp4"], 1, "text.mp4: a part of its path is a file"),
        (["demo", "--detector", "yolo9000", "--out", "d"], 2, "unknown detector"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_the_other_commands_too(videohoi, here, arguments, code, message):
    outcome = videohoi(*arguments)
    assert message in outcome.complaint()
    assert outcome.code == code


def test_good_inputs_are_done_though_others_fail(videohoi, here):
    outcome = videohoi("annotate", "text.mp4", "clip.mp4", "missing.mp4", "--out", "run", *QUICK)
    assert outcome.code == 3
    assert [line.split(": ")[1] for line in outcome.err.splitlines()] == ["missing.mp4", "text.mp4"]
    assert "2 of 3 inputs failed" in outcome.out
    assert {path.name for path in Path("run").iterdir()} == {"clip.videohoi"}


def test_when_all_of_several_fail_the_first_ones_code_counts(videohoi, here):
    outcome = videohoi("annotate", "text.mp4", "empty.mp4", "--out", "run")
    assert outcome.code == 1
    assert len(outcome.err.splitlines()) == 2
    assert not Path("run").exists()


def test_two_runs_with_inputs_of_one_stem_keep_both_results(videohoi, clip):
    Path("clip.mkv").write_bytes(clip.read_bytes())
    assert videohoi("annotate", "clip.mp4", "--no-overlay", "--out", "run").code == 0
    first = Path("run/clip.videohoi/report.json").read_text(encoding="utf-8")
    outcome = videohoi("annotate", "clip.mkv", "--no-overlay", "--out", "run")
    assert outcome.code == 0
    assert "clip.videohoi holds the results of clip.mp4; those of clip.mkv go to" in outcome.err
    assert Path("run/clip.videohoi/report.json").read_text(encoding="utf-8") == first
    assert '"input": "clip.mkv"' in Path("run/clip.mkv.videohoi/report.json").read_text(encoding="utf-8")
    assert videohoi("annotate", "clip.mp4", "--no-overlay", "--out", "run").err == ""
    assert {path.name for path in Path("run").iterdir()} == {"clip.videohoi", "clip.mkv.videohoi"}


def test_inputs_of_one_name_keep_their_results_apart(videohoi, clip):
    """By suffix beside each other, by folder under one --out; who shares no name keeps the short one."""
    for name in ("clip.mkv", "other.mp4", "a/clip.mp4"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(clip.read_bytes())
    assert videohoi("annotate", "clip.mp4", "clip.mkv", "other.mp4", "--no-overlay").code == 0
    assert {path.name for path in Path().glob("*.videohoi")} == {
        "clip.mp4.videohoi", "clip.mkv.videohoi", "other.videohoi",
    }  # fmt: skip
    assert videohoi("annotate", "clip.mp4", "a/clip.mp4", "--no-overlay", "--out", "run").code == 0
    assert {path.name for path in Path("run").iterdir()} == {
        f"{Path.cwd().name}_clip.mp4.videohoi",
        "a_clip.mp4.videohoi",
    }


def test_a_pattern_does_not_take_the_overlays_of_earlier_runs_for_inputs(videohoi, clip):
    Path("clip.videohoi").mkdir()
    Path("clip.videohoi/overlay.mp4").write_bytes(clip.read_bytes())
    outcome = videohoi("annotate", "**/clip.mp4", "*/*.mp4", "--no-overlay")
    assert outcome.code == 0
    assert "left out 1 result of earlier runs, such as clip.videohoi/overlay.mp4" in outcome.err
    assert not Path("clip.videohoi/overlay.videohoi").exists()


def test_a_folder_of_images_whose_name_is_a_number_is_no_camera(videohoi, here):
    Path("0001").mkdir()
    for number, width in enumerate((64, 64, 48)):  # the last of another size
        cv2.imwrite(f"0001/{number}.png", np.full((48, width, 3), 90, np.uint8))
    outcome = videohoi("annotate", "0001", "--no-overlay", "--set", "decode.frame_rate_hz=10")
    assert outcome.code == 0
    assert "assumed" not in outcome.out
    report = json.loads(Path("0001.videohoi/report.json").read_text(encoding="utf-8"))
    assert report["source_info"]["frame_rate_hz"] == 10
    assert report["run"]["frames_out"] == 3
    assert "the picture changes to 48x48 at 0.20 s" in " ".join(report["decode"]["notes"])


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("decode.frame_rate_hz=0", "expected a number above 0"),
        ("decode.backend=ffmpeg", "expected one of pyav, decord"),
        ("decode.threads=0", "expected a number from 1 to 1024"),
    ],
)
def test_settings_of_decoding_are_checked(videohoi, clip, setting, said):
    outcome = videohoi("annotate", "clip.mp4", "--set", setting)
    assert outcome.code == 2
    assert said in outcome.complaint()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have names of text only")
@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_names_that_the_terminal_cannot_show_are_escaped(made_clip, tmp_path, encoding):
    video = b"caf\xe9.mp4"
    (tmp_path / os.fsdecode(video)).write_bytes(made_clip.read_bytes())
    environment = {**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"}
    command = [sys.executable, "-m", "videohoi.cli", "annotate", video, "--no-overlay", *QUICK]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "caf\\udce9.mp4: 20 frames" in done.stdout
