"""Every figure of the README is measured again by the command that the README names for it."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from videohoi.cli import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHARED = ROOT.parent / "shared"
FRAMES = 3 / 25
"""seconds that begin and end may differ on another processor, whose sums round otherwise: three frames of the demo"""
needs_clips = pytest.mark.skipif(not (SHARED / "clips").is_dir(), reason="no folder shared/clips beside the project")
needs_corpus = pytest.mark.skipif(not (SHARED / "corpus").is_dir(), reason="no folder shared/corpus beside the project")


def run(*words: object) -> None:
    assert main([str(word) for word in words]) == 0


@pytest.fixture(scope="module")
def demo_segments(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    folder = tmp_path_factory.mktemp("demo")
    run("demo", "--out", folder)
    with (folder / "demo.videohoi" / "segments.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def times(segments: list[dict[str, str]], verb: str) -> list[tuple[float, float]]:
    return [(float(row["begin_seconds"]), float(row["end_seconds"])) for row in segments if row["verb"] == verb]


def stated(pattern: str) -> list[tuple[float, ...]]:
    found = [tuple(map(float, match)) for match in re.findall(pattern, README)]
    assert found, f"the README no longer says {pattern}"
    return found


def test_the_first_line_and_the_caption_are_what_the_demo_says(demo_segments: list[dict[str, str]]) -> None:
    ((begin, end),) = times(demo_segments, "hold")
    (line,) = stated(r"\(person 1, hold, cup 2, ([\d.]+) s - ([\d.]+) s, p ([\d.]+)\)")
    (caption,) = stated(r"hold cup from ([\d.]+) to ([\d.]+) s")
    score = next(float(row["score"]) for row in demo_segments if row["verb"] == "hold")
    assert (*line[:2], *caption) == pytest.approx((begin, end) * 2, abs=FRAMES)
    assert line[2] == pytest.approx(score, abs=0.02)
    (alarms,) = stated(r"\"fill\", ([\d.]+) - ([\d.]+) s and ([\d.]+) - ([\d.]+) s, are false alarms")
    assert alarms == pytest.approx([moment for span in times(demo_segments, "fill") for moment in span], abs=FRAMES)
    (drinks,) = stated(r"\"drink with\", ([\d.]+) - ([\d.]+) s")
    assert drinks == pytest.approx(times(demo_segments, "drink_with")[0], abs=FRAMES)
    assert len(demo_segments) == 4


YOLOX = SHARED / "teachers" / "yolox_nano_416.onnx"
DETECTORS = {"public YOLOX-nano, 416 px": f"onnx:{YOLOX}", "starter, 384 px": "starter"}
THRESHOLDS = {"0.5": ("--threshold", "0.5"), "leave-one-clip-out": ()}
ROW = r"\| {} \| {} \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) / ([\d.]+) \| ([\d.]+) \| (\d+) \|"


def means(scores: dict[str, Any]) -> list[float]:
    ours, always_on = scores["scores"]["mean"], scores["always_on"]["mean"]
    sides = [side[question]["0.3"]["f1"] for side in (ours, always_on) for question in ("strict", "agnostic")]
    return [*sides, ours["negatives_hit_share"]]


@pytest.mark.shared
@pytest.mark.slow
@needs_clips
@pytest.mark.parametrize("detector", DETECTORS)
def test_the_table_of_clips(detector: str, tmp_path: Path) -> None:
    run("annotate", SHARED / "clips", "--out", tmp_path / "run", "--no-overlay", "--detector", DETECTORS[detector])
    for name, words in THRESHOLDS.items():
        truth, written = SHARED / "clips" / "truth", tmp_path / "scores.json"
        run("eval", "segments", tmp_path / "run", truth, "--json", written, *words)
        scores = json.loads(written.read_text(encoding="utf-8"))
        (row,) = stated(ROW.format(re.escape(detector), re.escape(name)))
        assert row[:5] == pytest.approx(means(scores), abs=0.03), name


@pytest.mark.shared
@pytest.mark.slow
@needs_corpus
def test_the_detector_on_coco_pictures(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pycocotools", reason="the dev extra (pycocotools) is not installed")
    from videohoi.train import evaluate_detector

    weights = ROOT / "videohoi" / "detect" / "data" / "starter_detector.onnx"
    assert evaluate_detector.main([str(weights), "--corpus", str(SHARED / "corpus"), "--size", "416"]) == 0
    measured = json.loads(capsys.readouterr().out)
    (figures,) = stated(r"AP50 ([\d.]+) and person AP50 ([\d.]+)")
    assert figures == pytest.approx((measured["AP50"], measured["person_AP50"]), abs=0.005)
