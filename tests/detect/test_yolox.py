from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.detect.box_selection import SelectionSettings, select_boxes
from videohoi.detect.yolox import decode_grid, grid_cells

HW = (64, 96)
CELLS = 8 * 12 + 4 * 6 + 2 * 3


def empty_grid(classes: int = 80) -> np.ndarray:
    return np.zeros((CELLS, 5 + classes), np.float32)


def plant(grid, row, *, box=(0.5, 0.5, 0.0, 0.0), objectness=1.0, class_id=0, odds=0.9):
    grid[row, :4] = box
    grid[row, 4] = objectness
    grid[row, 5 + class_id] = odds


def boxes_of(grid, scale, picture_hw, settings: SelectionSettings, decoded: bool = False):
    candidates = decode_grid(grid, HW, settings.network_threshold, decoded)
    return select_boxes(candidates, scale, picture_hw, settings)


def reference(grid, hw, scale, picture_hw, settings: SelectionSettings):
    """The same in plain loops, straight from the description of the format."""
    rows, row = [], 0
    for stride in (8, 16, 32):
        for y in range(hw[0] // stride):
            for x in range(hw[1] // stride):
                value = grid[row].astype(np.float64)
                class_id = int(np.argmax(value[5:]))
                score = np.float32(grid[row, 4] * grid[row, 5 + class_id])
                centre_x, centre_y = (value[0] + x) * stride, (value[1] + y) * stride
                width, height = math.exp(value[2]) * stride, math.exp(value[3]) * stride
                box = (centre_x - width / 2, centre_y - height / 2, centre_x + width / 2, centre_y + height / 2)
                box = tuple(side / scale[index % 2] for index, side in enumerate(box))
                if score >= np.float32(settings.score_threshold):
                    rows.append((score, row, class_id, box))
                row += 1
    rows.sort(key=lambda item: (-item[0], item[1]))
    kept = []
    for candidate in rows:
        if all(k[2] != candidate[2] or overlap(k[3], candidate[3]) <= settings.nms_iou for k in kept):
            kept.append(candidate)
    kept = kept[: settings.max_detections]
    clipped = [
        (s, c, tuple(min(max(side, 0), picture_hw[1 - index % 2]) for index, side in enumerate(b)))
        for s, _, c, b in kept
    ]
    return [(s, c, b) for s, c, b in clipped if b[2] - b[0] >= 1 and b[3] - b[1] >= 1]


def overlap(first, second):
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    area = [(b[2] - b[0]) * (b[3] - b[1]) for b in (first, second)]
    return width * height / (sum(area) - width * height)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.05, 0.3]), st.sampled_from([3, 100]))
def test_equal_to_a_loop_over_the_cells(seed, threshold, limit):
    rng = np.random.default_rng(seed)
    grid = empty_grid(classes=4)
    grid[:, :2] = rng.uniform(-0.5, 1.5, (CELLS, 2))
    grid[:, 2:4] = rng.normal(1.0, 0.7, (CELLS, 2))
    grid[:, 4:] = rng.random((CELLS, 5))
    how = SelectionSettings(score_threshold=threshold, nms_iou=0.45, max_detections=limit)
    found = boxes_of(grid, (0.5, 0.4), (130, 180), how)
    expected = reference(grid, HW, (0.5, 0.4), (130, 180), how)
    assert found.class_ids.tolist() == [class_id for _, class_id, _ in expected]
    np.testing.assert_allclose(found.scores, [score for score, _, _ in expected], rtol=1e-6)
    np.testing.assert_allclose(found.boxes_xyxy_px, np.reshape([b for *_, b in expected], (-1, 4)), atol=2e-3)


def test_cells_run_row_by_row_through_the_strides():
    cells = grid_cells(*HW)
    assert len(cells) == CELLS
    assert cells[1].tolist() == [1, 0, 8]
    assert cells[12].tolist() == [0, 1, 8]
    assert cells[96].tolist() == [0, 0, 16]
    assert cells[-1].tolist() == [2, 1, 32]


def test_one_cell_by_hand():
    """Stride 16, cell (2, 1): centre (2.5, 1.5) * 16, twice as wide as a cell; the picture is twice the network's."""
    grid = empty_grid()
    plant(grid, 96 + 6 + 2, box=(0.5, 0.5, math.log(2), 0.0), objectness=0.8, class_id=17, odds=0.5)
    found = boxes_of(grid, (0.5, 0.5), (128, 192), SelectionSettings())
    np.testing.assert_allclose(found.boxes_xyxy_px, [[48, 32, 112, 64]], rtol=1e-5)
    assert found.class_ids.tolist() == [17]
    assert found.scores == pytest.approx([0.4])


def test_score_is_the_product_and_the_threshold_is_inclusive():
    grid = empty_grid()
    plant(grid, 0, objectness=0.5, odds=0.5)
    plant(grid, 40, objectness=0.5, odds=0.49)
    assert len(boxes_of(grid, (1, 1), HW, SelectionSettings(score_threshold=0.25)).scores) == 1


