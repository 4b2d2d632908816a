"""Where nothing can be written any more, it is said in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from quick_settings import QUICK

resource = pytest.importorskip("resource", reason="limits of a process exist on POSIX only")
TIGHT_BYTES = 2000
"""the header of frames.jsonl fits, a video does not"""


def tighten() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (TIGHT_BYTES, TIGHT_BYTES))


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "videohoi.cli", *arguments]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, timeout=120, **options)


def test_a_full_disk_is_one_line_and_leaves_nothing(clip):
    assert run("annotate", "clip.mp4", "--out", "warm", "-q", *QUICK).returncode == 0  # fills numba's cache, too
    done = run("annotate", "clip.mp4", "--out", "run", *QUICK, preexec_fn=tighten)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("videohoi: cannot write run/clip.videohoi/")
    assert not Path("run").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_standard_output_that_takes_nothing_is_one_line():
    with Path("/dev/full").open("w") as full:
        done = run("--version", stdout=full)
    assert (done.returncode, done.stderr) == (1, "videohoi: standard output: No space left on device\n")
