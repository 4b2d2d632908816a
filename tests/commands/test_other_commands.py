"""``demo``, ``eval segments``, ``models`` and ``doctor``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from videohoi.commands import demo as demo_module
from videohoi.demo.compose import compose_demo, write_demo
from videohoi.models.registry import CACHE_VARIABLE, CATALOGUE


@pytest.fixture
def short_demo(monkeypatch, tmp_path):
    """The demo, but with a clip that is quick to draw."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo_module, "write_demo", lambda path: write_demo(path, compose_demo(4.0, 5.0, height_px=240)))


def test_demo_makes_a_clip_annotates_it_and_says_where_to_look(videohoi, short_demo):
    outcome = videohoi("demo", "--out", "d")
    assert outcome.code == 0
    for name in ("demo.mp4", "demo.json", "demo.videohoi/overlay.mp4", "demo.videohoi/segments.csv"):
        assert (Path("d") / name).is_file()
    assert "Truth of this clip: hold cup 1.20 - 2.80 s." in outcome.out
    assert "Watch d/demo.videohoi/overlay.mp4" in outcome.out
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("Score it: ")]
    score = videohoi(*line.removeprefix("Score it: videohoi ").split(), "--json", "scores.json")
    assert score.code == 0, "the command it offers works"
    assert "always-on" in score.out
    scores = json.loads(Path("scores.json").read_text(encoding="utf-8"))
    assert {"scores", "always_on"} <= set(scores)


def test_a_quiet_demo_is_quiet(videohoi, short_demo):
    outcome = videohoi("demo", "--out", "d", "-q")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


def test_models_lists_the_starter_and_what_can_be_pulled(videohoi, monkeypatch, tmp_path):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    (tmp_path / "yolox_tiny.onnx").write_bytes(b"here")
    outcome = videohoi("models")
    assert outcome.code == 0
    lines = {line.split()[1]: line for line in outcome.out.splitlines() if len(line.split()) > 8}
    assert "Apache-2.0" in lines["starter"]
    assert set(CATALOGUE) <= set(lines)
    assert "--detector yolox_tiny" in lines["yolox_tiny"]
    assert "videohoi models pull" in lines["yolox_nano"]


def test_doctor_names_what_is_required_and_its_code_says_whether_all_is_well(videohoi):
    outcome = videohoi("doctor")
    for part in ("numpy", "onnxruntime", "av"):
        assert part in outcome.out
    assert outcome.code == 0, outcome.out


def test_a_thread_that_another_package_left_does_not_keep_the_command_from_ending():
    """OpenVINO's import leaves an idle pool, whose worker ends only at the interpreter's exit."""
    program = (
        "import sys, concurrent.futures as f; pool = f.ThreadPoolExecutor(); pool.submit(int).result();"
        "from videohoi.cli import main; sys.exit(main(['--version']))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
