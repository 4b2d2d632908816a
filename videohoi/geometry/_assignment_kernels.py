"""Compiled optimal assignment on sparse gains, of the tracker.

Shortest augmenting paths with column prices (Jonker and Volgenant, "A Shortest Augmenting Path Algorithm for Dense and
Sparse Linear Assignment Problems", Computing 38, 1987), one row after another. A path only visits what is
connected to its row by pairs with a gain above 0, so the problem splits into its connected parts by itself. Every row
may also stay unmatched, which is worth 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry.compiled_kernels import inner

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

INT_ROWS = 5
"""rows of integer working space ``match_kernel`` asks for, each as long as there are columns"""
FLOAT_ROWS = 2
"""the same of float64"""

_UNSEEN, _REACHED, _PASSED = 0, 1, 2


@inner
def _reach(
    row: int,
    shift: float,
    edges: tuple[Ints, Ints, Floats],
    count: int,
    ints: Ints,
    floats: Floats,
) -> int:
    """Note every column that ``row`` leads to; ``shift`` is the row's own distance. Returns the number noted so far."""
    starts, columns, gains = edges
    prices, distance = floats[0], floats[1]
    from_row, from_edge, noted, stage = ints[1], ints[2], ints[3], ints[4]
    for edge in range(starts[row], starts[row + 1]):
        column = columns[edge]
        if stage[column] == _PASSED:
            continue
        far = prices[column] - gains[edge] + shift
        if stage[column] == _UNSEEN:
            stage[column] = _REACHED
            noted[count] = column
            count += 1
        elif far >= distance[column]:
            continue
        distance[column] = far
        from_row[column] = row
        from_edge[column] = edge
    return count


@inner
def _nearest(count: int, limit: float, ints: Ints, floats: Floats) -> int:
    """The reached column at the least distance under ``limit``, -1 if there is none."""
    distance, noted, stage = floats[1], ints[3], ints[4]
    best = -1
    for k in range(count):
        column = noted[k]
        if stage[column] == _REACHED and distance[column] < limit:
            limit = distance[column]
            best = column
    return best


@inner
def _settle(count: int, end: float, ints: Ints, floats: Floats) -> None:
    """Raise the prices of the passed columns and forget the search."""
    prices, distance = floats[0], floats[1]
    noted, stage = ints[3], ints[4]
    for k in range(count):
        column = noted[k]
        if stage[column] == _PASSED:
            prices[column] += end - distance[column]
        stage[column] = _UNSEEN


@inner
def _hand_over(row: int, column: int, column_of_row: Ints, row_of_column: Ints, ints: Ints) -> None:
    """Walk back from ``column`` to ``row``: each row on the way takes the column that the search left it by."""
    edge_of_column, from_row, from_edge = ints[0], ints[1], ints[2]
    while True:
        taker = from_row[column]
        left = column_of_row[taker]
        column_of_row[taker] = column
        row_of_column[column] = taker
        edge_of_column[column] = from_edge[column]
        if taker == row:
            return
        column = left


@inner
def _search(
    row: int, edges: tuple[Ints, Ints, Floats], column_of_row: Ints, row_of_column: Ints, ints: Ints, floats: Floats
) -> None:
    """Place ``row`` by the shortest path to a free column, or to a row (perhaps itself) that is better unmatched."""
    gains = edges[2]
    prices, distance = floats[0], floats[1]
    edge_of_column, stage = ints[0], ints[4]
    alone, end = row, 0.0
    count = _reach(row, 0.0, edges, np.int64(0), ints, floats)
    column = _nearest(count, end, ints, floats)
    while column >= 0 and row_of_column[column] >= 0:
        stage[column] = _PASSED
        owner = row_of_column[column]
        shift = distance[column] + gains[edge_of_column[column]] - prices[column]
        if shift < end:
            alone, end = owner, shift
        count = _reach(owner, shift, edges, count, ints, floats)
        column = _nearest(count, end, ints, floats)
    if column >= 0:
        end = distance[column]
    elif alone != row:
        column = column_of_row[alone]
        column_of_row[alone] = -1
    _settle(count, end, ints, floats)
    if column >= 0:
        _hand_over(row, column, column_of_row, row_of_column, ints)


@inner
def match_kernel(
    edges: tuple[Ints, Ints, Floats],
    rows: int,
    count: int,
    column_of_row: Ints,
    row_of_column: Ints,
    ints: Ints,
    floats: Floats,
) -> None:
    """The matching of the greatest total gain of ``rows`` rows and ``count`` columns; -1 for those that stay unmatched.

    ``edges``: (rows + 1,) where each row's pairs start, their columns, their gains. Only gains above 0 matter.
    ``column_of_row`` and ``row_of_column`` are written. ``ints`` (INT_ROWS, >= count) and ``floats`` (FLOAT_ROWS,
    >= count) are working space.
    """
    starts, columns, gains = edges
    prices, edge_of_column, stage = floats[0], ints[0], ints[4]
    for column in range(count):
        row_of_column[column] = -1
        prices[column] = 0.0
        stage[column] = _UNSEEN
    for row in range(rows):
        column_of_row[row] = -1
        best, chosen = 0.0, -1
        for edge in range(starts[row], starts[row + 1]):
            worth = gains[edge] - prices[columns[edge]]
            if worth > best:
                best, chosen = worth, edge
        if chosen < 0:
            continue
        column = columns[chosen]
        if row_of_column[column] < 0:
            column_of_row[row] = column
            row_of_column[column] = row
            edge_of_column[column] = chosen
        else:
            _search(row, edges, column_of_row, row_of_column, ints, floats)
