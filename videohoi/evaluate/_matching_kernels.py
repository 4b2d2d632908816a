"""Compiled matching of triplets and their precision; ``matching.py`` has the numpy twins and documents them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry.compiled_kernels import compiled, vectorised

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@compiled
def grouped_rows(order: Ints, groups: Ints, group_count: int) -> tuple[Ints, Ints]:
    """Rows of each group, in the order given: a stable counting sort."""
    offsets = np.zeros(group_count + 1, np.int64)
    for group in groups:
        offsets[group + 1] += 1
    for group in range(group_count):
        offsets[group + 1] += offsets[group]
    rows, filled = np.empty(len(groups), np.int64), offsets[:-1].copy()
    for row in order:
        rows[filled[groups[row]]] = row
        filled[groups[row]] += 1
    return rows, offsets


@vectorised
def _overlap(one: Floats, other: Floats, border: float, apart_when_touching: bool) -> float:
    low_x, low_y = max(one[0], other[0]), max(one[1], other[1])
    high_x, high_y = min(one[2], other[2]), min(one[3], other[3])
    if apart_when_touching and (low_x >= high_x or low_y >= high_y):
        return 0.0
    width, height = high_x - low_x + border, high_y - low_y + border
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    own = (one[2] - one[0] + border) * (one[3] - one[1] + border)
    others = (other[2] - other[0] + border) * (other[3] - other[1] + border)
    iou: float = shared / (own + others - shared)
    return iou


@vectorised
def match_images(
    rows: Ints,
    offsets: Ints,
    class_ids: Ints,
    humans: Floats,
    objects: Floats,
    true_offsets: Ints,
    true_class_ids: Ints,
    true_humans: Floats,
    true_objects: Floats,
    limit: int,
    border: float,
    apart_when_touching: bool,
    least_iou: float,
    strict: bool,
    counts_empty: bool,
    repeats: bool,
) -> tuple[NDArray[np.int8], Ints]:
    """Outcome and truth row of every prediction."""
    outcomes = np.full(len(class_ids), -1, np.int8)
    matched = np.full(len(class_ids), -1, np.int64)
    taken = np.zeros(len(true_class_ids), np.bool_)
    for image in range(len(offsets) - 1):
        first_true, behind_true = true_offsets[image], true_offsets[image + 1]
        if first_true == behind_true and not counts_empty:
            continue
        behind = offsets[image + 1] if limit < 0 else min(offsets[image + 1], offsets[image] + limit)
        for row in rows[offsets[image] : behind]:
            best, best_row = 0.0, -1
            for true in range(first_true, behind_true):
                if true_class_ids[true] == class_ids[row]:
                    human_iou = _overlap(true_humans[true], humans[row], border, apart_when_touching)
                    if human_iou > best:
                        object_iou = _overlap(true_objects[true], objects[row], border, apart_when_touching)
                        if object_iou > best:
                            best, best_row = min(human_iou, object_iou), true
            outcomes[row] = 0
            if best_row >= 0 and (best > least_iou or (best == least_iou and not strict)):
                matched[row] = best_row
                if repeats or not taken[best_row]:
                    outcomes[row], taken[best_row] = 1, True
    return outcomes, matched


@vectorised
def class_precisions(
    rows: Ints, offsets: Ints, outcomes: NDArray[np.int8], kept: Bools, positives: Ints, recall_points: Floats
) -> tuple[Floats, Floats, Ints]:
    """Average precision, highest recall and counted predictions of every class."""
    precisions, recalls = np.full(len(positives), np.nan), np.full(len(positives), np.nan)
    counted = np.zeros(len(positives), np.int64)
    scratch_recall, scratch_precision = np.empty(len(rows), np.float64), np.empty(len(rows), np.float64)
    for class_id in range(len(positives)):
        right, size = 0, 0
        for row in rows[offsets[class_id] : offsets[class_id + 1]]:
            if outcomes[row] >= 0 and kept[row]:
                right += outcomes[row]
                size += 1
                scratch_recall[size - 1] = right / max(positives[class_id], 1)
                scratch_precision[size - 1] = right / size
        counted[class_id] = size
        if positives[class_id] > 0:
            for place in range(size - 2, -1, -1):
                scratch_precision[place] = max(scratch_precision[place], scratch_precision[place + 1])
            total, place = 0.0, 0
            for point in recall_points:
                while place < size and scratch_recall[place] < point:
                    place += 1
                if place < size:
                    total += scratch_precision[place] / len(recall_points)
            precisions[class_id] = total
            recalls[class_id] = scratch_recall[size - 1] if size else 0.0
    return precisions, recalls, counted
