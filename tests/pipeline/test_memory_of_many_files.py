"""Many files take no more memory than a few."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

RUN = """
import sys
from pathlib import Path
from videohoi.decode.inputs import list_inputs
from videohoi.pipeline.annotate import annotate
from videohoi.pipeline.pipeline import Pipeline

def resident_mib():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20

with Pipeline.from_config("offline_annotation") as pipeline:
    for number in range(int(sys.argv[2])):
        size = (64, 96, 128, 192)[number % 4]
        (item,) = list_inputs([f"test://{2 * size}x{size}?frames=4&rate=10"])
        annotate(pipeline, item, Path(sys.argv[1]) / f"{number}.videohoi")
        sys.stdout.write(f"{resident_mib()}\\n")
"""
FILES, SETTLED = 60, 20


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="reads the memory of the process from /proc")
def test_memory_does_not_grow_with_the_number_of_files(tmp_path):
    """Without kept engines it grows by 4 MiB a file, without trimming by 1."""
    command = [sys.executable, "-c", RUN, str(tmp_path), str(FILES)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    resident_mib = [float(line) for line in done.stdout.split()]
    assert len(resident_mib) == FILES
    slope = np.polyfit(range(SETTLED, FILES), resident_mib[SETTLED:], 1)[0]
    assert slope < 0.6, f"{slope:.2f} MiB a file"
