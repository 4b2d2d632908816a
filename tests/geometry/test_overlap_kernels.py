"""The search for overlapping pairs against looking at every pair."""

import numpy as np
import pytest

from videohoi.geometry._overlap_kernels import FLOAT_ROWS, INT_ROWS, overlaps_kernel


def pairs(rows, columns, scores, limit, fused):
    """{(row, column): gain} as the kernel finds them."""
    size = max(len(rows), len(columns)) + 2
    starts, places, gains = overlaps_kernel(
        np.ascontiguousarray(rows.T),
        np.arange(len(rows)),
        len(rows),
        np.ascontiguousarray(columns.T),
        scores,
        np.arange(len(columns)),
        len(columns),
        limit,
        fused,
        np.zeros(size, np.int64),
        np.zeros((INT_ROWS, size), np.int64),
        np.zeros((FLOAT_ROWS, size)),
    )
    found = {}
    for row in range(len(rows)):
        for edge in range(starts[row], starts[row + 1]):
            assert (row, int(places[edge])) not in found
            found[row, int(places[edge])] = gains[edge]
    return found


def every_pair(rows, columns, scores, limit, fused):
    found = {}
    for r, (x1, y1, x2, y2) in enumerate(rows):
        for c, (a1, b1, a2, b2) in enumerate(columns):
            width, height = min(x2, a2) - max(x1, a1) + 1, min(y2, b2) - max(y1, b1) + 1
            inter = max(width, 0) * max(height, 0)
            iou = inter / ((x2 - x1 + 1) * (y2 - y1 + 1) + (a2 - a1 + 1) * (b2 - b1 + 1) - inter)
            gain = limit - (1 - iou * (scores[c] if fused else 1))
            if gain > 1e-15:
                found[r, c] = gain
    return found


def boxes_of(rng, count, spread, side):
    corners = rng.uniform(-spread, spread, (count, 2))
    return np.concatenate([corners, corners + rng.uniform(1, side, (count, 2))], 1)


@pytest.mark.parametrize("spread", [10.0, 500.0, 5e10])
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (0, 5), (5, 0), (7, 3), (60, 90)])
@pytest.mark.parametrize("fused", [True, False])
def test_the_pairs_are_those_of_looking_at_all(spread, rows, columns, fused):
    rng = np.random.default_rng(rows)
    one, other = boxes_of(rng, rows, spread, 120), boxes_of(rng, columns, spread, 120)
    if columns > 20:
        other[3] = [-spread, -spread, spread, spread]  # one as wide as all
        other[4:8] = other[4]
        one[:4] = other[5]
    scores = rng.uniform(0, 1, columns)
    for limit in (0.15, 0.8, 0.99):
        found, expected = pairs(one, other, scores, limit, fused), every_pair(one, other, scores, limit, fused)
        assert found.keys() == expected.keys()
        for pair, gain in expected.items():
            assert found[pair] == pytest.approx(gain, abs=1e-12)


def test_boxes_that_touch_within_a_pixel_overlap():
    row, column = np.array([[0.0, 0.0, 9.0, 9.0]]), np.array([[9.5, 0.0, 18.5, 9.0]])
    # sides are counted in pixels: 10 wide each, half a pixel shared
    assert pairs(row, column, np.ones(1), 0.99, False) == {(0, 0): pytest.approx(0.99 - (1 - 5 / 195))}


def test_all_on_one_line_are_found():
    boxes = np.tile([[5.0, 5.0, 20.0, 20.0]], (50, 1))
    assert len(pairs(boxes, boxes, np.ones(50), 0.5, False)) == 2500
