"""A package that is not ours adds a source, a detector, a head, an engine and an output; ``annotate`` uses them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import videohoi
from videohoi.cli import main
from videohoi.decode.inputs import left_out, list_inputs
from videohoi.demo.compose import compose_demo, write_demo
from videohoi.errors import ModelError
from videohoi.plugins import load_plugin, plugins

CODE = '''
import numpy as np

import videohoi
from videohoi.compile.engine import EngineStatus
from videohoi.compile.onnxruntime_engine import OnnxRuntimeEngine
from videohoi.decode.base import Picture, SequentialSource
from videohoi.detect.protocol import DetectorInfo
from videohoi.interact.protocol import HeadInfo
from videohoi.structures import HumanObjectPairs, Interactions, SourceInfo


class GreyFile(SequentialSource):
    """As many grey pictures as a text file has lines, two a second."""

    def __init__(self, request):
        super().__init__(request.source_id or "grey", frame_rate_hz=request.frame_rate_hz)
        self.path = request.argument

    def _open_input(self):
        with open(self.path) as file:
            self.count = len(file.readlines())
        return SourceInfo(self.source_id, 320, 240, 2.0, self.count, self.count / 2)

    def _pictures(self):
        return (Picture(np.full((240, 320, 3), 9, np.uint8), number / 2) for number in range(self.count))

    def _close_input(self): ...


class NamedEngine(OnnxRuntimeEngine):
    """ONNX Runtime under another name."""

    def __init__(self, request):
        if request.threads > 2:
            raise ValueError("two threads are enough")
        super().__init__(request.model, threads=request.threads, label=request.label)
        self.status = EngineStatus("named_engine", "1", "CPU", request.threads)


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
[videohoi.sources]
grey = tiny_hoi:GreyFile
.grey = tiny_hoi:GreyFile

[videohoi.engines]
named_engine = tiny_hoi:NamedEngine

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
def test_annotate_uses_the_source_and_the_engine_of_a_package(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("one\ntwo\nthree\n")
    words = ["annotate", f"grey://{lines}", "--out", str(tmp_path / "run"), "--resume", "--no-overlay"]
    words += ["--set", "detect.engine=named_engine", "--set", "interact.engine=named_engine"]
    assert main(words) == 0
    (folder,) = (tmp_path / "run").iterdir()
    report = json.loads((folder / "report.json").read_text())
    assert (report["run"]["frames_out"], report["source"]) == (3, "grey")
    assert report["source_info"]["frame_rate_hz"] == 2.0
    assert report["detector"]["engine"].startswith("named_engine")
    capsys.readouterr()
    assert main(words) == 0
    assert "1 of 1 input was complete already" in capsys.readouterr().out
    lines.write_text("one\ntwo\n")  # another content under the same address is another input
    assert main(words) == 0
    assert json.loads((folder / "report.json").read_text())["run"]["frames_out"] == 2


@pytest.mark.usefixtures("package")
def test_a_package_reads_files_of_its_suffix(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "one.grey").write_text("a\nb\n")
    (folder / "two.GREY").write_text("a\n")
    (folder / "notes.txt").write_text("a\n")
    for spec in (str(folder), str(folder / "*")):
        assert [item.label for item in list_inputs([spec])] == [str(folder / "one.grey"), str(folder / "two.GREY")]
    assert "notes.txt" in left_out([folder])[0]
    words = ["annotate", str(folder), "--out", str(tmp_path / "run"), "--no-overlay", "--quiet"]
    assert main(words) == 0
    reports = [json.loads(path.read_text()) for path in sorted((tmp_path / "run").glob("*/report.json"))]
    assert [report["run"]["frames_out"] for report in reports] == [2, 1]


@pytest.mark.usefixtures("package")
def test_settings_are_for_the_source_of_a_package_too(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("one\ntwo\n")
    source = videohoi.open_source(f"Grey://{tmp_path}/lines.txt", frame_rate_hz=4.0, source_id="mine")
    source.open()
    assert [(frame.pts_seconds, frame.source_id) for frame in source.frames()] == [(0.0, "mine"), (0.25, "mine")]


@pytest.mark.usefixtures("package")
def test_a_builder_that_fails_is_one_line_with_its_package(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--set", "detect.engine=named_engine", "--set", "detect.threads=3"]
    assert main(["annotate", str(clip), *words]) != 0
    shown = " ".join(capsys.readouterr().err.split())
    assert "named_engine of tiny-hoi 1.2 cannot be built: ValueError: two threads are enough" in shown
    assert main(["annotate", "gray://x"]) == 2
    assert "unknown scheme gray://; did you mean grey://?" in capsys.readouterr().err


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
    assert all(name in shown for name in ("two_boxes", "always_hold", "named_engine", "tiny-hoi 1.2"))
    main(["doctor"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "detector two_boxes" in shown
    assert all(part in shown for part in ("source grey", "head always_hold", "engine named_engine", "sink count_file"))
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
