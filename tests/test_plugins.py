"""A package that is not ours adds a detector, a head and an output, and ``annotate`` uses them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from videohoi.cli import main
from videohoi.demo.compose import compose_demo, write_demo
from videohoi.errors import ModelError
from videohoi.plugins import load_plugin, plugins

CODE = '''
import numpy as np

import videohoi
from videohoi.detect.protocol import DetectorInfo
from videohoi.interact.protocol import HeadInfo
from videohoi.structures import HumanObjectPairs, Interactions


class TwoBoxes:
    """A person and a cup that never move."""

    info = DetectorInfo("two_boxes", "numpy", None, None, 0)

    def __init__(self, request):
        self.request = request

    def open(self): ...

    def close(self): ...

    def detect(self, frames):
        words = videohoi.hico_det().objects
        ids = np.array([words.index("person"), words.index("cup")], np.int64)
        boxes = np.array([[100, 50, 300, 350], [250, 150, 320, 220]], np.float32)
        return [videohoi.Detections(boxes, np.array([0.9, 0.8], np.float32), ids) for _ in frames]


class AlwaysHold:
    info = HeadInfo("always_hold", "numpy", None, 117, 0)

    def __init__(self, options):
        self.verbs = options.vocabulary.verbs
        self.score_of_all = options.config["score"]

    def open(self): ...

    def close(self): ...

    def score(self, frame, detections):
        scores = np.zeros((1, len(self.verbs)), np.float32)
        scores[:, self.verbs.index("hold")] = self.score_of_all
        if len(detections) < 2:
            scores = scores[:0]
        ends = np.arange(len(scores))
        return Interactions(HumanObjectPairs(ends, ends + 1), scores)


class CountFile:
    name = "count_file"

    def __init__(self, request):
        self.path, self.frames = request.folder / "count.txt", 0

    def open(self, info, header): ...

    def process(self, result):
        self.frames += 1

    def close(self, *, complete):
        self.path.write_text(f"{self.frames} frames, complete: {complete}")

    def abort(self):
        self.path.unlink(missing_ok=True)
'''
ENTRY_POINTS = """
[videohoi.detectors]
two_boxes = tiny_hoi:TwoBoxes
no_code = tiny_hoi:Missing

[videohoi.heads]
always_hold = tiny_hoi:AlwaysHold

[videohoi.sinks]
count_file = tiny_hoi:CountFile
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``tiny-hoi 1.2`` as pip installs it: the module beside its metadata, in a folder that Python searches."""
    site = tmp_path / "site"
    metadata = site / "tiny_hoi-1.2.dist-info"
    metadata.mkdir(parents=True)
    (site / "tiny_hoi.py").write_text(CODE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-hoi\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "tiny_hoi", raising=False)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    write_demo(path, compose_demo(4.0, 12.5, height_px=360))
    return path


@pytest.mark.usefixtures("package")
def test_annotate_uses_the_detector_the_head_and_the_output_of_a_package(tmp_path: Path, clip: Path) -> None:
    words = ["--detector", "two_boxes", "--model", "always_hold", "--set", "model.options={score: 0.9}"]
    outputs = ["--set", "outputs=[segments_csv, count_file]"]
    assert main(["annotate", str(clip), "--out", str(tmp_path / "run"), *words, *outputs]) == 0
    folder = tmp_path / "run" / "clip.videohoi"
    assert sorted(path.name for path in folder.iterdir()) == ["count.txt", "report.json", "segments.csv"]
    assert (folder / "count.txt").read_text() == "50 frames, complete: True"
    rows = (folder / "segments.csv").read_text().splitlines()
    assert [row.split(",")[1:4] for row in rows[1:]] == [["hold", "2", "cup"]]
    report = json.loads((folder / "report.json").read_text())
    assert (report["detector"]["name"], report["head"]["name"]) == ("two_boxes", "always_hold")


@pytest.mark.usefixtures("package")
def test_a_second_run_is_skipped(tmp_path: Path, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["annotate", str(clip), "--out", str(tmp_path / "run"), "--detector", "two_boxes", "--resume"]
    words += ["--model", "always_hold", "--set", "model.options={score: 0.9}", "--set", "outputs=[count_file]"]
    assert main(words) == 0
    first = (tmp_path / "run" / "clip.videohoi" / "report.json").stat().st_mtime_ns
    assert main(words) == 0
    assert (tmp_path / "run" / "clip.videohoi" / "report.json").stat().st_mtime_ns == first


@pytest.mark.usefixtures("package")
def test_models_and_doctor_name_what_a_package_adds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["models"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("two_boxes", "always_hold", "tiny-hoi 1.2"))
    main(["doctor"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "detector two_boxes" in shown
    assert "sink count_file" in shown
    assert "repair or remove tiny-hoi 1.2" in shown


@pytest.mark.usefixtures("package")
def test_a_builder_that_is_not_there_names_its_package(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match=r"no_code of tiny-hoi 1.2 cannot be loaded \(tiny_hoi:Missing\): Attribute"):
        load_plugin("detectors", "no_code")
    assert main(["annotate", str(clip), "--detector", "no_code"]) != 0
    assert "tiny-hoi 1.2" in capsys.readouterr().err
    assert list(plugins("detectors")) == ["no_code", "two_boxes"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("segment_csv", "did you mean segments_csv?"),
        ("x", "expected some of segments_csv"),
        ("overlay_mp4, overlay_mp4", "each output once"),
    ],
)
def test_a_wrong_output_is_one_line_before_any_work(
    given: str, expected: str, tmp_path: Path, clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["annotate", str(clip), "--out", str(tmp_path / "run"), "--set", f"outputs=[{given}]"]) == 2
    assert expected in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run").exists()


def test_a_tracker_threshold_of_a_yaml_changes_the_shipped_pipeline(tmp_path: Path, clip: Path) -> None:
    """One line of one file, and no track begins any more."""
    settings = tmp_path / "strict.yaml"
    settings.write_text("pipeline: offline_annotation\ntrack:\n  new_track_score: 0.999\n")
    main(["annotate", str(clip), "--out", str(tmp_path / "usual"), "--no-overlay"])
    main(["annotate", str(clip), "--out", str(tmp_path / "strict"), "--no-overlay", "--config", str(settings)])
    tracks = [(tmp_path / run / "clip.videohoi" / "tracks.csv").read_text().splitlines() for run in ("usual", "strict")]
    assert len(tracks[0]) > 1
    assert len(tracks[1]) == 1
