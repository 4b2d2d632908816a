"""Every example runs as its page says, without arguments, and says something sensible."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/main.py"))
SAYS = {
    "annotate_folder": r"AnnotatedVideo\('clip1\.mp4': 62 frames",
    "python_api": r"FrameResult\('demo\.mp4'",
    "custom_detector": r"person 1 hold cup 2, \d",
    "custom_sink": r"^WEBVTT",
    "two_cameras": r"right\.mp4: \d+ frames in, \d+ out",
}


@pytest.mark.slow
@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_an_example_runs(folder, tmp_path):
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, str(folder / "main.py")], cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths},
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(SAYS[folder.name], done.stdout, re.MULTILINE), done.stdout + done.stderr


def test_each_example_has_a_page_and_a_row_in_the_table():
    table = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert len(EXAMPLES) >= 5
    for folder in EXAMPLES:
        assert "python main.py" in (folder / "README.md").read_text(encoding="utf-8")
        assert f"[{folder.name}]({folder.name})" in table
