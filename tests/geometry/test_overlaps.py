"""The public overlaps: equal to their numpy twins bit for bit, whatever the layout of the boxes in memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from videohoi.geometry.boxes import pairwise_giou, pairwise_iou
from videohoi.geometry.overlaps import box_giou, box_iou, warm_up

NUMBERS = st.one_of(
    st.integers(-5, 20).map(float),
    st.sampled_from([np.nan, np.inf, -np.inf, 1e30, -1e30]),
    st.floats(-50, 50, width=32),
)
BOXES = hnp.arrays(np.float32, st.tuples(st.integers(0, 19), st.just(4)), elements=NUMBERS)


@settings(deadline=None, max_examples=60)
@given(BOXES, BOXES)
def test_compiled_overlaps_equal_their_twins_to_the_last_bit(a, b):
    assert np.array_equal(box_iou(a, b), pairwise_iou(a, b))
    assert np.array_equal(box_giou(a, b), pairwise_giou(a, b))


@pytest.mark.parametrize(("rows", "columns"), [(0, 5), (5, 0), (1, 1), (3, 33), (40, 7)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_width_of_the_inner_loop(rows, columns, dtype):
    rng = np.random.default_rng(rows + columns)
    a, b = (np.cumsum(rng.uniform(0, 60, (n, 2, 2)), axis=1).reshape(n, 4).astype(dtype) for n in (rows, columns))
    assert box_iou(a, b).shape == (rows, columns)
    assert np.array_equal(box_iou(a, b), pairwise_iou(a, b))
    assert np.array_equal(box_giou(a, b), pairwise_giou(a, b))


def test_boxes_at_the_origin_do_not_meet_boxes_without_area():
    """Boxes without area are held as points at the origin inside: no other box may find them there."""
    around = np.array([[-5, -5, 5, 5], [0, 0, 5, 5]], np.float32)
    nothing = np.array([[3, 3, 3, 9], [9, 9, 1, 1], [np.nan, 0, 1, 1], [0, 0, 0, 0]], np.float32)
    assert not box_iou(around, nothing).any()
    assert not box_iou(nothing, around).any()


def test_strided_boxes_and_twins_on_request():
    wide = np.arange(80, dtype=np.float32).reshape(10, 8)
    a, b = wide[:, ::2], np.asfortranarray(wide[:, :4] + 0.5)
    assert np.array_equal(box_iou(a, b), box_iou(a, b, compiled=False))
    assert np.array_equal(box_giou(a, b), box_giou(a, b, compiled=False))


def test_wrong_shapes_are_named():
    boxes = np.zeros((2, 4), np.float32)
    with pytest.raises(ValueError, match=r"box_iou.boxes_b_px must have shape \(any, 4\), got \(4,\)"):
        box_iou(boxes, boxes[0])
    with pytest.raises(ValueError, match=r"box_giou.boxes_a_px must have shape"):
        box_giou(boxes[:, :3], boxes)


def test_warm_up_runs():
    warm_up()
