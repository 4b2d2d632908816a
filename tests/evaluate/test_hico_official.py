"""HICO-DET's own evaluation is MATLAB code; its rules, written out plainly and slowly, as a reference.

ywchao/ho-rcnn, evaluation/VOCevaldet_bboxpair.m: detections and annotations count pixels from 1; both boxes of a pair
must overlap by at least 0.5 with the last pixel included; a detection is compared with the annotation of its picture
that it fits best, and only the surest detection of an annotation is right. Known Object: only pictures whose
image-level labels hold an interaction with the object of the class.
"""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scenes_hico import synthetic_predictions, synthetic_truth
from videohoi.evaluate.conventions import OFFICIAL
from videohoi.evaluate.hico.scoring import KnownObjects, evaluate_hico

CLASSES, OBJECTS = 12, 4
OBJECT_OF = np.arange(CLASSES) % OBJECTS
RECALLS = (0.0, 0.1, 0.2, 3 * 0.1, 0.4, 0.5, 1 - 4 * 0.1, 1 - 3 * 0.1, 1 - 2 * 0.1, 1 - 0.1, 1.0)
"""MATLAB's 0:0.1:1, which counts its second half down from the end"""


def overlap(one, other):
    """IoU of two boxes of whole pixels, the last one included."""
    width = min(one[2], other[2]) - max(one[0], other[0]) + 1
    height = min(one[3], other[3]) - max(one[1], other[1]) + 1
    if width <= 0 or height <= 0:
        return 0.0
    area, area_other = ((box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (one, other))
    return width * height / (area + area_other - width * height)


def reference(truth, found, class_id, pictures):
    """Average precision and highest recall of one class over ``pictures``."""
    annotated = {}
    for image in range(len(truth.image_names)):
        rows = range(truth.image_offsets[image], truth.image_offsets[image + 1])
        annotated[image] = [row for row in rows if truth.class_ids[row] == class_id]
    total = sum(len(rows) for rows in annotated.values())
    if total == 0:
        return float("nan"), float("nan")
    mine = [row for row in range(len(found)) if found.class_ids[row] == class_id and found.image_rows[row] in pictures]
    mine.sort(key=lambda row: -found.scores[row])
    taken, right, precisions, recalls = set(), 0, [], []
    for count, row in enumerate(mine, 1):
        human, thing = found.human_boxes_xyxy_px[row] + 1, found.object_boxes_xyxy_px[row] + 1
        best, best_row = -np.inf, None
        for true in annotated[found.image_rows[row]]:
            least = min(
                overlap(truth.human_boxes_xyxy_px[true], human), overlap(truth.object_boxes_xyxy_px[true], thing)
            )
            if least > best:
                best, best_row = least, true
        if best >= 0.5 and best_row not in taken:
            taken.add(best_row)
            right += 1
        precisions.append(right / count)
        recalls.append(right / total)
    average = 0.0
    for point in RECALLS:
        average += max((p for p, r in zip(precisions, recalls, strict=True) if r >= point), default=0.0) / 11
    return average, recalls[-1] if recalls else 0.0


def compare(truth, found, known):
    scores = evaluate_hico(truth, found, OFFICIAL, known_objects=known)
    everywhere = set(range(len(truth.image_names)))
    for class_id in range(CLASSES):
        with_object = set(np.flatnonzero(known.in_image[:, OBJECT_OF[class_id]]).tolist())
        for mode, pictures in (("default", everywhere), ("known_object", with_object)):
            average, recall = reference(truth, found, class_id, pictures)
            ours = scores.modes[mode]
            assert ours.average_precisions[class_id] == pytest.approx(average, abs=1e-12, nan_ok=True)
            assert ours.highest_recalls[class_id] == pytest.approx(recall, abs=1e-12, nan_ok=True)
    return scores


def labels(truth, extra):
    """Image-level labels: those of the boxes, and ``extra`` ones that have no box."""
    in_image = np.zeros((len(truth.image_names), OBJECTS), np.bool_)
    images = np.repeat(np.arange(len(truth.image_names)), np.diff(truth.image_offsets))
    in_image[images, OBJECT_OF[truth.class_ids]] = True
    return KnownObjects(in_image | extra, OBJECT_OF, "made up")


@pytest.mark.parametrize("seed", range(4))
def test_the_rules_of_the_official_evaluation(seed):
    truth = synthetic_truth(60, CLASSES, seed)
    found = synthetic_predictions(truth, at_most=25, seed=seed)
    scores = compare(truth, found, labels(truth, np.random.default_rng(seed).random((60, OBJECTS)) < 0.1))
    assert 0.05 < scores.mean() < scores.mean("known_object") < 1


def test_an_empty_picture_holds_only_wrong_detections():
    truth = synthetic_truth(20, CLASSES)
    found = synthetic_predictions(truth, at_most=25)
    empty = np.flatnonzero(np.diff(truth.image_offsets) == 0)
    inside = np.isin(found.image_rows, empty)
    assert inside.sum() == 25 * len(empty) > 0
    sure = dataclasses.replace(found, scores=np.where(inside, found.scores + 1, found.scores))
    known = labels(truth, np.zeros((20, OBJECTS), np.bool_))
    compare(truth, sure, known)
    assert evaluate_hico(truth, sure, OFFICIAL).mean() < evaluate_hico(truth, found, OFFICIAL).mean()


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_whole_pixels_and_overlaps_of_exactly_a_half(data):
    """Boxes on a coarse grid: many overlaps are exactly 0.5, many pairs fit two annotations alike."""
    truth = synthetic_truth(6, CLASSES, data.draw(st.integers(0, 99)))
    grid = st.integers(0, 3).map(lambda step: 10 * step)
    side = st.sampled_from([9, 19, 39])

    def boxes(count):
        rows = [[data.draw(grid), data.draw(grid), data.draw(side), data.draw(side)] for _ in range(count)]
        table = np.array(rows, np.float64).reshape(-1, 4)
        return np.concatenate([table[:, :2], table[:, :2] + table[:, 2:]], axis=1)

    true = dataclasses.replace(
        truth, human_boxes_xyxy_px=boxes(len(truth)) + 1, object_boxes_xyxy_px=boxes(len(truth)) + 1
    )
    found = synthetic_predictions(truth, at_most=6, seed=1)
    near = dataclasses.replace(found, human_boxes_xyxy_px=boxes(len(found)), object_boxes_xyxy_px=boxes(len(found)))
    compare(true, near, labels(true, np.zeros((6, OBJECTS), np.bool_)))
