"""The strongest cells of a table of scores: compiled, plain, and as QPIC's list of dictionaries picks them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from videohoi.evaluate.dense import class_table, dense_predictions, strongest

TABLES = st.tuples(st.integers(0, 4), st.integers(1, 5)).flatmap(
    lambda shape: st.tuples(
        arrays.arrays(np.float64, shape, elements=st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0])),
        arrays.arrays(np.int64, shape, elements=st.integers(-1, 3)),
    )
)


@given(TABLES, st.sampled_from([0, 1, 3, 7, 100]))
@settings(deadline=None, max_examples=60)
def test_compiled_and_plain_agree(table, limit):
    for one, other in zip(strongest(*table, limit), strongest(*table, limit, compiled=False), strict=True):
        np.testing.assert_array_equal(one, other)


@given(TABLES, st.integers(1, 8))
@settings(deadline=None, max_examples=60)
def test_the_choice_is_that_of_a_sorted_list(table, limit):
    scores, classes = table
    cells = [(score * (c >= 0), c, n) for n, (score, c) in enumerate(zip(scores.ravel(), classes.ravel(), strict=True))]
    cells.sort(key=lambda cell: cell[0], reverse=True)  # stable, as QPIC's list
    wanted = [(n // scores.shape[1], c) for _, c, n in cells[:limit] if c >= 0]
    pairs, ids, _ = strongest(scores, classes, limit)
    assert list(zip(pairs.tolist(), ids.tolist(), strict=True)) == wanted


def test_without_limit_every_possible_cell_comes_best_first():
    pairs, ids, scores = strongest(np.array([[0.1, 0.9], [0.5, 0.2]]), np.array([[4, -1], [5, 6]]), None)
    assert pairs.tolist() == [1, 1, 0]
    assert ids.tolist() == [5, 6, 4]
    assert scores.tolist() == [0.5, 0.2, 0.1]


def test_single_precision_scores_keep_their_value():
    table = np.array([[0.3]], np.float32)
    assert strongest(table, np.array([[0]]), 1)[2][0] == np.float64(np.float32(0.3))


def test_triplets_of_a_picture():
    boxes = np.array([[0, 0, 1, 1], [2, 2, 3, 3], [4, 4, 5, 5]], np.float32)
    found = dense_predictions(
        7, boxes, np.array([0, 0]), np.array([1, 2]), np.array([[0.1], [0.2]]), np.array([[3], [3]]), 1
    )
    assert found.image_rows.tolist() == [7]
    assert found.object_boxes_xyxy_px.tolist() == [[4, 4, 5, 5]]
    assert found.human_boxes_xyxy_px.dtype == np.float64


def test_a_class_table_knows_what_goes_together():
    table = class_table(np.array([1, 0, 1]), ((0, 1), (2, 1), (1, 0)), 2, 3)
    assert table.tolist() == [[0, -1, 1], [-1, 2, -1], [0, -1, 1]]


@pytest.mark.parametrize("limit", [0, 3])
def test_no_pairs_no_triplets(limit):
    pairs, ids, scores = strongest(np.zeros((0, 4)), np.zeros((0, 4), np.int64), limit)
    assert len(pairs) == len(ids) == len(scores) == 0
