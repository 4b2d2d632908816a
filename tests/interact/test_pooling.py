import numpy as np
import pytest

from videohoi.interact.pooling import pool_boxes, pool_pairs
from videohoi.structures import FeatureMap

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
