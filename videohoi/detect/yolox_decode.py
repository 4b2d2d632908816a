"""From a YOLOX output grid to candidate boxes: threshold and decode.

The grid (YOLOX, arXiv 2107.08430, section 2.1) has one row per cell of the strides 8, 16 and 32, row by row:
x, y, w, h, objectness, one probability per class. A raw grid stores the centre as an offset in cells and the size as
a logarithm of cells; ``decode_in_inference`` exports store both in network pixels.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from videohoi.detect.box_selection import Candidates

STRIDES_PX = (8, 16, 32)
OBJECTNESS_COLUMN = 4
"""after x, y, w, h"""
CLASS_COLUMN = 5
"""first class column"""
MAX_LOG_SIZE = 7.0
"""exp(7) cells is 8,773 px at stride 8: larger than any network input; beyond it a size is noise and may overflow"""


@lru_cache(maxsize=16)
def grid_cells(height_px: int, width_px: int) -> NDArray[np.float32]:
    """(A, 3): column, row and stride in pixels of each grid row of a network input of height_px x width_px."""
    levels = []
    for stride in STRIDES_PX:
        rows, columns = np.mgrid[: height_px // stride, : width_px // stride]
        levels.append(np.stack((columns.ravel(), rows.ravel(), np.full(rows.size, stride)), axis=1))
    cells = np.concatenate(levels).astype(np.float32)
    cells.setflags(write=False)
    return cells


def decode_grid(
    grid: NDArray[np.float32], network_hw_px: tuple[int, int], threshold: float, decoded: bool = False
) -> Candidates:
    """Candidates of one picture from its grid (A, 5 + O).

    Every cell gets its best class, with objectness times its probability as score; what is under ``threshold`` is left
    out. ``decoded``: the grid already holds network pixels.
    """
    rows, scores, class_ids = _confident_rows(grid, threshold)
    cells = None if decoded else grid_cells(*network_hw_px)[rows]
    return Candidates(_corners(grid[rows, :OBJECTNESS_COLUMN], cells), scores, class_ids)


def _confident_rows(
    grid: NDArray[np.float32], threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    """Grid rows at or above the threshold, with score and class; objectness alone rules most rows out cheaply."""
    objectness = grid[:, OBJECTNESS_COLUMN]
    rows = np.flatnonzero(objectness >= threshold)
    classes = grid[rows, CLASS_COLUMN:]
    class_ids = classes.argmax(axis=1)
    scores = objectness[rows] * classes[np.arange(len(rows)), class_ids]
    sure = scores >= threshold
    return rows[sure], scores[sure], class_ids[sure].astype(np.int64)


def _corners(values: NDArray[np.float32], cells: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """(N, 4) corners in network pixels; ``cells`` (N, 3) decode a raw grid, None takes centre and size as they are."""
    centre, size = values[:, :2], values[:, 2:]
    if cells is not None:
        stride = cells[:, 2:]
        centre = (centre + cells[:, :2]) * stride
        size = np.exp(np.minimum(size, MAX_LOG_SIZE)) * stride
    return np.concatenate((centre - size / 2, centre + size / 2), axis=1)
