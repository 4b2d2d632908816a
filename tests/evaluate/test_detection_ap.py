"""COCO average precision: hand-worked cases, and parity with pycocotools on random pictures."""

import contextlib
import io
import json

import numpy as np
import pytest

from videohoi.errors import UsageError
from videohoi.evaluate.detection.average_precision import PictureBoxes, average_precision
from videohoi.structures import Detections

CLASSES = ("person", "cup", "dog")


def found(*rows):
    """Detections from (x1, y1, x2, y2, class id, score)."""
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Detections(table[:, :4].astype(np.float32), table[:, 5].astype(np.float32), table[:, 4].astype(np.int64))


def true(*rows):
    """True boxes from (x1, y1, x2, y2, class id, crowd)."""
    table = np.array(rows, np.float64).reshape(-1, 6)
    return PictureBoxes(table[:, :4], table[:, 4].astype(np.int64), table[:, 5].astype(bool))


def test_perfect_boxes_score_one():
    scores = average_precision([found((0, 0, 10, 10, 0, 0.9))], [true((0, 0, 10, 10, 0, 0))], CLASSES)
    assert (scores.ap, scores.ap50, scores.person_ap50) == (1.0, 1.0, 1.0)
    assert scores.per_class_ap50 == {"person": 1.0}, "classes without true boxes have no AP"


def test_nothing_found_scores_zero_and_nothing_to_find_is_undefined():
    assert average_precision([Detections.empty()], [true((0, 0, 9, 9, 1, 0))], CLASSES).ap == 0.0
    empty = average_precision([found((0, 0, 9, 9, 1, 0.5))], [true()], CLASSES)
    assert (empty.ap, empty.person_ap50, empty.true_boxes) == (None, None, 0)


def test_half_the_boxes_found_reads_half_the_recall_points():
    truth = true((0, 0, 10, 10, 0, 0), (50, 50, 60, 60, 0, 0))
    scores = average_precision([found((0, 0, 10, 10, 0, 0.9))], [truth], CLASSES)
    assert scores.ap50 == pytest.approx(51 / 101), "recalls 0 .. 0.50 of 101 points have precision 1"


def test_a_false_alarm_above_the_hit_halves_precision():
    scores = average_precision(
        [found((50, 50, 60, 60, 0, 0.9), (0, 0, 10, 10, 0, 0.8))], [true((0, 0, 10, 10, 0, 0))], CLASSES
    )
    assert scores.ap50 == pytest.approx(0.5)


def test_a_second_box_on_one_thing_is_a_false_alarm():
    twice = found((0, 0, 10, 10, 0, 0.9), (0, 0, 10, 10, 0, 0.8), (50, 50, 60, 60, 0, 0.7))
    scores = average_precision([twice], [true((0, 0, 10, 10, 0, 0), (50, 50, 60, 60, 0, 0))], CLASSES)
    assert scores.ap50 == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_iou_of_sixty_percent_counts_at_three_of_ten_thresholds():
    scores = average_precision([found((0, 0, 10, 6.2, 0, 0.9))], [true((0, 0, 10, 10, 0, 0))], CLASSES)
    assert scores.ap50 == 1.0
    assert scores.ap == pytest.approx(0.3), "IoU 0.62 passes .50, .55 and .60"


def test_detections_in_a_crowd_count_neither_way():
    crowded = true((0, 0, 10, 10, 0, 0), (20, 20, 100, 100, 0, 1))
    in_crowd = found((30, 30, 40, 40, 0, 0.95), (50, 50, 60, 60, 0, 0.9), (0, 0, 10, 10, 0, 0.5))
    assert average_precision([in_crowd], [crowded], CLASSES).ap == 1.0
    assert average_precision([in_crowd], [true((0, 0, 10, 10, 0, 0))], CLASSES).ap < 0.5


def test_only_the_best_hundred_of_a_class_count():
    noise = [(i, 200, i + 5, 205, 0, 0.9) for i in range(100)]
    boxes = found(*noise, (0, 0, 10, 10, 0, 0.1))
    truth = [true((0, 0, 10, 10, 0, 0))]
    assert average_precision([boxes], truth, CLASSES).ap == 0.0
    assert average_precision([boxes], truth, CLASSES, maximum_detections=101).ap > 0.0


