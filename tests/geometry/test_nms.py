"""Class-aware suppression: hand-worked cases, equality with the numpy twin, properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_nms import plain_nms

from videohoi.errors import UsageError
from videohoi.geometry.boxes import class_aware_nms, pairwise_iou


def crowd(count, seed=0, classes=3):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 300, (count, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(5, 120, (count, 2))], 1).astype(np.float32)
    return boxes, rng.uniform(0, 1, count).astype(np.float32), rng.integers(0, classes, count)


def test_better_box_wins_within_its_class_only():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 9], [50, 50, 60, 60]], np.float32)
    scores = np.array([0.6, 0.9, 0.5, 0.1], np.float32)
    # row 0 overlaps row 1 by 0.9 and is worse; row 2 is another class; row 3 is elsewhere
    assert class_aware_nms(boxes, scores, np.array([7, 7, 8, 7]), iou_threshold=0.5).tolist() == [1, 2, 3]
    assert class_aware_nms(boxes, scores, np.zeros(4, np.int64), iou_threshold=0.5).tolist() == [1, 3]
    assert class_aware_nms(boxes, scores, np.zeros(4, np.int64), iou_threshold=0.5, limit=1).tolist() == [1]


def test_overlap_equal_to_the_threshold_is_kept():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 5]], np.float32)  # IoU exactly 0.5
    scores = np.array([0.9, 0.8], np.float32)
    assert class_aware_nms(boxes, scores, np.zeros(2, np.int64), iou_threshold=0.5).tolist() == [0, 1]


def test_equal_scores_keep_their_order():
    boxes = np.array([[0, 0, 10, 10]] * 3 + [[90, 0, 99, 10]], np.float32)
    kept = class_aware_nms(boxes, np.full(4, 0.5, np.float32), np.zeros(4, np.int64), iou_threshold=0.5)
    assert kept.tolist() == [0, 3]


def test_rows_that_are_not_finite_are_never_kept_and_suppress_nothing():
    boxes = np.array([[0, 0, np.nan, 10], [0, 0, 10, 10], [0, 0, 10, 10], [3, 3, 3, 3]], np.float32)
    scores = np.array([0.9, np.nan, 0.8, 0.7], np.float32)
    kept = class_aware_nms(boxes, scores, np.zeros(4, np.int64), iou_threshold=0.5)
    assert kept.tolist() == [2, 3]
    twin = plain_nms(boxes, scores, np.zeros(4, np.int64), iou_threshold=0.5)
    assert kept.tolist() == twin.tolist()


@pytest.mark.parametrize("count", [0, 1, 2, 40, 300])
def test_equals_the_plain_definition(count):
    boxes, scores, classes = crowd(count, seed=count)
    for threshold in (0.0, 0.45, 1.0):
        kept = class_aware_nms(boxes, scores, classes, iou_threshold=threshold, limit=50)
        twin = plain_nms(boxes, scores, classes, iou_threshold=threshold, limit=50)
        assert np.array_equal(kept, twin)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 60), st.integers(0, 1000), st.floats(0.1, 0.9))
def test_what_is_kept_does_not_overlap_and_what_goes_does(count, seed, threshold):
    boxes, scores, classes = crowd(count, seed)
    kept = class_aware_nms(boxes, scores, classes, iou_threshold=threshold)
    clash = (pairwise_iou(boxes, boxes) > threshold) & (classes[:, None] == classes[None])
    assert not (clash[np.ix_(kept, kept)] & ~np.eye(len(kept), dtype=bool)).any()
    for row in set(range(count)) - set(kept.tolist()):
        assert any(clash[row, k] and scores[k] >= scores[row] for k in kept)
    again = class_aware_nms(boxes[kept], scores[kept], classes[kept], iou_threshold=threshold)
    assert np.array_equal(again, np.arange(len(kept)))


def test_wrong_arguments_are_named():
    boxes, scores, classes = crowd(3)
    with pytest.raises(UsageError, match=r"iou_threshold must lie in \[0, 1\], got 1.5"):
        class_aware_nms(boxes, scores, classes, iou_threshold=1.5)
    with pytest.raises(UsageError, match="limit must be 0 or more"):
        class_aware_nms(boxes, scores, classes, iou_threshold=0.5, limit=-1)
    with pytest.raises(ValueError, match=r"scores must have shape \(3\), got \(2,\)"):
        class_aware_nms(boxes, scores[:2], classes, iou_threshold=0.5)
