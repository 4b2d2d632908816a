"""Compiled search for the pairs of boxes that overlap enough, without looking at every pair.

One side is put in order of its left edge by counting into buckets, so that a box meets only those that begin where an
overlap is possible. The arithmetic of a pair is that of ``cython_bbox.bbox_overlaps``, which BYTE's public code uses: a
box from pixel 3 to pixel 5 is 3 wide, so sides are x2 - x1 + 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry._assignment_kernels import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Edges = tuple[Ints, Ints, Floats]
"""where each row's pairs start, their columns, their gains: what ``match_kernel`` takes"""

INT_ROWS = 4
"""rows of integer working space, each one longer than there are boxes on either side"""
FLOAT_ROWS = 6
"""the same of float64"""

_PER_BUCKET = 4
"""boxes a bucket holds on average: finding a bucket costs about as much as testing this many pairs"""
_SPAN_LIMIT_PX = 1e9
"""positions spread wider than this leave no room for buckets in float64"""


@compiled
def _bucket(left: float, first: float, per_px: float, buckets: int) -> int:
    place = (left - first) * per_px
    if place <= 0.0:
        return 0
    if place >= buckets - 1:
        return buckets - 1
    return int(place)


@compiled
def _layout(corners: Floats, members: Ints, count: int) -> tuple[float, float, int, float]:
    """Least left edge, buckets per pixel, number of buckets, greatest width."""
    first, last, widest = np.inf, -np.inf, 0.0
    for k in range(count):
        left = corners[0, members[k]]
        first, last = min(first, left), max(last, left)
        widest = max(widest, corners[2, members[k]] - left)
    buckets = count // _PER_BUCKET
    if buckets < 2 or not 0.0 < last - first < _SPAN_LIMIT_PX:
        return first, 0.0, 1, widest
    return first, buckets / (last - first), buckets, widest


@compiled
def _sort_by_left(
    corners: Floats, scores: Floats, members: Ints, count: int, ints: Ints, floats: Floats
) -> tuple[float, float, int, float]:
    """Fill the working space with ``members`` bucket by bucket; returns the layout."""
    first, per_px, buckets, widest = _layout(corners, members, count)
    begins, order, place, cursor = ints[0], ints[1], ints[2], ints[3]
    begins[: buckets + 1] = 0
    for k in range(count):
        place[k] = _bucket(corners[0, members[k]], first, per_px, buckets)
        begins[place[k] + 1] += 1
    for b in range(buckets):
        begins[b + 1] += begins[b]
        cursor[b] = begins[b]
    for k in range(count):
        at, member = cursor[place[k]], members[k]
        cursor[place[k]] += 1
        order[at] = k
        for side in range(4):
            floats[side, at] = corners[side, member]
        floats[4, at] = (floats[2, at] - floats[0, at] + 1.0) * (floats[3, at] - floats[1, at] + 1.0)
        floats[5, at] = scores[member]
    return first, per_px, buckets, widest


@compiled
def _longer(columns: Ints, gains: Floats) -> tuple[Ints, Floats]:
    count = len(columns)
    more_columns, more_gains = np.empty(2 * count, np.int64), np.empty(2 * count)
    more_columns[:count] = columns
    more_gains[:count] = gains
    return more_columns, more_gains


@compiled
def _gain(iou: float, score: float, fused: bool, limit: float) -> float:
    """``limit`` less the cost, in the very steps of BYTE's ``iou_distance`` and ``fuse_score``."""
    cost = 1.0 - iou
    if fused:
        cost = 1.0 - (1.0 - cost) * score
    return limit - cost


@compiled
def overlaps_kernel(
    row_corners: Floats,
    row_members: Ints,
    rows: int,
    corners: Floats,
    scores: Floats,
    members: Ints,
    count: int,
    limit: float,
    fused: bool,
    starts: Ints,
    ints: Ints,
    floats: Floats,
) -> Edges:
    """Pairs of a row and a column whose cost is under ``limit``, with the gain ``limit`` - cost.

    Boxes are (4, any) arrays of x1, y1, x2, y2; ``row_members`` and ``members`` name the ``rows`` and ``count`` that
    take part. Cost is 1 - IoU, or 1 - IoU * score of the column when ``fused``. Pairs that do not touch have cost 1
    and are never found: ``limit`` must be at most 1. ``starts`` (rows + 1 or longer) is written; ``ints`` and
    ``floats`` are working space.
    """
    first, per_px, buckets, widest = _sort_by_left(corners, scores, members, count, ints, floats)
    begins, order = ints[0], ints[1]
    columns, gains = np.empty(4 * (rows + count) + 4, np.int64), np.empty(4 * (rows + count) + 4)
    found = 0
    for row in range(rows):
        starts[row] = found
        member = row_members[row]
        x1, y1, x2, y2 = row_corners[0, member], row_corners[1, member], row_corners[2, member], row_corners[3, member]
        area = (x2 - x1 + 1.0) * (y2 - y1 + 1.0)
        # one pixel because sides count it, one more for rounding
        low = _bucket(x1 - widest - 2.0, first, per_px, buckets)
        high = _bucket(x2 + 2.0, first, per_px, buckets)
        for at in range(begins[low], begins[high + 1]):
            height = min(y2, floats[3, at]) - max(y1, floats[1, at]) + 1.0
            width = min(x2, floats[2, at]) - max(x1, floats[0, at]) + 1.0
            if width <= 0.0 or height <= 0.0:
                continue
            inter = width * height
            gain = _gain(inter / (area + floats[4, at] - inter), floats[5, at], fused, limit)
            if gain > 0.0:
                if found == len(columns):
                    columns, gains = _longer(columns, gains)
                columns[found], gains[found] = order[at], gain
                found += 1
    starts[rows] = found
    return starts, columns, gains
