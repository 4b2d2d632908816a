"""From the maps of a PicoDet head to candidate boxes.

PP-PicoDet (arXiv 2111.00902) has the head of Generalized Focal Loss (arXiv 2006.04388, section 3.2) on the strides 8,
16, 32 and 64: of each cell one probability per class, and for each of the four sides a distribution over the distances
0..R in cells from the cell's centre; the distance is its mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from videohoi.detect.box_selection import Candidates

STRIDES_PX = (8, 16, 32, 64)
SIDES = 4
"""left, top, right, bottom"""


@dataclass(frozen=True, repr=False)
class PicodetLevel:
    """Maps of one stride."""

    stride_px: int
    scores: NDArray[np.float32]
    """(A, O) probabilities"""
    distances: NDArray[np.float32]
    """(A, 4 (R + 1)) logits over the distances, side by side"""


def cell_count(height_px: int, width_px: int, stride_px: int) -> int:
    """Cells of a level; one that juts out counts."""
    return -(-height_px // stride_px) * -(-width_px // stride_px)


@lru_cache(maxsize=64)
def cell_centres(height_px: int, width_px: int, stride_px: int) -> NDArray[np.float32]:
    """(A, 2) x and y in network pixels, row by row."""
    rows, columns = np.mgrid[: -(-height_px // stride_px), : -(-width_px // stride_px)]
    cells: NDArray[np.float32] = np.stack((columns.ravel(), rows.ravel()), axis=1).astype(np.float32)
    centres: NDArray[np.float32] = (cells + np.float32(0.5)) * np.float32(stride_px)
    centres.setflags(write=False)
    return centres


def decode_levels(levels: Sequence[PicodetLevel], network_hw_px: tuple[int, int], threshold: float) -> Candidates:
    """Candidates of one picture, finest level first; every cell gets its best class."""
    found = [_decode_level(level, network_hw_px, threshold) for level in levels]
    return Candidates(
        np.concatenate([level.boxes_xyxy_px for level in found]),
        np.concatenate([level.scores for level in found]),
        np.concatenate([level.class_ids for level in found]),
    )


def _decode_level(level: PicodetLevel, network_hw_px: tuple[int, int], threshold: float) -> Candidates:
    best = level.scores.max(axis=1)
    rows = np.flatnonzero(best >= threshold)
    centres = cell_centres(*network_hw_px, level.stride_px)[rows]
    left_top, right_bottom = np.split(_mean_distances(level.distances[rows]) * np.float32(level.stride_px), 2, axis=1)
    boxes = np.concatenate((centres - left_top, centres + right_bottom), axis=1)
    return Candidates(boxes, best[rows], level.scores[rows].argmax(axis=1).astype(np.int64))


def _mean_distances(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 4 (R + 1)) logits to (N, 4) mean distances in cells."""
    bins = logits.shape[1] // SIDES
    sides = logits.reshape(-1, SIDES, bins)
    weights = np.exp(sides - sides.max(axis=2, keepdims=True))
    return np.asarray((weights / weights.sum(axis=2, keepdims=True)) @ np.arange(bins, dtype=np.float32), np.float32)
