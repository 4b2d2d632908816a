"""Compiled choice of the strongest triplets of a picture from a table of scores; ``dense.py`` has the twin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry.compiled_kernels import vectorised

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@vectorised
def _weaker(score: float, cell: int, other_score: float, other_cell: int) -> bool:
    return score < other_score or (score == other_score and cell > other_cell)


@vectorised
def _sink(scores: Floats, cells: Ints, size: int) -> None:
    """Restore the heap (weakest first) after its root was replaced."""
    place = 0
    while True:
        weakest, left = place, 2 * place + 1
        for child in range(left, min(left + 2, size)):
            if _weaker(scores[child], cells[child], scores[weakest], cells[weakest]):
                weakest = child
        if weakest == place:
            return
        scores[place], scores[weakest] = scores[weakest], scores[place]
        cells[place], cells[weakest] = cells[weakest], cells[place]
        place = weakest


@vectorised
def _rise(scores: Floats, cells: Ints, place: int) -> None:
    while place > 0:
        parent = (place - 1) // 2
        if not _weaker(scores[place], cells[place], scores[parent], cells[parent]):
            return
        scores[place], scores[parent] = scores[parent], scores[place]
        cells[place], cells[parent] = cells[parent], cells[place]
        place = parent


@vectorised
def strongest_cells(table: NDArray[np.floating[Any]], classes: Ints, limit: int) -> tuple[Ints, Floats]:
    """Cells (row * C + column) and scores of the ``limit`` strongest cells, in order of cell."""
    scores, cells, size = np.empty(limit, np.float64), np.empty(limit, np.int64), 0
    columns = table.shape[1]
    for row in range(table.shape[0]):
        for column in range(columns):
            score = np.float64(table[row, column])
            if classes[row, column] < 0:
                score = 0.0
            if size < limit:
                scores[size], cells[size] = score, row * columns + column
                size += 1
                _rise(scores, cells, size - 1)
            elif limit > 0 and score > scores[0]:  # an equal score comes later, so it is weaker
                scores[0], cells[0] = score, row * columns + column
                _sink(scores, cells, size)
    return cells[:size], scores[:size]
