"""The rounds of one frame of BYTE's public tracker, compiled: who is matched with what, who is born."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry._assignment_kernels import compiled, match_kernel
from videohoi.geometry._overlap_kernels import overlaps_kernel
from videohoi.track._original_layout import (
    BORN,
    COLUMN,
    CONFIRMED,
    EXPIRED,
    FOUND,
    FRAME,
    FREE,
    FREE_COUNT,
    FRESH,
    FUSED,
    HIGH,
    ID,
    LEFT,
    LOST,
    LOST_COUNT,
    LOW,
    LOW_SCORE,
    MATCH_FLOATS,
    MATCH_INTS,
    MATCH_THRESH,
    NEW_THRESH,
    NEXT_ID,
    OVER,
    OWNER,
    PAIR_FLOATS,
    PAIR_INTS,
    PHASE,
    POOL,
    ROW,
    SECOND_LIMIT,
    SEEN,
    SEEN_NOW,
    SLOT_COUNT,
    START,
    STARTS,
    TRACK_THRESH,
    TRACKED,
    TRACKED_COUNT,
    UNSEEN,
    YOUNG,
    YOUNG_LIMIT,
)
from videohoi.track._original_motion_kernels import correct, predict, start

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
State = tuple[Ints, Ints, Floats, Floats]
"""header, ints, floats, motion"""


@compiled
def read_rows(settings: Floats, state: State, boxes: Floats, scores: Floats) -> tuple[int, int]:
    """List the high and the low rows that have a finite score and box of some area; returns how many of each."""
    _, ints, floats, _ = state
    high = low = 0
    for row in range(len(scores)):
        width, height = boxes[row, 2] - boxes[row, 0], boxes[row, 3] - boxes[row, 1]
        if not (width > 0.0 and height > 0.0 and width * height < np.inf and scores[row] < np.inf):
            continue
        floats[4, row], floats[5, row] = boxes[row, 0], boxes[row, 1]
        floats[6, row], floats[7, row] = boxes[row, 0] + width, boxes[row, 1] + height
        floats[8, row] = scores[row]
        if scores[row] > settings[TRACK_THRESH]:
            ints[HIGH, high] = row
            high += 1
        elif LOW_SCORE < scores[row] < settings[TRACK_THRESH]:
            ints[LOW, low] = row
            low += 1
    return high, low


@compiled
def gather(state: State) -> tuple[int, int]:
    """Predict what may be found again and list it, confirmed tracks then lost ones; list the unconfirmed apart."""
    header, ints, floats, motion = state
    pool = young = 0
    for k in range(header[TRACKED_COUNT]):
        slot = ints[TRACKED, k]
        if ints[CONFIRMED, slot]:
            predict(slot, False, floats, motion)
            ints[POOL, pool] = slot
            pool += 1
        else:
            ints[YOUNG, young] = slot
            young += 1
    for k in range(header[LOST_COUNT]):
        slot = ints[LOST, k]
        predict(slot, True, floats, motion)
        ints[POOL, pool] = slot
        pool += 1
    return pool, young


@compiled
def _match(state: State, tracks: int, track_count: int, rows: int, row_count: int, limit: float, fused: bool) -> None:
    """Match the slots in list ``tracks`` with the rows in list ``rows``: COLUMN and OWNER hold the places in them."""
    _, ints, floats, _ = state
    if track_count == 0 or row_count == 0:
        ints[COLUMN, :track_count] = -1
        ints[OWNER, :row_count] = -1
        return
    edges = overlaps_kernel(
        floats[0:4],
        ints[tracks],
        track_count,
        floats[4:8],
        floats[8],
        ints[rows],
        row_count,
        limit,
        fused,
        ints[STARTS],
        ints[PAIR_INTS:],
        floats[PAIR_FLOATS:],
    )
    match_kernel(edges, track_count, row_count, ints[COLUMN], ints[OWNER], ints[MATCH_INTS:], floats[MATCH_FLOATS:])


@compiled
def _see(slot: int, row: int, state: State, boxes: Floats) -> None:
    header, ints, floats, motion = state
    correct(slot, boxes[row], floats, motion)
    ints[PHASE, slot] = SEEN_NOW
    ints[CONFIRMED, slot] = 1
    ints[SEEN, slot] = header[FRAME]
    ints[ROW, slot] = row


@compiled
def first_round(settings: Floats, state: State, boxes: Floats, pool: int, high: int) -> tuple[int, int, int]:
    """High rows to the pool; returns the numbers of tracks left in LEFT, found again in FOUND, rows left in HIGH."""
    _, ints, _, _ = state
    _match(state, POOL, pool, HIGH, high, settings[MATCH_THRESH], settings[FUSED] > 0.0)
    left = found = rest = 0
    for k in range(pool):
        slot, column = ints[POOL, k], ints[COLUMN, k]
        if column >= 0:
            if ints[PHASE, slot] != SEEN_NOW:
                ints[FOUND, found] = slot
                found += 1
            _see(slot, ints[HIGH, column], state, boxes)
        elif ints[PHASE, slot] == SEEN_NOW:
            ints[LEFT, left] = slot
            left += 1
    for k in range(high):
        if ints[OWNER, k] < 0:
            ints[HIGH, rest] = ints[HIGH, k]
            rest += 1
    return left, found, rest


@compiled
def second_round(state: State, boxes: Floats, left: int, low: int) -> int:
    """Low rows to the tracks left; returns the number of those that are lost from now, in FRESH."""
    _, ints, _, _ = state
    _match(state, LEFT, left, LOW, low, SECOND_LIMIT, False)
    fresh = 0
    for k in range(left):
        slot, column = ints[LEFT, k], ints[COLUMN, k]
        if column >= 0:
            _see(slot, ints[LOW, column], state, boxes)
        else:
            ints[PHASE, slot] = UNSEEN
            ints[FRESH, fresh] = slot
            fresh += 1
    return fresh


@compiled
def young_round(settings: Floats, state: State, boxes: Floats, young: int, rest: int) -> int:
    """High rows left to unconfirmed tracks, which else are over; the rows that are still free stay in HIGH."""
    _, ints, _, _ = state
    _match(state, YOUNG, young, HIGH, rest, YOUNG_LIMIT, settings[FUSED] > 0.0)
    for k in range(young):
        slot, column = ints[YOUNG, k], ints[COLUMN, k]
        if column >= 0:
            _see(slot, ints[HIGH, column], state, boxes)
        else:
            ints[PHASE, slot] = OVER
    free = 0
    for k in range(rest):
        if ints[OWNER, k] < 0:
            ints[HIGH, free] = ints[HIGH, k]
            free += 1
    return free


@compiled
def births(settings: Floats, state: State, boxes: Floats, scores: Floats, free: int) -> int:
    """Start a track for each free row that is sure enough; returns their number, slots in BORN."""
    header, ints, floats, motion = state
    born = 0
    for k in range(free):
        row = ints[HIGH, k]
        if scores[row] < settings[NEW_THRESH]:
            continue
        if header[FREE_COUNT] > 0:
            header[FREE_COUNT] -= 1
            slot = ints[FREE, header[FREE_COUNT]]
        else:
            slot = header[SLOT_COUNT]
            header[SLOT_COUNT] += 1
        start(slot, boxes[row], floats, motion)
        ints[ID, slot] = header[NEXT_ID]
        header[NEXT_ID] += 1
        ints[PHASE, slot] = SEEN_NOW
        ints[CONFIRMED, slot] = header[FRAME] == 1
        ints[SEEN, slot] = ints[START, slot] = header[FRAME]
        ints[EXPIRED, slot] = 0
        ints[ROW, slot] = row
        ints[BORN, born] = slot
        born += 1
    return born
