from __future__ import annotations

import numpy as np
import pytest
from red_cell_graph import grey_frame
from scripted_detector import ScriptedDetector

from videohoi.detect import starter
from videohoi.detect.factory import create_detector
from videohoi.detect.onnx_detector import OnnxDetector
from videohoi.detect.starter import StarterDetector
from videohoi.errors import ModelError, UsageError
from videohoi.structures import Detections, FeatureMap


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDEOHOI_CACHE", str(tmp_path / "cache"))


def test_onnx_file(red_cells):
    detector = create_detector(f"onnx:{red_cells}", input_size_px=64, threads=1)
    detector.open()
    assert detector.info.name == f"onnx:{red_cells}"
    assert len(detector.detect([grey_frame(48, 64)])) == 1


def test_name_of_a_downloaded_model(tmp_path, red_cells):
    (tmp_path / "cache").mkdir()
    red_cells.rename(tmp_path / "cache" / "yolox_nano.onnx")
    detector = create_detector("yolox_nano")
    detector.open()
    assert detector.info.name == "yolox_nano"


def test_name_of_a_model_that_is_not_here():
    with pytest.raises(ModelError, match="videohoi models pull yolox_nano"):
        create_detector("yolox_nano")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("startr", "did you mean starter"),
        ("yolox-nano", "did you mean yolox_nano"),
        ("some/file.onnx", "did you mean onnx:some/file.onnx"),
        ("onnx:", "expected starter, onnx:FILE"),
        ("", "unknown detector ''"),
    ],
)
def test_unknown_names_offer_the_nearest(spec, said):
    with pytest.raises(UsageError, match=said):
        create_detector(spec)


def test_build_without_weights_says_what_to_do(monkeypatch):
    monkeypatch.setattr(starter, "starter_weights", lambda: None)
    with pytest.raises(ModelError, match="carries no starter weights; use --detector onnx:FILE"):
        create_detector("starter")


def test_starter_runs_the_shipped_bytes(monkeypatch, red_cells):
    monkeypatch.setattr(starter, "starter_weights", red_cells.read_bytes)
    detector = create_detector("starter", score_threshold=0.3)
    assert isinstance(detector, StarterDetector)
    assert isinstance(detector, OnnxDetector)
    detector.open()
    assert (detector.info.name, detector.info.input_size_px) == ("starter", 384)
    assert "--detector onnx:FILE" in detector.info.note


def test_shipped_weights_load():
    if starter.starter_weights() is None:
        pytest.skip("this build carries no starter weights")
    detector = StarterDetector(threads=1)
    detector.open()
    assert detector.info.feature_channels == 128
    assert len(detector.detect([grey_frame(720, 1280)])) == 1


def test_scripted_detector_answers_by_frame_index():
    one = Detections(
        np.array([[1, 2, 3, 4]], np.float32), np.ones(1, np.float32), np.zeros(1, np.int64),
        FeatureMap(np.zeros((5, 2, 2), np.float32), (8.0, 8.0)),
    )  # fmt: skip
    detector = ScriptedDetector({3: one})
    detector.open()
    found = detector.detect([grey_frame(8, 8, index) for index in (2, 3)])
    assert [len(detections) for detections in found] == [0, 1]
    assert found[1] is one
    assert (detector.info.engine, detector.info.feature_channels) == ("scripted", 5)
    detector.close()


@pytest.mark.parametrize("spec", ["detr:FILE", "hf:FOLDER"])
def test_the_device_reaches_detectors_of_torch(spec, tmp_path):
    detector = create_detector(
        spec.replace("FILE", str(tmp_path / "x.pth")).replace("FOLDER", str(tmp_path)), device="cuda"
    )
    assert detector._device == "cuda"
    assert create_detector(f"detr:{tmp_path / 'x.pth'}")._device == "auto"
