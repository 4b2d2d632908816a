"""Which row of a frame continues which track, compiled. The plain forms are in ``association``."""

from __future__ import annotations

import math

import numpy as np

from videohoi.geometry._assignment_kernels import match_kernel
from videohoi.geometry.compiled_kernels import inner
from videohoi.track._byte_layout import (
    BOX,
    CARRIED,
    CLASS,
    FREE,
    HERE,
    HULL,
    HUMAN,
    HUMAN_REACH_SIZES,
    ID,
    KNOWN_CLASS_SHARE,
    LAST,
    MATCH_FLOATS,
    MATCH_INTS,
    OBJECT_REACH_SIZES,
    OWNER,
    PAIR_STARTS,
    PARTNER,
    PREVIOUS,
    REACH_LIMIT_SIZES,
    REACH_SIGMAS,
    REACH_SIZE_RATIO,
    ROW_CLASS,
    ROW_HUMAN,
    ROW_SIZE,
    SCORE,
    SEEN,
    SIZE,
    SPREAD,
    STARTS,
    SWITCH_IOU,
    TAKEN,
    TRACK,
    TRACKS,
    VOTE,
)
from videohoi.track._byte_track_kernels import Floats, Ints, State
from videohoi.track.association import OTHER_PLACE_TRUST
from videohoi.track.memory import CLASS_SLOTS

Pairs = tuple[Ints, Ints, Floats]
"""track, familiarity and IoU of each overlap; those of a row follow each other"""
VOTED, KNOWN, KIN = 2, 1, 0
"""familiarity: the row's class is the track's voted one, one of its known ones, any of its kind"""
_SMALLEST = float(np.finfo(np.float64).tiny)


@inner
def box_iou(floats: Floats, a: int, column_a: int, b: int, column_b: int) -> float:
    """IoU of the boxes whose first sides are in rows ``a`` and ``b``; both have some area."""
    left, top = max(floats[a, column_a], floats[b, column_b]), max(floats[a + 1, column_a], floats[b + 1, column_b])
    right = min(floats[a + 2, column_a], floats[b + 2, column_b])
    bottom = min(floats[a + 3, column_a], floats[b + 3, column_b])
    if right <= left or bottom <= top:
        return 0.0
    inter = (right - left) * (bottom - top)
    area_a = (floats[a + 2, column_a] - floats[a, column_a]) * (floats[a + 3, column_a] - floats[a + 1, column_a])
    area_b = (floats[b + 2, column_b] - floats[b, column_b]) * (floats[b + 3, column_b] - floats[b + 1, column_b])
    iou: float = inter / (area_a + area_b - inter)
    return iou


@inner
def _familiarity(row: int, track: int, least_share: float, ints: Ints, floats: Floats) -> int:
    class_id = ints[ROW_CLASS, row]
    if class_id == ints[CLASS, track]:
        return VOTED
    total = 0.0
    for k in range(CLASS_SLOTS):
        total += floats[VOTE + k, track]
    for k in range(1, CLASS_SLOTS):
        if ints[CLASS + k, track] == class_id and floats[VOTE + k, track] / max(total, _SMALLEST) >= least_share:
            return KNOWN
    return KIN


@inner
def _longer(pairs: Pairs) -> Pairs:
    tracks, familiar, ious = pairs
    count = len(tracks)
    more_tracks, more_familiar = np.empty(2 * count, np.int64), np.empty(2 * count, np.int64)
    more_ious = np.empty(2 * count)
    for k in range(count):
        more_tracks[k], more_familiar[k], more_ious[k] = tracks[k], familiar[k], ious[k]
    return more_tracks, more_familiar, more_ious


@inner
def _candidates(row: int, state: State) -> int:
    """List in FREE the tracks of the row's kind whose hull it overlaps; no branch, as nearly all are elsewhere."""
    header, ints, floats, _ = state
    x1, y1, x2, y2 = floats[BOX, row], floats[BOX + 1, row], floats[BOX + 2, row], floats[BOX + 3, row]
    human, found = ints[ROW_HUMAN, row], 0
    left, top, right, bottom = floats[HULL], floats[HULL + 1], floats[HULL + 2], floats[HULL + 3]
    humans, listed = ints[HUMAN], ints[FREE]
    for track in range(header[TRACKS]):
        listed[found] = track
        meets = (x1 < right[track]) & (x2 > left[track]) & (y1 < bottom[track]) & (y2 > top[track])
        found += meets & (humans[track] == human)
    return found


@inner
def overlaps(rows: int, settings: Floats, state: State) -> Pairs:
    """Every pair of a row and a track of its kind that overlap; PAIR_STARTS says where those of a row begin."""
    header, ints, floats, _ = state
    room = 4 * (rows + header[TRACKS]) + 4
    pairs = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room)
    found = 0
    for row in range(rows):
        ints[PAIR_STARTS, row] = found
        for k in range(_candidates(row, state)):
            track = ints[FREE, k]
            other = 0.0
            for place in (LAST, CARRIED):
                other = max(other, box_iou(floats, np.int64(BOX), row, place, track))
            iou = max(box_iou(floats, np.int64(BOX), row, np.int64(HERE), track), OTHER_PLACE_TRUST * other)
            if iou > 0.0:
                if found == len(pairs[0]):
                    pairs = _longer(pairs)
                pairs[0][found] = track
                pairs[1][found] = _familiarity(row, track, settings[KNOWN_CLASS_SHARE], ints, floats)
                pairs[2][found] = iou
                found += 1
    ints[PAIR_STARTS, rows] = found
    return pairs


