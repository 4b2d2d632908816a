"""Users' type checkers see the types of the installed package, not ``Any``."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
from pathlib import Path

import numpy as np

import videohoi

with videohoi.Pipeline.from_config("offline_annotation", ["detect.workers=1"]) as pipeline:
    for result in pipeline.run(Path("clip.mp4"), frame_rate_hz=10):
        reveal_type(result)
        reveal_type(result.plot())
        reveal_type(result.names)
        for event in result.events:
            reveal_type(event.begin_seconds)

reveal_type(videohoi.detect(np.zeros((8, 8, 3), np.uint8)))
reveal_type(videohoi.annotate("clip.mp4").segments)
reveal_type(videohoi.open_source("clip.mp4").open())
reveal_type(videohoi.hico_det().objects)
"""
REVEALED = (
    "videohoi.structures.stream_item.FrameResult",
    "numpy.ndarray[tuple[Any, ...], numpy.dtype[numpy.unsignedinteger[numpy._typing._nbit_base._8Bit]]]",
    "dict[int, str]",
    "float",
    "videohoi.structures.stream_item.FrameResult",
    "tuple[videohoi.structures.events.Segment, ...]",
    "videohoi.structures.frame.SourceInfo",
    "tuple[str, ...]",
)
WRONG = """
import videohoi

videohoi.detect("photo.jpg").detectoins
videohoi.annotate(3)
videohoi.Pipeline.from_config(overrides="detect.workers=1").report().frame_out
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The Python of an environment into which the built wheel was unpacked, beside this one's other packages."""
    pytest.importorskip("hatchling", reason="the dev extra (hatchling) is not installed")
    pytest.importorskip("mypy", reason="the dev extra (mypy) is not installed")
    folder = tmp_path_factory.mktemp("typed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    (site,) = (folder / "venv").glob("[Ll]ib/**/site-packages")
    zipfile.ZipFile(wheel).extractall(site)
    (site / "others.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"


def checked(installed, tmp_path, program):
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(installed)]
    command += ["--cache-dir", str(installed.parents[2] / "mypy")]  # the second program is checked much faster
    environment = {"PATH": "", "HOME": str(tmp_path)}
    return subprocess.run(
        [*command, "program.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_a_users_program_is_checked_against_the_installed_wheel(installed, tmp_path):
    done = checked(installed, tmp_path, PROGRAM)
    assert done.returncode == 0, done.stdout
    notes = [line.split("Revealed type is ")[1].strip('"') for line in done.stdout.splitlines() if "Revealed" in line]
    assert notes == list(REVEALED)


@pytest.mark.slow
def test_a_wrong_program_is_refused(installed, tmp_path):
    done = checked(installed, tmp_path, WRONG)
    assert [line.split(":")[1] for line in done.stdout.splitlines() if ": error:" in line] == ["4", "5", "6"]
    assert '"FrameResult" has no attribute "detectoins"' in done.stdout
