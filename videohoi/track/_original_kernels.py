"""One frame of BYTE's public tracker as one compiled step. The plain form is in ``videohoi.track.original_plain``.

The layout of the arrays is in ``_original_layout``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry._assignment_kernels import compiled
from videohoi.geometry._overlap_kernels import overlaps_kernel
from videohoi.track._original_layout import (
    BORN,
    CONFIRMED,
    DOUBLE,
    DOUBLE_LIMIT,
    ENDED,
    ENDED_COUNT,
    EXPIRED,
    FOUND,
    FRAME,
    FREE,
    FREE_COUNT,
    FRESH,
    ID,
    LOST,
    LOST_COUNT,
    MAX_LOST,
    OVER,
    PAIR_FLOATS,
    PAIR_INTS,
    PHASE,
    ROW,
    SEEN,
    SEEN_NOW,
    START,
    STARTS,
    TRACKED,
    TRACKED_COUNT,
)
from videohoi.track._original_round_kernels import (
    State,
    births,
    first_round,
    gather,
    read_rows,
    second_round,
    young_round,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@compiled
def _give_up(slot: int, state: State) -> None:
    header, ints, _, _ = state
    ints[FREE, header[FREE_COUNT]] = slot
    header[FREE_COUNT] += 1
    if ints[CONFIRMED, slot]:
        ints[ENDED, header[ENDED_COUNT]] = ints[ID, slot]
        header[ENDED_COUNT] += 1


@compiled
def _list_tracked(state: State, born: int, found: int) -> int:
    """The new list of tracked ones, in the order of the original's: as before, then the new, then the found again."""
    header, ints, _, _ = state
    count = 0
    for k in range(header[TRACKED_COUNT]):
        slot = ints[TRACKED, k]
        if ints[PHASE, slot] == SEEN_NOW:
            ints[TRACKED, count] = slot
            count += 1
        elif ints[PHASE, slot] == OVER:
            _give_up(slot, state)
    for k in range(born):
        ints[TRACKED, count + k] = ints[BORN, k]
    count += born
    for k in range(found):
        ints[TRACKED, count + k] = ints[FOUND, k]
    return count + found


@compiled
def _list_lost(settings: Floats, state: State, fresh: int) -> int:
    """The new list of lost ones. One that expired in an earlier frame goes now, also if it was found in between.

    The original takes out the removed ones before it adds those that expire in this frame; so an expired track stays
    for one more frame, and the mark stays on it for life if it is found in that frame.
    """
    header, ints, _, _ = state
    count, before = 0, header[LOST_COUNT]
    for k in range(before + fresh):
        slot = ints[LOST, k] if k < before else ints[FRESH, k - before]
        if ints[PHASE, slot] == SEEN_NOW:
            continue
        if ints[EXPIRED, slot]:
            _give_up(slot, state)
            continue
        if header[FRAME] - ints[SEEN, slot] > settings[MAX_LOST] and k < before:
            ints[PHASE, slot] = OVER
            ints[EXPIRED, slot] = 1
        ints[LOST, count] = slot
        count += 1
    return count


@compiled
def _drop_doubles(state: State, tracked: int, lost: int) -> None:
    """Of a tracked and a lost track at one place the one that was followed for less long goes."""
    header, ints, floats, _ = state
    if tracked and lost:
        starts, columns, _ = overlaps_kernel(
            floats[0:4],
            ints[TRACKED],
            tracked,
            floats[0:4],
            floats[8],
            ints[LOST],
            lost,
            DOUBLE_LIMIT,
            False,
            ints[STARTS],
            ints[PAIR_INTS:],
            floats[PAIR_FLOATS:],
        )
        for k in range(tracked):
            slot = ints[TRACKED, k]
            for edge in range(starts[k], starts[k + 1]):
                other = ints[LOST, columns[edge]]
                older = ints[SEEN, slot] - ints[START, slot] > ints[SEEN, other] - ints[START, other]
                ints[DOUBLE, other if older else slot] = 1
    header[TRACKED_COUNT] = _without_doubles(state, TRACKED, tracked)
    header[LOST_COUNT] = _without_doubles(state, LOST, lost)


@compiled
def _without_doubles(state: State, members: int, count: int) -> int:
    _, ints, _, _ = state
    kept = 0
    for k in range(count):
        slot = ints[members, k]
        if ints[DOUBLE, slot]:
            ints[DOUBLE, slot] = 0
            _give_up(slot, state)
        else:
            ints[members, kept] = slot
            kept += 1
    return kept


@compiled
def _output(state: State) -> tuple[Ints, Floats, Ints]:
    header, ints, floats, _ = state
    count = 0
    for k in range(header[TRACKED_COUNT]):
        count += ints[CONFIRMED, ints[TRACKED, k]]
    ids, boxes, rows = np.empty(count, np.int64), np.empty((count, 4)), np.empty(count, np.int64)
    at = 0
    for k in range(header[TRACKED_COUNT]):
        slot = ints[TRACKED, k]
        if ints[CONFIRMED, slot]:
            ids[at], rows[at] = ints[ID, slot], ints[ROW, slot]
            for side in range(4):
                boxes[at, side] = floats[side, slot]
            at += 1
    return ids, boxes, rows


@compiled
def step_kernel(
    settings: Floats, header: Ints, ints: Ints, floats: Floats, motion: Floats, boxes: Floats, scores: Floats
) -> tuple[Ints, Floats, Ints, int]:
    """One frame: ids, boxes and input rows of the tracks seen now, and how many tracks are held.

    The lists must have room for every track held and one more for each row.
    """
    state = (header, ints, floats, motion)
    header[FRAME] += 1
    header[ENDED_COUNT] = 0
    high, low = read_rows(settings, state, boxes, scores)
    pool, young = gather(state)
    left, found, rest = first_round(settings, state, boxes, pool, high)
    fresh = second_round(state, boxes, left, low)
    free = young_round(settings, state, boxes, young, rest)
    born = births(settings, state, boxes, scores, free)
    tracked = _list_tracked(state, born, found)
    lost = _list_lost(settings, state, fresh)
    _drop_doubles(state, tracked, lost)
    ids, at, rows = _output(state)
    return ids, at, rows, header[TRACKED_COUNT] + header[LOST_COUNT]