def test_same_place_other_class_stays_same_class_goes():
    grid = empty_grid()
    plant(grid, 96, box=(0.5, 0.5, 0, 0), class_id=0, odds=0.9)
    plant(grid, 97, box=(-0.5, 0.5, 0, 0), class_id=0, odds=0.8)  # neighbour cell, same box
    plant(grid, 102, box=(0.5, -0.5, 0, 0), class_id=1, odds=0.7)  # cell below, same box, another class
    found = boxes_of(grid, (1, 1), HW, SelectionSettings())
    assert found.class_ids.tolist() == [0, 1]


def test_one_thing_under_two_names_keeps_the_surer_one_but_never_a_human_for_a_thing():
    grid = empty_grid()
    plant(grid, 96, box=(0.5, 0.5, 0, 0), class_id=0, odds=0.7)
    plant(grid, 97, box=(-0.5, 0.5, 0, 0), class_id=29, odds=0.9)  # neighbour cell, same box
    plant(grid, 102, box=(0.5, -0.5, 0, 0), class_id=32, odds=0.8)  # cell below, same box
    found = boxes_of(grid, (1, 1), HW, SelectionSettings(cross_class_iou=0.65))
    assert found.class_ids.tolist() == [29, 0]


def test_one_body_is_not_both_human_and_animal_and_a_rider_is_not_the_horse():
    grid = empty_grid()
    plant(grid, 96, box=(0.5, 0.5, 0, 0), class_id=0, odds=0.7)
    plant(grid, 97, box=(-0.5, 0.5, 0, 0), class_id=16, odds=0.9)  # neighbour cell, same box: a dog
    plant(grid, 100, box=(0.5, 0.5, 0, 0), class_id=0, odds=0.8)
    plant(grid, 101, box=(-0.25, 0.5, 0, 0), class_id=17, odds=0.9)  # a quarter of a cell aside: IoU 0.6
    kept = boxes_of(grid, (1, 1), HW, SelectionSettings(human_object_iou=0.7))
    assert kept.class_ids.tolist() == [16, 17, 0]
    assert kept.scores == pytest.approx([0.9, 0.9, 0.8])
    assert sorted(boxes_of(grid, (1, 1), HW, SelectionSettings()).class_ids.tolist()) == [0, 0, 16, 17]


def test_the_exponent_moves_scores_and_the_threshold_counts_after_it():
    grid = empty_grid()
    plant(grid, 0, objectness=0.5, odds=0.5)
    plant(grid, 40, objectness=0.5, odds=0.48)
    found = boxes_of(grid, (1, 1), HW, SelectionSettings(score_threshold=0.499, score_exponent=0.5))
    assert found.scores == pytest.approx([0.5])  # sqrt(0.25)


def test_equal_scores_keep_grid_order():
    grid = empty_grid()
    for row in (50, 3, 20):
        plant(grid, row, class_id=row)
    assert boxes_of(grid, (1, 1), HW, SelectionSettings()).class_ids.tolist() == [3, 20, 50]


def test_boxes_end_at_the_picture_and_boxes_outside_go():
    grid = empty_grid()
    plant(grid, 0, box=(0.5, 0.5, 2.0, 2.0), class_id=0)
    plant(grid, 11, class_id=1)  # columns 88-96: in the padding of a picture that is 80 wide
    found = boxes_of(grid, (1, 1), (64, 80), SelectionSettings())
    assert found.class_ids.tolist() == [0]
    assert found.boxes_xyxy_px[0, :2].tolist() == [0, 0]


def test_numbers_beyond_reason_do_no_harm():
    grid = empty_grid()
    plant(grid, 0, box=(np.nan, 0.5, 0, 0), class_id=0)
    plant(grid, 1, box=(0.5, 0.5, np.inf, 0), class_id=1)
    plant(grid, 2, box=(0.5, 0.5, 1e30, 1e30), class_id=2)
    plant(grid, 3, objectness=np.nan, class_id=3)
    plant(grid, 4, class_id=4)
    found = boxes_of(grid, (1, 1), HW, SelectionSettings())
    assert np.isfinite(found.boxes_xyxy_px).all()
    assert 4 in found.class_ids
    assert not {0, 3} & set(found.class_ids.tolist())


def test_nothing_found_has_the_right_shapes():
    found = boxes_of(empty_grid(), (1, 1), HW, SelectionSettings())
    assert found.boxes_xyxy_px.shape == (0, 4)
    assert (found.boxes_xyxy_px.dtype, found.scores.dtype, found.class_ids.dtype) == (np.float32, np.float32, np.int64)


def test_decoded_grid_is_taken_as_it_is():
    grid = empty_grid()
    plant(grid, 7, box=(40, 30, 20, 10), class_id=5)
    found = boxes_of(grid, (1, 1), HW, SelectionSettings(), decoded=True)
    np.testing.assert_allclose(found.boxes_xyxy_px, [[30, 25, 50, 35]])


def test_the_best_hundred_are_kept():
    grid = empty_grid()
    for row in range(CELLS):
        plant(grid, row, class_id=row % 80, odds=0.5 + row / 1000)
    found = boxes_of(grid, (1, 1), HW, SelectionSettings())
    assert len(found.scores) == 100
    assert found.scores.min() == pytest.approx(0.5 + (CELLS - 100) / 1000, abs=1e-4)
