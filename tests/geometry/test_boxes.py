"""Box helpers and overlaps: hand-worked values, and the compiled kernels against their numpy twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from videohoi.geometry.boxes import box_areas, box_centres, pairwise_iou

NAN, INF = np.nan, np.inf
ODD_BOXES = np.array(
    [
        [0, 0, 10, 10],
        [5, 5, 15, 15],
        [3, 3, 3, 9],  # no width
        [4, 4, 4, 4],  # a point
        [9, 9, 1, 1],  # inverted in both sides: the product of two negative sides is no area
        [9, 1, 1, 9],  # inverted in x
        [NAN, 0, 10, 10],
        [0, 0, NAN, NAN],
        [0, 0, INF, 10],
        [-INF, -INF, INF, INF],
    ],
    np.float32,
)
grid_boxes = hnp.arrays(
    np.float32,
    st.tuples(st.integers(0, 6), st.just(4)),
    elements=st.one_of(st.integers(-5, 20).map(float), st.sampled_from([NAN, INF, -INF]), st.floats(-50, 50, width=32)),
)


def test_helpers_by_hand():
    boxes = np.array([[10, 20, 30, 60]], np.float32)
    assert box_areas(boxes).tolist() == [800.0]
    assert box_centres(boxes).tolist() == [[20.0, 40.0]]


def test_boxes_without_area_have_none():
    assert box_areas(ODD_BOXES).tolist() == [100.0, 100.0] + [0.0] * 8


def test_iou_by_hand():
    a = np.array([[0, 0, 10, 10]], np.float32)
    b = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 0, 30, 10]], np.float32)
    assert pairwise_iou(a, b)[0] == pytest.approx([1.0, 50 / 150, 0.0])


@pytest.mark.parametrize(("rows", "cols"), [(0, 0), (0, 3), (3, 0), (1, 1), (7, 5)])
def test_overlaps_have_the_shape_of_both(rows, cols):
    rng = np.random.default_rng(rows * 10 + cols)
    a, b = (rng.uniform(0, 100, (n, 4)).astype(np.float32) for n in (rows, cols))
    assert pairwise_iou(a, b).shape == (rows, cols)


def test_degenerate_boxes_overlap_nothing():
    iou = pairwise_iou(ODD_BOXES, ODD_BOXES)
    assert np.isfinite(iou).all()
    assert (iou[2:] == 0).all()


@settings(deadline=None, max_examples=60)
@given(grid_boxes, grid_boxes)
def test_overlaps_are_bounded_and_symmetric(a, b):
    iou = pairwise_iou(a, b)
    assert ((iou >= 0) & (iou <= 1)).all()
    assert np.array_equal(iou, pairwise_iou(b, a).T)


@pytest.mark.parametrize("helper", [box_areas, box_centres])
def test_wrong_shape_is_named(helper):
    with pytest.raises(ValueError, match=r"must have shape \(any, 4\), got \(3,\)"):
        helper(np.zeros(3, np.float32))