def test_pictures_must_pair_up():
    with pytest.raises(UsageError, match="each of 1 pictures, got 0"):
        average_precision([], [true()], CLASSES)


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"\(2, 4\)"):
        PictureBoxes(np.zeros((2, 4)), np.zeros(1, np.int64), np.zeros(1, bool))


def random_pictures(seed, count=12):
    """Crowded random pictures on a coarse grid, so that equal scores and equal IoUs occur."""
    rng = np.random.default_rng(seed)
    predictions, truths = [], []
    for _ in range(count):
        corners = rng.integers(0, 12, (rng.integers(0, 9), 2)) * 4
        sizes = rng.integers(2, 8, corners.shape) * 4
        truth = np.hstack([corners, corners + sizes, rng.integers(0, 3, (len(corners), 1))])
        truths.append(true(*np.hstack([truth, rng.random((len(corners), 1)) < 0.2])))
        near = truth[rng.integers(0, len(truth), 10)] if len(truth) else np.zeros((0, 5), int)
        jitter = np.hstack([rng.integers(-3, 4, (len(near), 2))] * 2)
        boxes = np.hstack([near[:, :4] + jitter, near[:, 4:], rng.integers(1, 20, (len(near), 1)) / 20])
        predictions.append(found(*boxes))
    return predictions, truths


def pycocotools_scores(predictions, truths, maximum_detections):
    """(AP, AP50, {class: AP50}) of the reference implementation."""
    coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is the reference of this test")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
    annotations, results = [], []
    for picture, (boxes, truth) in enumerate(zip(predictions, truths, strict=True), start=1):
        for box, class_id, crowd in zip(truth.boxes_xyxy_px, truth.class_ids, truth.crowd, strict=True):
            xywh = [*box[:2].tolist(), *(box[2:] - box[:2]).tolist()]
            annotations.append(
                {"id": len(annotations) + 1, "image_id": picture, "category_id": int(class_id), "bbox": xywh,
                 "area": xywh[2] * xywh[3], "iscrowd": int(crowd)}
            )  # fmt: skip
        for box, class_id, score in zip(
            boxes.boxes_xyxy_px.astype(float), boxes.class_ids, boxes.scores.astype(float), strict=True
        ):
            xywh = [*box[:2].tolist(), *(box[2:] - box[:2]).tolist()]
            results.append({"image_id": picture, "category_id": int(class_id), "bbox": xywh, "score": float(score)})
    with contextlib.redirect_stdout(io.StringIO()):
        reference = coco.COCO()
        reference.dataset = json.loads(json.dumps({
            "info": {}, "images": [{"id": i + 1} for i in range(len(truths))], "annotations": annotations,
            "categories": [{"id": i, "name": name} for i, name in enumerate(CLASSES)],
        }))  # fmt: skip
        reference.createIndex()
        evaluation = cocoeval.COCOeval(reference, reference.loadRes(results), "bbox")
        evaluation.params.maxDets = [maximum_detections]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    per_class = {n: precision[0, :, k].mean() for k, n in enumerate(CLASSES) if precision[0, 0, k] > -1}
    return precision[precision > -1].mean(), precision[0][precision[0] > -1].mean(), per_class


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("maximum_detections", [100, 3])
def test_equal_to_pycocotools(seed, maximum_detections):
    predictions, truths = random_pictures(seed)
    ap, ap50, per_class = pycocotools_scores(predictions, truths, maximum_detections)
    scores = average_precision(predictions, truths, CLASSES, maximum_detections=maximum_detections)
    assert 0.05 < scores.ap < 0.95, "the case must be neither trivial nor hopeless"
    assert scores.ap == pytest.approx(ap, abs=1e-9)
    assert scores.ap50 == pytest.approx(ap50, abs=1e-9)
    assert scores.per_class_ap50 == pytest.approx(per_class, abs=1e-9)


def test_to_dict_can_be_written_as_json():
    scores = average_precision([found((0, 0, 10, 10, 0, 0.9))], [true((0, 0, 10, 10, 0, 0))], CLASSES)
    assert json.loads(json.dumps(scores.to_dict()))["per_class_ap50"] == {"person": 1.0}
