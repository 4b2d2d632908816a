"""Which humans and objects of a frame are scored together, and a detector's features under their boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.structures import Detections, FeatureMap, HumanObjectPairs

PAIR_LIMIT = 64
"""Most pairs scored in a frame (EoID and GEN-VLKT decode 64 queries; here it bounds the time of a crowded frame)."""


def build_pairs(
    detections: Detections, person_id: int, *, human_score: float, object_score: float, limit: int = PAIR_LIMIT
) -> HumanObjectPairs:
    """Every human with every other detection, best score product first; at most ``limit``, the rest is counted.

    Humans need ``human_score``. Other detections need ``object_score``; a human as the object of another needs
    ``human_score`` too. Equal products keep the order of the rows.

    Raises:
        UsageError: ``limit`` is below 1.
    """
    if limit < 1:
        raise UsageError(f"limit of pairs is {limit}; expected 1 or more")
    is_human = detections.class_ids == person_id
    usable = detections.scores >= np.where(is_human, human_score, object_score)
    humans, objects = np.nonzero(is_human & usable)[0], np.nonzero(usable)[0]
    human_rows = np.repeat(humans, len(objects))
    object_rows = np.tile(objects, len(humans))
    apart = human_rows != object_rows
    human_rows, object_rows = human_rows[apart], object_rows[apart]
    product = detections.scores[human_rows] * detections.scores[object_rows]
    best = np.argsort(-product, kind="stable")[:limit]
    return HumanObjectPairs(human_rows[best], object_rows[best], truncated=max(0, len(product) - limit))


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


def union_boxes(human_boxes: NDArray[np.float32], object_boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(P, 4) corners of the smallest box around each human (P, 4) and object (P, 4)."""
    low = np.minimum(human_boxes[:, :2], object_boxes[:, :2])
    high = np.maximum(human_boxes[:, 2:], object_boxes[:, 2:])
    return np.concatenate([low, high], axis=1)


def pool_pairs(
    feature_map: FeatureMap, human_boxes: NDArray[np.float32], object_boxes: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(P, 3C) features of human, object and union box of each pair."""
    boxes = np.concatenate([human_boxes, object_boxes, union_boxes(human_boxes, object_boxes)])
    pooled = pool_boxes(feature_map, boxes)
    return np.concatenate(np.split(pooled, 3), axis=1)
