"""Ctrl-C in a process of its own, at each moment of a run: it ends, and every finished record is in the file."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals differ on Windows")

LIMIT_SECONDS = 60
ENDLESS, SHORT = 10**6, 40


def press(tmp_path, moment, presses, how="run", hangs=False):
    """What the process said at its end, the records in its file and whether these are marked as all."""
    path, count = tmp_path / "records.jsonl", SHORT if moment in ("drain", "close") else ENDLESS
    script = [str(Path(__file__).with_name("sigint_script.py")), str(path), moment]
    command = [sys.executable, *script, str(LIMIT_SECONDS if hangs else 0.3), how, str(count)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() == moment
    for _ in range(presses):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)  # two at the very same time would be one
    out, _ = process.communicate(timeout=LIMIT_SECONDS - 10)
    assert process.returncode == 0
    records = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    return json.loads(out), records


@pytest.mark.parametrize(
    ("moment", "presses", "how"),
    [*((moment, 1, "run") for moment in ("open", "process", "drain", "close")), ("process", 2, "run"),
     ("process", 1, "iterate")],
)  # fmt: skip
def test_ctrl_c_at(moment, presses, how, tmp_path):
    said, records = press(tmp_path, moment, presses, how)
    assert (said["raised"], said["threads"], said["notes"]) == ("KeyboardInterrupt", [], [])
    if moment == "open":
        assert records == []
        return
    *numbers, end = records
    assert numbers == list(range(len(numbers)))
    assert end == {"complete": said["complete"]}
    if presses == 1 or moment in ("drain", "close"):
        assert len(numbers) == said["in"]  # what was read is in the file
    assert len(numbers) >= 20


@pytest.mark.parametrize("moment", ["open", "process", "close"])
def test_ctrl_c_twice_ends_what_hangs(moment, tmp_path):
    """The part that hangs is named; it cannot be ended, so its thread is left."""
    said, _ = press(tmp_path, moment, 2, hangs=True)
    assert (said["raised"], len(said["threads"]), len(said["notes"])) == ("KeyboardInterrupt", 1, 1)
    assert "did not return" in said["notes"][0] or "did not close in time" in said["notes"][0]
    assert said["notes"][0].startswith("'file'" if moment == "close" else "'model'")
    assert said["complete"] is False
