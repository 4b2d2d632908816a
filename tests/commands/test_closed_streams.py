"""Standard streams that the caller closed: the work is done all the same, and no file takes their place."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from quick_settings import QUICK

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="closes streams as a Unix shell does")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_run_with_closed_streams_is_complete(tmp_path, closed):
    words = " ".join(f"'{word}'" for word in QUICK)
    line = f"'{sys.executable}' -m videohoi.cli annotate 'test://64x48?frames=6&rate=10' --out run {words} {closed}"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    (report,) = tmp_path.glob("run/*/report.json")
    assert json.loads(report.read_text(encoding="utf-8"))["complete"]


def test_without_a_command_the_program_greets_with_the_three_that_matter(capsys):
    from videohoi.cli import main

    assert main([]) == 0
    out = capsys.readouterr().out
    for command in ("videohoi demo", "videohoi annotate clip.mp4", "videohoi doctor"):
        assert command in out
    assert len(out.splitlines()) < 12