@inner
def take(begin: int, end: int, columns: Ints, gains: Floats, state: State) -> int:
    """Match rows ``begin`` to ``end`` with tracks for the greatest sum of gains; returns how many pairs that makes."""
    header, ints, floats, _ = state
    edges, count = (ints[STARTS], columns, gains), header[TRACKS]
    match_kernel(edges, end - begin, count, ints[PARTNER], ints[OWNER], ints[MATCH_INTS:], floats[MATCH_FLOATS:])
    made = 0
    for row in range(begin, end):
        track = ints[PARTNER, row - begin]
        if track >= 0:
            ints[TRACK, row] = track
            ints[TAKEN, track] = 1
            made += 1
    return made


@inner
def _by_overlap(
    begin: int, end: int, confirmed: bool, least: int, limits: tuple[float, float], pairs: Pairs, state: State
) -> int:
    """The greatest sum of IoU * score. ``limits``: least IoU of an object and of a human."""
    _, ints, floats, _ = state
    tracks, familiar, ious = pairs
    room = ints[PAIR_STARTS, end] - ints[PAIR_STARTS, begin]
    columns, gains = np.empty(room, np.int64), np.empty(room)
    found = 0
    for row in range(begin, end):
        ints[STARTS, row - begin] = found
        if ints[TRACK, row] >= 0:
            continue
        limit = limits[1] if ints[ROW_HUMAN, row] else limits[0]
        for k in range(ints[PAIR_STARTS, row], ints[PAIR_STARTS, row + 1]):
            track = tracks[k]
            if ints[TAKEN, track] or (ints[ID, track] >= 0) != confirmed or familiar[k] < least:
                continue
            gain = ious[k] * floats[SCORE, row]
            if ious[k] >= limit and gain > 0.0:
                columns[found], gains[found] = track, gain
                found += 1
    ints[STARTS, end - begin] = found
    return take(begin, end, columns, gains, state) if found else 0


@inner
def _distance(row: int, place: int, track: int, floats: Floats) -> float:
    x = (floats[BOX, row] + floats[BOX + 2, row]) / 2.0 - (floats[place, track] + floats[place + 2, track]) / 2.0
    y = (floats[BOX + 1, row] + floats[BOX + 3, row]) / 2.0
    y -= (floats[place + 1, track] + floats[place + 3, track]) / 2.0
    return math.sqrt(x * x + y * y)


@inner
def closeness(row: int, track: int, settings: Floats, ints: Ints, floats: Floats) -> float:
    """``association.reach_similarity``."""
    row_size, track_size = floats[ROW_SIZE, row], floats[SIZE, track]
    ratio = min(row_size, track_size) / max(row_size, track_size)
    if ratio < settings[REACH_SIZE_RATIO]:
        return 0.0
    size = math.sqrt(row_size * track_size)
    sizes = settings[HUMAN_REACH_SIZES if ints[HUMAN, track] else OBJECT_REACH_SIZES]
    far = min(sizes * size + settings[REACH_SIGMAS] * floats[SPREAD, track], settings[REACH_LIMIT_SIZES] * size)
    far = max(far, 1.0)
    distance = np.inf
    for place in (HERE, LAST, CARRIED):
        distance = min(distance, _distance(row, place, track, floats))
    return (1.0 - distance / far) * ratio if distance < far else 0.0


@inner
def _reachable(confirmed: bool, low: bool, clock: Floats, state: State) -> int:
    """List in FREE the tracks that may be found by distance; ``association`` says which."""
    header, ints, floats, _ = state
    free = 0
    for track in range(header[TRACKS]):
        if ints[TAKEN, track] or (ints[ID, track] >= 0) != confirmed:
            continue
        coasting = floats[SEEN, track] < clock[PREVIOUS]
        if ints[HUMAN, track] and (low or (confirmed and coasting)):
            continue
        ints[FREE, free] = track
        free += 1
    return free


@inner
def _by_distance(
    begin: int, end: int, confirmed: bool, low: bool, settings: Floats, clock: Floats, state: State
) -> None:
    """The greatest sum of closeness."""
    _, ints, floats, _ = state
    free, rows = _reachable(confirmed, low, clock, state), 0
    for row in range(begin, end):
        rows += ints[TRACK, row] < 0
    columns, gains = np.empty(free * rows, np.int64), np.empty(free * rows)
    found = 0
    for row in range(begin, end):
        ints[STARTS, row - begin] = found
        for k in range(free if ints[TRACK, row] < 0 else 0):
            track = ints[FREE, k]
            if ints[HUMAN, track] != ints[ROW_HUMAN, row]:
                continue
            gain = closeness(row, track, settings, ints, floats)
            if gain > 0.0 and _familiarity(row, track, settings[KNOWN_CLASS_SHARE], ints, floats) >= KNOWN:
                columns[found], gains[found] = track, gain
                found += 1
    ints[STARTS, end - begin] = found
    if found:
        take(begin, end, columns, gains, state)


@inner
def match(
    begin: int,
    end: int,
    confirmed: bool,
    low: bool,
    limits: tuple[float, float],
    pairs: Pairs,
    settings: Floats,
    clock: Floats,
    state: State,
) -> None:
    """Assign the free ones of rows ``begin`` to ``end`` to free tracks, the surest reason first."""
    header, ints, _, _ = state
    rows = tracks = 0
    for row in range(begin, end):
        rows += ints[TRACK, row] < 0
    for track in range(header[TRACKS]):
        tracks += ints[TAKEN, track] == 0 and (ints[ID, track] >= 0) == confirmed
    free, switch = min(rows, tracks), (settings[SWITCH_IOU], settings[SWITCH_IOU])
    for least in (VOTED, KNOWN, KIN):  # one call, so that it is compiled once
        if free > 0:
            free -= _by_overlap(begin, end, confirmed, least, switch if least == KIN else limits, pairs, state)
    if free > 0:
        _by_distance(begin, end, confirmed, low, settings, clock, state)
