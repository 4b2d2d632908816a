"""The rows of a frame in the compiled tracker: which can be used, in which order, which are one thing twice."""

from __future__ import annotations

import numpy as np

from videohoi.geometry.compiled_kernels import inner
from videohoi.track._byte_layout import (
    BOX,
    DUPLICATE_IOU,
    HIGH_SCORE,
    LOW_SCORE,
    ROW_CLASS,
    ROW_HUMAN,
    ROW_SIZE,
    SCORE,
    SOURCE,
    SPACE,
    TRACK,
)
from videohoi.track._byte_round_kernels import box_iou
from videohoi.track._byte_track_kernels import Floats, Ints, State, size_px


@inner
def _before(one: int, other: int, boxes: Floats, scores: Floats, class_ids: Ints) -> bool:
    """Row ``one`` comes first: by score, then class, then corners, the last one first."""
    if scores[one] != scores[other]:
        return bool(scores[one] > scores[other])
    if class_ids[one] != class_ids[other]:
        return bool(class_ids[one] < class_ids[other])
    for side in range(3, -1, -1):
        if boxes[one, side] != boxes[other, side]:
            return bool(boxes[one, side] < boxes[other, side])
    return False


@inner
def _sort(count: int, order: Ints, space: Ints, boxes: Floats, scores: Floats, class_ids: Ints) -> None:
    """Merge sort, from short runs to long ones."""
    width = 1
    while width < count:
        for begin in range(0, count, 2 * width):
            middle, end = min(begin + width, count), min(begin + 2 * width, count)
            left, right = begin, middle
            for k in range(begin, end):
                from_left = right >= end or (
                    left < middle and not _before(order[right], order[left], boxes, scores, class_ids)
                )
                space[k] = order[left] if from_left else order[right]
                left, right = left + from_left, right + (not from_left)
        for k in range(count):
            order[k] = space[k]
        width *= 2


@inner
def read_rows(
    settings: Floats, human_class: int, state: State, boxes: Floats, scores: Floats, class_ids: Ints
) -> tuple[int, int]:
    """``rows.usable_rows``; returns how many there are and how many of them are high."""
    _, ints, floats, _ = state
    rows = high = 0
    for row in range(len(scores)):
        solid = boxes[row, 2] > boxes[row, 0] and boxes[row, 3] > boxes[row, 1] and np.isfinite(boxes[row]).all()
        if solid and settings[LOW_SCORE] <= scores[row] < np.inf:
            ints[SOURCE, rows] = row
            rows += 1
    _sort(rows, ints[SOURCE], ints[SPACE], boxes, scores, class_ids)
    for k in range(rows):
        row = ints[SOURCE, k]
        for side in range(4):
            floats[BOX + side, k] = boxes[row, side]
        floats[SCORE, k] = scores[row]
        floats[ROW_SIZE, k] = size_px(boxes[row, 2] - boxes[row, 0], boxes[row, 3] - boxes[row, 1])
        ints[ROW_CLASS, k], ints[ROW_HUMAN, k] = class_ids[row], class_ids[row] == human_class
        ints[TRACK, k] = -1
        high += scores[row] >= settings[HIGH_SCORE]
    return rows, high


@inner
def doubles_of(rows: int, settings: Floats, state: State) -> Ints:
    """(D, 2) object rows of two classes whose boxes are as good as one, in order."""
    _, ints, floats, _ = state
    found = 0
    doubles = np.empty((4, 2), np.int64)
    for one in range(rows):
        if ints[ROW_HUMAN, one]:
            continue
        for other in range(one + 1, rows):
            if ints[ROW_HUMAN, other] or ints[ROW_CLASS, one] == ints[ROW_CLASS, other]:
                continue
            if box_iou(floats, np.int64(BOX), one, np.int64(BOX), other) > settings[DUPLICATE_IOU]:
                if found == len(doubles):
                    longer = np.empty((2 * found, 2), np.int64)
                    for k in range(found):
                        longer[k, 0], longer[k, 1] = doubles[k, 0], doubles[k, 1]
                    doubles = longer
                doubles[found, 0], doubles[found, 1] = one, other
                found += 1
    return doubles[:found]


@inner
def leave_to_older(doubles: Ints, ints: Ints) -> None:
    """``association.leave_to_older``."""
    for k in range(len(doubles)):
        one, other = doubles[k, 0], doubles[k, 1]
        if ints[TRACK, one] >= 0 and ints[TRACK, other] >= 0:
            ints[TRACK, one if ints[TRACK, one] > ints[TRACK, other] else other] = -1
