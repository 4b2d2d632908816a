from __future__ import annotations

import gzip
import json

import cv2
import numpy as np
import pytest

pytest.importorskip("pycocotools", reason="needs the train extra (pycocotools)")

from scripted_detector import ScriptedDetector

from videohoi.structures import Detections
from videohoi.train.corpus import read_corpus
from videohoi.train.evaluate_detector import TEST_SPLIT, coco_detections, coco_truth, main, summarise
from videohoi.vocabulary import hico_det

PERSON_BOXES = [[10.0, 10.0, 50.0, 90.0], [60.0, 20.0, 90.0, 80.0]]


@pytest.fixture
def corpus(tmp_path):
    """Two pictures: two persons and a crowd; one dog."""
    jpeg = cv2.imencode(".jpg", np.full((100, 120, 3), 90, np.uint8))[1].tobytes()
    (tmp_path / "test.tar").write_bytes(jpeg)
    common = {"shard": "test.tar", "offset": 0, "size": len(jpeg), "split": TEST_SPLIT, "source": "toy"}
    rows = [
        {**common, "boxes": PERSON_BOXES, "classes": [0, 0], "crowd_boxes": [[92, 0, 120, 100]], "crowd_classes": [0]},
        {**common, "boxes": [[5.0, 5.0, 100.0, 60.0]], "classes": [16]},
    ]
    with gzip.open(tmp_path / "labels.jsonl.gz", "wt") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)
    return tmp_path


def detections(boxes, scores, class_id):
    return Detections(
        np.array(boxes, np.float32), np.array(scores, np.float32), np.full(len(scores), class_id, np.int64)
    )


def scores_of(corpus, script):
    pictures, vocabulary = read_corpus(corpus, TEST_SPLIT), hico_det()
    rows = coco_detections(ScriptedDetector(script), pictures)
    return summarise(coco_truth(pictures, vocabulary), rows, vocabulary)


def test_perfect_boxes_score_one(corpus):
    dog = detections([[5, 5, 100, 60]], [0.9], 16)
    report = scores_of(corpus, {1: detections(PERSON_BOXES, [0.9, 0.8], 0), 2: dog})
    assert (report["AP"], report["AP50"], report["person_AP"]) == (1.0, 1.0, 1.0)


def test_a_box_in_the_crowd_is_no_error_and_a_missed_dog_is(corpus):
    persons = detections([[93, 10, 118, 90], *PERSON_BOXES], [0.95, 0.9, 0.8], 0)
    report = scores_of(corpus, {1: persons})
    assert report["person_AP50"] == 1.0
    assert report["AP50"] == 0.5  # mean of person 1 and dog 0


def test_a_false_box_before_the_true_ones_halves_precision_at_the_first_recall(corpus):
    """Ranked false, true, true: precision 1/2 then 2/3; interpolated 2/3 at every recall."""
    persons = detections([[0, 0, 9, 9], *PERSON_BOXES], [0.95, 0.9, 0.8], 0)
    assert scores_of(corpus, {1: persons})["person_AP50"] == pytest.approx(2 / 3, abs=1e-3)


def test_wrong_paths_are_one_line(corpus, tmp_path, capsys):
    assert main([str(tmp_path / "absent.onnx"), "--corpus", str(corpus)]) == 1
    assert main([str(tmp_path / "absent.onnx"), "--corpus", str(tmp_path / "nowhere")]) == 1
    assert capsys.readouterr().err.count("\n") == 2
