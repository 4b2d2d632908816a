"""Two runs on one result folder: the second is refused at its start, the first does not notice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from quick_settings import QUICK

from videohoi.folder_lock import LOCK_FILE, FolderLock

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals differ on Windows")
LIMIT_SECONDS = 120
LONG = "test://160x120?frames=100000&rate=10"


@pytest.fixture
def first(tmp_path):
    """A run that is under way in ``tmp_path / run``."""
    command = [sys.executable, "-m", "videohoi.cli", "annotate", LONG, "--out", "run", *QUICK]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + LIMIT_SECONDS
    while not list(tmp_path.glob("run/*/.overlay.mp4.partial")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield process
    process.kill()
    process.communicate()


def test_the_second_is_refused_and_the_first_keeps_its_work(first, tmp_path, monkeypatch, videohoi):
    monkeypatch.chdir(tmp_path)
    second = videohoi("annotate", LONG, "--out", "run", *QUICK)
    assert second.code == 1
    assert f"another run writes here (process {first.pid} on " in second.complaint()
    first.send_signal(signal.SIGINT)
    _, err = first.communicate(timeout=LIMIT_SECONDS)
    (folder,) = (tmp_path / "run").iterdir()
    assert err == f"videohoi: interrupted; what was processed is in run/{folder.name}\n"
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert set(report["outputs"]) == {path.name for path in folder.iterdir()}


def test_after_a_kill_the_next_run_works_and_nothing_of_the_first_stays(first, tmp_path, monkeypatch, videohoi):
    first.kill()
    first.wait()
    (folder,) = (tmp_path / "run").iterdir()
    assert (folder / LOCK_FILE).is_file()
    assert (folder / ".overlay.mp4.partial").is_file()
    images = tmp_path / "short"
    images.mkdir()
    for number in range(3):
        cv2.imwrite(str(images / f"{number}.png"), np.full((96, 128, 3), 50 * number, np.uint8))
    folder.rename(folder.with_name("short.videohoi"))
    monkeypatch.chdir(tmp_path)
    outcome = videohoi("annotate", "short", "--out", "run", "--no-overlay", *QUICK)
    assert (outcome.code, outcome.err) == (0, "")
    names = {path.name for path in folder.with_name("short.videohoi").iterdir()}
    assert names == {"segments.csv", "tracks.csv", "pairs.csv", "events.jsonl", "frames.jsonl", "report.json"}


def test_two_demos_in_one_folder(tmp_path, videohoi):
    with FolderLock(tmp_path):
        refused = videohoi("demo", "--out", tmp_path)
    assert refused.code == 1
    assert "another run writes here" in refused.complaint()
    assert list(tmp_path.iterdir()) == []
