import numpy as np
import pytest

from videohoi.errors import UsageError
from videohoi.interact.pairs import build_pairs
from videohoi.structures import Detections


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
