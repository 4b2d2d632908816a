"""Compiled kernels without waiting: compiled beside the work, never longer than it, not at all without a place."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from videohoi.track import kernel_cache
from videohoi.track.kernel_cache import NO_PLACE, KernelLoader, are_compiled, cache_folder

ROOT = Path(__file__).resolve().parents[2]
TRACK = """
import numpy as np, sys
from videohoi.structures import Detections, SourceInfo
from videohoi.track.byte import ByteTracker
tracker = ByteTracker()
tracker.open(SourceInfo("x", 64, 48, 25.0, None, None))
rows = Detections(np.float32([[0, 0, 20, 40]]), np.float32([0.9]), np.int64([0]))
print([tracker.update(rows, index / 25).track_ids.tolist() for index in range(3)], tracker.notes)
print("numba" in sys.modules)
"""


def run(code, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA")}
    env = {**clean, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False, timeout=60
    )


def compilers():
    """Command lines of the compiler processes on this machine."""
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(entry.read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return [line for line in lines if "videohoi.track.kernel_cache" in line]


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")
def test_on_an_empty_cache_the_work_runs_on_numpy_and_its_compiler_ends_with_it(tmp_path):
    done = run(TRACK, NUMBA_CACHE_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    tracked, imported = done.stdout.splitlines()
    assert tracked.startswith("[[1], [1], [1]]")
    assert "not compiled on this machine yet" in tracked
    assert imported == "False", "numba is imported only for kernels that are there"
    until = time.monotonic() + 5
    while time.monotonic() < until and any(str(tmp_path) in line for line in compilers()):
        time.sleep(0.05)
    assert done.stderr == ""


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root to become another user")
def test_without_a_place_for_the_cache_it_runs_and_says_what_to_do():
    """As another user, with a home that cannot be written to: a container's usual case."""
    imports, work = TRACK.split("tracker = ", 1)
    code = f"{imports}import os\nos.setgid(65534); os.setuid(65534)\ntracker = {work}"
    done = run(code, HOME="/proc/nowhere", XDG_CACHE_HOME="/proc/nowhere")
    assert done.returncode == 0, done.stderr
    assert "[[1], [1], [1]]" in done.stdout
    assert "set NUMBA_CACHE_DIR to a folder that can be written to" in done.stdout
    assert done.stderr == ""


def test_kernels_compile_also_where_nothing_can_be_kept(monkeypatch):
    from numba.core.caching import FunctionCache

    from videohoi.geometry.compiled_kernels import vectorised

    def refuse(self, *_arguments):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(FunctionCache, "__init__", refuse)

    @vectorised
    def doubled(value):
        return 2.0 * value

    assert doubled(1.5) == 3.0


def test_the_advice_is_given_only_where_there_is_no_place(monkeypatch, tmp_path):
    monkeypatch.setattr(kernel_cache, "start_compiler", lambda: None)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "new"))
    assert cache_folder() == tmp_path / "new"
    assert not are_compiled()
    loader = KernelLoader()
    loader.open()
    assert not loader.ready
    assert loader.advice is None
    monkeypatch.setattr(kernel_cache, "_can_write", lambda folder: False)
    loader = KernelLoader()
    loader.open()
    assert cache_folder() is None
    assert loader.advice == NO_PLACE


@pytest.mark.slow
def test_what_was_compiled_is_loaded_by_the_next_process(tmp_path):
    compiled = run(
        "from videohoi.track.kernel_cache import compile_now; print(compile_now())", NUMBA_CACHE_DIR=str(tmp_path)
    )
    assert compiled.stdout == "True\n", compiled.stderr
    done = run(
        TRACK.replace("tracker.open(", "tracker._kernels.open(60.0); tracker.open("), NUMBA_CACHE_DIR=str(tmp_path)
    )
    assert done.stdout.splitlines() == ["[[1], [1], [1]] ()", "True"], done.stderr


def test_other_sources_are_another_machine_code(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    before = kernel_cache._marker()
    monkeypatch.setattr(kernel_cache, "_processor", lambda: "another processor")
    assert kernel_cache._marker() != before
