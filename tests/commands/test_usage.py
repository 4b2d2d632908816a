"""Help teaches, and costs nothing."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

HEAVY = {"numpy", "cv2", "av", "numba", "onnxruntime", "scipy", "torch", "yaml"}
"""pydantic is not among them: newer releases of typer import it themselves"""


def plain(text: str) -> str:
    """Without the frame around a help page, as one line."""
    return " ".join(re.sub(r"[^\x20-\x7e]", " ", text).split())


def test_help_loads_nothing_heavy():
    script = (
        "import sys\nfrom videohoi.cli import main\n"
        "code = main(['annotate', '--help'])\n"
        "sys.stderr.write(' '.join(sys.modules))\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "videohoi annotate clip.mp4" in done.stdout
    assert not HEAVY & set(done.stderr.split())


@pytest.mark.parametrize(
    ("command", "example"),
    [
        ([], "videohoi demo"),
        (["annotate"], "videohoi annotate videos/ --out run1/ --resume"),
        (["demo"], "videohoi demo --out my-demo/"),
        (["models", "pull"], "videohoi models pull yolox_nano"),
        (["eval", "segments"], "videohoi eval segments run1/ truth/"),
    ],
)
def test_every_help_page_has_an_example(videohoi, command, example):
    outcome = videohoi(*command, "--help")
    assert outcome.code == 0
    assert example in plain(outcome.out)


def test_annotate_help_names_the_exit_codes_and_the_files(videohoi):
    text = plain(videohoi("annotate", "--help").out)
    assert "Exit code: 0 done; 1 an input or output failed, or interrupted; 2 wrong usage; 3 some" in text
    for name in ("segments.csv", "tracks.csv", "pairs.csv", "events.jsonl", "frames.jsonl", "overlay.mp4"):
        assert name in text


def test_a_bare_command_shows_what_there_is(videohoi):
    outcome = videohoi()
    assert outcome.err == ""
    for command in ("annotate", "demo", "doctor", "videohoi --help"):
        assert command in outcome.out


def test_the_version_is_one_line(videohoi):
    from videohoi import __version__

    outcome = videohoi("--version")
    assert (outcome.code, outcome.out) == (0, f"videohoi {__version__}\n")


def test_the_package_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "videohoi", "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"videohoi \d+\.\d+\.\d+\n", done.stdout)
    wrong = subprocess.run([sys.executable, "-m", "videohoi", "anotate"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "anotate" in wrong.stderr
