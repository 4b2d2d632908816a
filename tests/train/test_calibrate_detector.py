"""A score is to be the share of boxes that are right."""

from pathlib import Path

import numpy as np
import pytest

from videohoi.structures import Detections
from videohoi.train.calibrate_detector import fit_exponent, is_right, main, reliability
from videohoi.train.corpus import CorpusPicture


@pytest.mark.parametrize("truth", [0.5, 0.8, 1.0])
def test_the_exponent_that_made_the_truth_is_found(truth):
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.05, 1.0, 20_000)
    right = rng.random(len(scores)) < scores**truth
    assert fit_exponent(scores, right) == pytest.approx(truth, abs=0.03)
    shares = reliability(scores**truth, right)
    assert "score 0.35, right 0.3" in shares["0.3-0.4"]


def test_a_box_is_right_by_class_and_overlap_with_a_sure_label():
    labels = {"boxes": [[0, 0, 10, 10], [50, 50, 60, 60]], "classes": [3, 3], "scores": [0.9, 0.1]}
    boxes = np.array([[0, 0, 10, 9], [0, 0, 10, 9], [0, 0, 4, 4], [50, 50, 60, 60]], np.float32)
    found = Detections(boxes, np.full(4, 0.5, np.float32), np.array([3, 4, 3, 3]))
    picture = CorpusPicture(Path("x.tar"), 0, 0, labels)
    assert is_right(found, picture).tolist() == [True, False, False, False]
    assert not is_right(found, CorpusPicture(Path("x.tar"), 0, 0, {"boxes": [], "classes": [], "scores": []})).any()


def test_a_missing_model_is_one_line(tmp_path, capsys):
    assert main([str(tmp_path / "none.onnx"), "--corpus", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: ")
