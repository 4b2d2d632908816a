"""From the pairs of a one-stage model to rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from videohoi.errors import ModelError, UsageError
from videohoi.interact.hoi_detector import HOIDetector, MergeSettings
from videohoi.interact.protocol import HeadInfo
from videohoi.interact.scoring import ClassRows, ScoreRule
from videohoi.structures import Frame
from videohoi.structures.interactions import HOIOutput
from videohoi.vocabulary import hico_det

WORDS = hico_det()
PERSON, CUP, BOTTLE = WORDS.person_id, WORDS.object_id("cup"), WORDS.object_id("bottle")
HOLD, CARRY = WORDS.verb_id("hold"), WORDS.verb_id("carry")
"""both go with all three"""
MAN, SAME_MAN, CUP_BOX, BOTTLE_BOX = [0, 0, 100, 200], [2, 0, 102, 200], [90, 90, 110, 110], [10, 90, 30, 130]
BOXES = np.array([MAN, SAME_MAN, CUP_BOX, BOTTLE_BOX, [89, 90, 110, 110]], np.float32)
SIDE_PX = 200


class Fixed:
    """A runner that gives one output."""

    def __init__(self, output):
        self.output = output
        self.info = HeadInfo("fixed", "none", "abc", len(WORDS.verbs), 0)
        self.rule = ScoreRule(WORDS, "product", ClassRows.verbs(WORDS))
        self.boxes_note = "drawn by hand"
        self.opened = self.closed = 0

    def open(self):
        self.opened += 1

    def run(self, frame):
        return self.output

    def close(self):
        self.closed += 1


def pairs_of(rows, classes, confidence, chances, boxes=BOXES):
    """What a one-stage model gives for these pairs; ``chances`` of hold and carry, given that the boxes are right."""
    count, boxes = len(rows), boxes / SIDE_PX
    logits = np.full((1, count, len(WORDS.verbs)), -50, np.float32)
    objects = np.full((1, count, len(WORDS.objects) + 1), -50, np.float32)
    for row in range(count):
        logits[0, row, [HOLD, CARRY]] = [np.log(chance / (1 - chance)) for chance in chances[row]]
        objects[0, row, [classes[row], -1]] = np.log(confidence[row]), np.log(1 - confidence[row])
    return HOIOutput(
        np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)[None],
        np.array(rows, np.int64).reshape(1, -1, 2), np.ones((1, count), np.bool_), logits, object_logits=objects,
    )  # fmt: skip


def find(output, **settings):
    detector = HOIDetector(Fixed(output), MergeSettings(**settings))
    detector.open()
    return detector.find(Frame(np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8), 0, 0.0, "clip"))


def scores_of(interactions):
    """(P, 2) of hold and carry."""
    return interactions.verb_scores[:, [HOLD, CARRY]]


def test_one_human_with_two_objects_is_one_row():
    detections, found = find(pairs_of([[0, 2], [1, 3]], [CUP, BOTTLE], [0.9, 0.6], [[0.5, 0.1], [0.2, 0.8]]))
    assert len(detections) == 3
    humans = np.flatnonzero(detections.class_ids == PERSON)
    assert detections.boxes_xyxy_px[humans] == pytest.approx(np.array([MAN]), abs=1e-3), "the surer pair's box stays"
    assert detections.scores[humans] == pytest.approx([0.9])
    assert set(found.pairs.human_rows) == {humans[0]}
    by_object = dict(zip(detections.class_ids[found.pairs.object_rows], scores_of(found).tolist(), strict=True))
    assert by_object[CUP] == pytest.approx([0.45, 0.09], abs=1e-5)
    assert by_object[BOTTLE] == pytest.approx([0.12, 0.48], abs=1e-5)
    assert scores_of(found)[0].max() == pytest.approx(0.48), "best pair first"


def test_the_same_pair_twice_keeps_the_better_score_of_each_verb():
    detections, found = find(pairs_of([[0, 2], [1, 4]], [CUP, CUP], [0.9, 0.6], [[0.5, 0.1], [0.2, 0.3]]))
    assert len(detections) == 2
    assert len(found) == 1
    assert scores_of(found)[0] == pytest.approx([0.45, 0.18], abs=1e-5)


def test_boxes_of_different_classes_stay_apart():
    detections, _ = find(pairs_of([[0, 2], [0, 4]], [CUP, BOTTLE], [0.9, 0.6], [[0.5, 0.5], [0.4, 0.4]]))
    assert sorted(detections.class_ids.tolist()) == sorted([PERSON, CUP, BOTTLE])


def test_a_human_with_itself_is_no_pair_but_two_humans_are():
    detections, found = find(pairs_of([[0, 1], [0, 3]], [PERSON, PERSON], [0.9, 0.6], [[0.5, 0.5], [0.4, 0.4]]))
    assert len(detections) == 2
    assert len(found) == 1
    assert found.pairs.human_rows[0] != found.pairs.object_rows[0]


def test_unsure_pairs_go_and_pairs_beyond_the_limit_are_counted():
    chances = [[0.5, 0.1], [0.8, 0.1], [0.99, 0.1]]
    output = pairs_of([[0, 2], [0, 3], [0, 4]], [CUP, BOTTLE, BOTTLE], [0.9, 0.6, 0.05], chances)
    detections, found = find(output, pair_limit=1)
    assert len(detections) == 3
    assert len(found) == 1
    assert found.pairs.truncated == 1
    assert scores_of(found)[0] == pytest.approx([0.48, 0.06], abs=1e-5)


def test_nothing_found_and_boxes_without_area_are_no_error():
    detections, found = find(pairs_of([], [], [], []))
    assert (len(detections), len(found)) == (0, 0)
    flat = np.array([[5, 5, 5, 5], [7, 7, 9, 9]], np.float32)
    detections, found = find(pairs_of([[0, 1]], [CUP], [0.9], [[0.5, 0.5]], flat))
    assert len(detections) == 2
    assert len(found) == 1


def test_a_methods_own_boxes_keep_their_rows_and_unsure_ones_go_with_their_pairs():
    output = pairs_of([[0, 2], [1, 2], [0, 1]], [CUP, CUP, PERSON], [0.5, 0.5, 0.5], [[0.5, 0.1]] * 3, BOXES[:3])
    scores, classes = np.array([[0.9, 0.05, 0.8]], np.float32), np.array([[PERSON, PERSON, CUP]])
    output = replace(output, object_logits=None, scores=scores, class_ids=classes, truncated=np.array([7]))
    detections, found = find(output)
    assert detections.boxes_xyxy_px == pytest.approx(BOXES[[0, 2]], abs=1e-3)
    assert (found.pairs.human_rows.tolist(), found.pairs.object_rows.tolist()) == ([0], [1])
    assert scores_of(found)[0] == pytest.approx([0.36, 0.072], abs=1e-5)
    assert found.pairs.truncated == 7


def output(boxes):
    logits = np.full((1, 1, len(WORDS.verbs)), 2.0, np.float32)
    objects = np.full((1, 1, 81), -9.0, np.float32)
    objects[..., CUP] = 9
    rows = np.array([[[0, 1]]])
    return HOIOutput(np.array([boxes], np.float32), rows, np.array([[True]]), logits, object_logits=objects)


def test_boxes_come_in_pixels_of_the_frame_and_inside_it():
    detector = HOIDetector(Fixed(output([[0.5, 0.5, 0.2, 0.5], [0.95, 0.5, 0.2, 0.1]])))
    detector.open()
    frame = Frame(np.zeros((200, 400, 3), np.uint8), 0, 0.0, "clip")
    detections, scores = detector.find(frame)
    boxes = {int(c): box for c, box in zip(detections.class_ids, detections.boxes_xyxy_px.tolist(), strict=True)}
    assert boxes[PERSON] == pytest.approx([160, 50, 240, 150], abs=1e-3)
    assert boxes[CUP] == pytest.approx([340, 90, 400, 110], abs=1e-3)
    assert len(scores) == 1
    assert detector.info.weights_sha256 == detector.head_info.weights_sha256 == "abc"


def test_numbers_that_are_not_finite_are_an_error_and_not_a_detection():
    detector = HOIDetector(Fixed(output([[np.nan, 0.5, 0.2, 0.5], [0.9, 0.5, 0.2, 0.1]])))
    detector.open()
    with pytest.raises(ModelError, match="not finite; check the weights"):
        detector.find(Frame(np.zeros((20, 40, 3), np.uint8), 0, 0.0, "clip"))


@pytest.mark.parametrize("settings", [{"box_score": 1.1}, {"merge_iou": -0.1}, {"pair_limit": 0}])
def test_settings_that_cannot_be_are_refused(settings):
    with pytest.raises(UsageError, match="merging pairs"):
        MergeSettings(**settings)
