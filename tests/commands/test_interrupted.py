"""Ctrl-C, or SIGTERM, at any time: one line, exit code 1, files closed or none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest
from quick_settings import QUICK

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals differ on Windows")

ENDLESS = "test://160x120?frames=1000000&rate=10"
LIMIT_SECONDS = 120

PRESSED_AT_IMPORT = """
import os, signal, sys

class Finger:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finger())
from videohoi.cli import main
sys.exit(main(["annotate", "test://160x120?frames=5", "--out", "run"]))
"""


@pytest.mark.parametrize("module", ["typer", "numpy", "onnxruntime"])
def test_while_it_starts(tmp_path, module):
    command = [sys.executable, "-c", PRESSED_AT_IMPORT, module]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "videohoi: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def start(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "videohoi.cli", "annotate", ENDLESS, "--out", "run", *QUICK]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def await_frames(process: subprocess.Popen[str], folder: Path, count: int) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        partial = list(folder.glob("run/*/.frames.jsonl.partial"))
        if partial and partial[0].read_bytes().count(b"\n") > count:
            return
        time.sleep(0.05)
    process.kill()
    pytest.fail(f"no frame was written: {process.communicate()}")


@pytest.mark.parametrize(("number", "presses"), [(signal.SIGINT, 1), (signal.SIGINT, 2), (signal.SIGTERM, 1)])
def test_while_it_runs(tmp_path, number, presses):
    process = start(tmp_path)
    await_frames(process, tmp_path, 3)
    for _ in range(presses):
        process.send_signal(number)
        time.sleep(0.1)  # two at the very same time would be one
    out, err = process.communicate(timeout=LIMIT_SECONDS)
    (folder,) = (tmp_path / "run").iterdir()
    assert process.returncode == 1
    assert err == f"videohoi: interrupted; what was processed is in run/{folder.name}\n"
    assert "results in" in out
    assert not [path for path in folder.iterdir() if path.name.startswith(".")], "no partial file stays"
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["interrupted"] is True
    assert report["complete"] is False
    *_, end = (folder / "frames.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(end)["complete"] is False
    with av.open(str(folder / "overlay.mp4")) as video:
        assert next(video.decode(video=0)).width == 640, "tiny pictures are enlarged"


def test_between_the_line_and_the_command_nothing_is_written(videohoi, clip, monkeypatch):
    """A KeyboardInterrupt that reaches ``main`` is one line as well."""
    from videohoi.commands import annotate as module

    def pressed(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(module, "list_inputs", pressed)
    outcome = videohoi("annotate", clip)
    assert (outcome.code, outcome.complaint()) == (1, "videohoi: interrupted")
    assert not Path("clip.videohoi").exists()
