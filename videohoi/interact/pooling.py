"""Detector features under boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.structures import FeatureMap

LEAST_CELLS = 1.0
"""A box is pooled over at least one cell, whatever its size."""


def pool_boxes(feature_map: FeatureMap, boxes_xyxy_px: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, C) mean of the map under each box (N, 4), cells weighted by the share of them that the box covers.

    A box thinner than a cell counts as one cell around its centre; one outside of the map takes the nearest cells.
    """
    channels, high, wide = feature_map.values.shape
    cell = np.asarray(feature_map.cell_px, np.float32)
    across = _coverage(boxes_xyxy_px[:, 0] / cell[0], boxes_xyxy_px[:, 2] / cell[0], wide)
    down = _coverage(boxes_xyxy_px[:, 1] / cell[1], boxes_xyxy_px[:, 3] / cell[1], high)
    weights = (down[:, :, None] * across[:, None, :]).reshape(len(boxes_xyxy_px), high * wide)
    return np.asarray(weights @ feature_map.values.reshape(channels, high * wide).T, np.float32)


def _coverage(low: NDArray[np.float32], high: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """(N, count) share of each box's extent that falls on each cell; rows sum to 1."""
    low, high = np.clip(low, 0, count), np.clip(high, 0, count)
    length = np.maximum(high - low, LEAST_CELLS)
    start = np.clip((low + high - length) / 2, 0, count - length)
    cells = np.arange(count, dtype=np.float32)
    covered = np.minimum(start[:, None] + length[:, None], cells + 1) - np.maximum(start[:, None], cells)
    covered = np.maximum(covered, 0)
    return np.asarray(covered / covered.sum(axis=1, keepdims=True), np.float32)


def pool_pairs(
    feature_map: FeatureMap, human_boxes: NDArray[np.float32], object_boxes: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(P, 3C) features of human, object and union box of each pair."""
    union = np.concatenate(
        [np.minimum(human_boxes[:, :2], object_boxes[:, :2]), np.maximum(human_boxes[:, 2:], object_boxes[:, 2:])],
        axis=1,
    )
    pooled = pool_boxes(feature_map, np.concatenate([human_boxes, object_boxes, union]))
    return np.concatenate(np.split(pooled, 3), axis=1)
