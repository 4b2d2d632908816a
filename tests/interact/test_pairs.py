"""Pairs of a frame, and detector features under their boxes."""

import numpy as np
import pytest

from videohoi.errors import UsageError
from videohoi.interact.pairs import build_pairs, pool_boxes, pool_pairs
from videohoi.structures import Detections, FeatureMap


def detections(classes, scores):
    boxes = np.tile(np.array([[0, 0, 10, 10]], np.float32), (len(classes), 1))
    return Detections(boxes, np.array(scores, np.float32), np.array(classes, np.int64))


def rows(pairs):
    return list(zip(pairs.human_rows.tolist(), pairs.object_rows.tolist(), strict=True))


def test_best_product_first_humans_pair_with_humans_but_not_with_themselves():
    pairs = build_pairs(detections([0, 5, 0], [0.9, 0.5, 0.8]), 0, human_score=0.3, object_score=0.3)
    assert rows(pairs) == [(0, 2), (2, 0), (0, 1), (2, 1)]
    assert pairs.truncated == 0


def test_each_kind_has_its_own_threshold():
    found = detections([0, 0, 5, 5], [0.9, 0.35, 0.35, 0.2])
    assert rows(build_pairs(found, 0, human_score=0.4, object_score=0.3)) == [(0, 2)]
    assert rows(build_pairs(found, 0, human_score=0.3, object_score=0.4)) == [(0, 1), (1, 0)]


def test_the_cap_keeps_the_best_and_counts_the_rest():
    found = detections([0] * 10 + [5], [0.5] * 10 + [0.99])
    pairs = build_pairs(found, 0, human_score=0.3, object_score=0.3, limit=12)
    assert len(pairs) == 12
    assert pairs.truncated == 10 * 10 - 12
    assert set(rows(pairs)[:10]) == {(human, 10) for human in range(10)}


@pytest.mark.parametrize("classes", [[], [0], [5, 6]])
def test_nobody_nothing_or_no_human_is_an_empty_result(classes):
    pairs = build_pairs(detections(classes, [0.9] * len(classes)), 0, human_score=0.3, object_score=0.3)
    assert (len(pairs), pairs.truncated) == (0, 0)


def test_a_cap_below_one_is_refused():
    with pytest.raises(UsageError, match="limit"):
        build_pairs(detections([0, 1], [1, 1]), 0, human_score=0, object_score=0, limit=0)


RAMP = FeatureMap(np.arange(12, dtype=np.float32).reshape(1, 3, 4), (10.0, 20.0))  # 40 x 60 px


def pooled(*box):
    return float(pool_boxes(RAMP, np.array([box], np.float32))[0, 0])


def test_cells_count_by_the_share_a_box_covers():
    assert pooled(0, 0, 40, 60) == pytest.approx(5.5)  # everything
    assert pooled(10, 20, 20, 40) == pytest.approx(5)  # exactly cell (1, 1)
    assert pooled(10, 20, 30, 40) == pytest.approx(5.5)  # cells 5 and 6
    assert pooled(15, 20, 30, 40) == pytest.approx((0.5 * 5 + 6) / 1.5)  # half of cell 5


def test_tiny_and_outside_boxes_take_the_nearest_cell():
    assert pooled(15, 30, 15, 30) == pytest.approx(5)
    assert pooled(-500, -500, -400, -400) == pytest.approx(0)
    assert pooled(900, 900, 950, 950) == pytest.approx(11)


def test_pairs_get_human_object_and_union():
    human, other = np.array([[0, 0, 10, 20]], np.float32), np.array([[30, 40, 40, 60]], np.float32)
    assert pool_pairs(RAMP, human, other)[0] == pytest.approx([0, 11, 5.5])
    assert pool_pairs(RAMP, human[:0], other[:0]).shape == (0, 3)
