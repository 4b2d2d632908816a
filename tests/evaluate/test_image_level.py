"""Image-level HICO: average precision of whole pictures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.errors import UsageError
from videohoi.evaluate.hico.image_level import all_points, image_level_precision, labels_of


def precision(scores, labels, **options):
    column = image_level_precision(np.array(scores, float)[:, None], np.array(labels, np.int8)[:, None], **options)
    return column.average_precisions[0]


def test_by_hand():
    # ranks: right, wrong, right -> 1 at recall 0.5, 2/3 at recall 1
    assert precision([0.9, 0.8, 0.7, 0.1], [1, -1, 1, -1]) == pytest.approx((1 + 2 / 3) / 2)
    assert precision([0.9, 0.8, 0.7], [1, -1, 1], method="eleven_points") == pytest.approx((6 + 5 * 2 / 3) / 11)


def test_precision_is_interpolated():
    # wrong, right, right: the second hit's 2/3 also holds at the first
    assert precision([0.9, 0.8, 0.7], [-1, 1, 1]) == pytest.approx(2 / 3)


def test_ambiguous_pictures_count_neither_way():
    assert precision([0.9, 0.8, 0.7], [0, 1, -1]) == 1.0


def test_a_class_without_positives_is_unknown_and_left_out_of_the_mean():
    scores = image_level_precision(np.array([[0.9, 0.1], [0.1, 0.2]]), np.array([[1, -1], [-1, -1]], np.int8))
    assert np.isnan(scores.average_precisions[1])
    assert scores.mean() == 1.0
    assert np.isnan(scores.mean(np.array([False, True])))
    assert scores.positives.tolist() == [1, 0]


@given(st.lists(st.booleans(), min_size=1, max_size=12).filter(any))
@settings(deadline=None, max_examples=60)
def test_the_area_equals_that_of_the_plain_definition(outcomes):
    right = np.array(outcomes)
    recall = np.concatenate([[0.0], np.cumsum(right) / right.sum(), [1.0]])
    precisions = np.concatenate([[0.0], np.cumsum(right) / np.arange(1, len(right) + 1), [0.0]])
    for place in range(len(precisions) - 1, 0, -1):
        precisions[place - 1] = max(precisions[place - 1], precisions[place])
    area = sum((recall[n + 1] - recall[n]) * precisions[n + 1] for n in range(len(recall) - 1))
    assert all_points(right, int(right.sum())) == pytest.approx(area)


def test_labels_of_a_mask():
    labels = labels_of(np.array([[True, False, False]]), np.array([[True, True, False]]))
    assert labels.tolist() == [[1, 0, -1]]


@pytest.mark.parametrize(
    ("scores", "labels", "method", "message"),
    [
        (np.zeros((2, 3)), np.ones((2, 2), np.int8), "all_points", "expected scores and labels"),
        (
            np.full((1, 1), np.nan),
            np.ones((1, 1), np.int8),
            "all_points",
            "picture 0, class 0: expected a finite score",
        ),
        (np.zeros((1, 1)), np.full((1, 1), 3, np.int8), "all_points", "expected labels 1, 0, -1"),
        (np.zeros((1, 1)), np.ones((1, 1), np.int8), "trapezoid", "got 'trapezoid'"),
    ],
)
def test_what_cannot_be_scored_is_an_error(scores, labels, method, message):
    with pytest.raises(UsageError, match=message):
        image_level_precision(scores, labels, method=method)
