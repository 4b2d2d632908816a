"""One frame of the tracker as one compiled step. The plain form is in ``byte_plain``.

The layout of the arrays is in ``_byte_layout``.
"""

from __future__ import annotations

import numpy as np

from videohoi.geometry.compiled_kernels import inner, vectorised
from videohoi.track._byte_layout import (
    BORN,
    CLASS,
    CONFIRM_HITS,
    CONFIRM_SECONDS,
    ENDED,
    ENDED_COUNT,
    FIRST,
    FREE,
    HIGH_IOU,
    HITS,
    HUMAN,
    HUMAN_IOU,
    HUMAN_LOST_SECONDS,
    ID,
    JUMPED,
    KEPT_FLOATS,
    KEPT_INTS,
    LAST,
    LOST,
    LOST_COUNT,
    LOST_SECONDS,
    LOW_IOU,
    NEW_TRACK_SCORE,
    NEXT_ID,
    NOW,
    PARTNER,
    SCORE,
    SEEN,
    SOURCE,
    SPACE,
    STARTS,
    STEP,
    TAKEN,
    TRACK,
    TRACKS,
    UNCONFIRMED_SECONDS,
)
from videohoi.track._byte_round_kernels import closeness, match, overlaps, take
from videohoi.track._byte_row_kernels import doubles_of, leave_to_older, read_rows
from videohoi.track._byte_track_kernels import Floats, Ints, State, locate, note_carrier, predict, see, start
from videohoi.track.byte_config import GRACE_SECONDS


@inner
def _copy_motion(track: int, to: int, motion: Floats) -> None:
    """Number by number: the assignment of a slice also compiles the text of a shape error, for two seconds."""
    for side in range(motion.shape[1]):
        for k in range(motion.shape[2]):
            motion[to, side, k] = motion[track, side, k]


@inner
def _move(track: int, to: int, state: State) -> None:
    _, ints, floats, motion = state
    for k in range(KEPT_INTS):
        ints[k, to] = ints[k, track]
    for k in range(KEPT_FLOATS):
        floats[k, to] = floats[k, track]
    _copy_motion(track, to, motion)


@inner
def _advance(settings: Floats, clock: Floats, state: State) -> None:
    """Drop the tracks that are over, predict and locate the others."""
    header, ints, floats, _ = state
    kept = ended = 0
    for track in range(header[TRACKS]):
        patience = max(settings[UNCONFIRMED_SECONDS], clock[STEP])
        if ints[ID, track] >= 0:
            patience = settings[HUMAN_LOST_SECONDS if ints[HUMAN, track] else LOST_SECONDS]
        if clock[JUMPED] == 0.0 and clock[NOW] - floats[SEEN, track] <= patience + GRACE_SECONDS:
            if kept != track:
                _move(track, kept, state)
            kept += 1
        elif ints[ID, track] >= 0:
            ints[ENDED, ended] = ints[ID, track]
            ended += 1
    header[TRACKS], header[ENDED_COUNT] = kept, ended
    for track in range(kept):
        ints[TAKEN, track] = 0
    predict(settings, clock, state)
    locate(clock, state)


@inner
def _follow(rows: int, doubles: Ints, settings: Floats, clock: Floats, state: State) -> None:
    """Give each matched track its row, each sure free row a track unless it is a followed thing's second name."""
    header, ints, floats, _ = state
    see(rows, settings, clock, state)
    for row in range(rows):
        if ints[TRACK, row] >= 0 or floats[SCORE, row] < settings[NEW_TRACK_SCORE]:
            continue
        named = False
        for k in range(len(doubles)):
            named |= doubles[k, 0] == row and ints[TRACK, doubles[k, 1]] >= 0
            named |= doubles[k, 1] == row and ints[TRACK, doubles[k, 0]] >= 0
        if not named:
            ints[TRACK, row] = header[TRACKS]
            start(header[TRACKS], row, settings, clock, state)
            header[TRACKS] += 1


@inner
def _proven(track: int, settings: Floats, clock: Floats, state: State) -> bool:
    """It has no id and gets one now."""
    _, ints, floats, _ = state
    age = floats[SEEN, track] - floats[BORN, track]
    old = ints[HITS, track] >= settings[CONFIRM_HITS] and age >= settings[CONFIRM_SECONDS] - GRACE_SECONDS
    proven: bool = ints[ID, track] < 0 and (old or clock[FIRST] > 0.0)
    return proven


@inner
def _heirs(rows: int, before: int, settings: Floats, clock: Floats, state: State) -> tuple[Ints, Floats]:
    """Newly proven humans that are close to one of the first ``before`` tracks, lost before they were born."""
    _, ints, floats, _ = state
    free = found = 0
    for track in range(before):
        if ints[HUMAN, track] and ints[ID, track] >= 0 and floats[SEEN, track] < clock[NOW]:
            ints[FREE, free] = track
            free += 1
    columns, gains = np.empty(free * rows, np.int64), np.empty(free * rows)
    for row in range(rows):
        ints[STARTS, row] = found
        heir = ints[TRACK, row]
        if free == 0 or heir < 0 or not ints[HUMAN, heir] or not _proven(heir, settings, clock, state):
            continue
        for k in range(free):
            track = ints[FREE, k]
            gain = closeness(row, track, settings, ints, floats) if floats[SEEN, track] < floats[BORN, heir] else 0.0
            if gain > 0.0:
                columns[found], gains[found] = track, gain
                found += 1
    ints[STARTS, rows] = found
    return columns[:found], gains[:found]


@inner
def _inherit(rows: int, before: int, settings: Floats, clock: Floats, state: State) -> None:
    """``byte_plain.PlainByte._inherit``."""
    header, ints, floats, motion = state
    columns, gains = _heirs(rows, before, settings, clock, state)
    if len(columns) == 0:
        return
    for row in range(rows):
        ints[SPACE, row] = ints[TRACK, row]
    take(np.int64(0), rows, columns, gains, state)
    for row in range(rows):
        heir, track = ints[SPACE, row], ints[TRACK, row]
        if heir != track:
            ints[HITS, track] += ints[HITS, heir]
            ints[HITS, heir] = 0
            floats[SEEN, track] = floats[SEEN, heir]
            for side in range(4):
                floats[LAST + side, track] = floats[LAST + side, heir]
            _copy_motion(heir, track, motion)
    kept = 0
    for track in range(header[TRACKS]):
        ints[PARTNER, track] = kept
        if ints[HITS, track] > 0:
            if kept != track:
                _move(track, kept, state)
            kept += 1
    header[TRACKS] = kept
    for row in range(rows):
        if ints[TRACK, row] >= 0:
            ints[TRACK, row] = ints[PARTNER, ints[TRACK, row]]


@inner
def _close(settings: Floats, clock: Floats, state: State) -> None:
    """Give ids, oldest track first; list the lost tracks; note which human carries which object."""
    header, ints, floats, _ = state
    lost = 0
    for track in range(header[TRACKS]):
        if ints[ID, track] < 0 and _proven(track, settings, clock, state):
            ints[ID, track] = header[NEXT_ID]
            header[NEXT_ID] += 1
        if ints[ID, track] >= 0 and floats[SEEN, track] < clock[NOW]:
            ints[LOST, lost] = ints[ID, track]
            lost += 1
    header[LOST_COUNT] = lost
    for track in range(header[TRACKS]):
        if floats[SEEN, track] == clock[NOW] and not ints[HUMAN, track]:
            note_carrier(track, clock, state)


@inner
def _answer(rows: int, boxes: Floats, class_ids: Ints, state: State) -> tuple[Ints, Ints, Floats]:
    _, ints, _, motion = state
    track_ids, voted, places = np.full(len(class_ids), -1, np.int64), class_ids.copy(), boxes.copy()
    for row in range(rows):
        track, source = ints[TRACK, row], ints[SOURCE, row]
        if track >= 0 and ints[ID, track] >= 0:
            track_ids[source], voted[source] = ints[ID, track], ints[CLASS, track]
            for side in range(2):
                half = max(motion[track, 2 + side, 0], 1.0) / 2.0
                places[source, side] = motion[track, side, 0] - half
                places[source, side + 2] = motion[track, side, 0] + half
    return track_ids, voted, places


@vectorised
def step_kernel(
    settings: Floats, clock: Floats, human_class: int, state: State, boxes: Floats, scores: Floats, class_ids: Ints
) -> tuple[Ints, Ints, Floats]:
    """Ids (N,), voted classes (N,) and filtered boxes (N, 4) of a frame's rows."""
    header, ints, _, _ = state
    _advance(settings, clock, state)
    before = header[TRACKS]
    rows, high = read_rows(settings, human_class, state, boxes, scores, class_ids)
    pairs = overlaps(rows, settings, state)
    sure, unsure = (settings[HIGH_IOU], settings[HUMAN_IOU]), (settings[LOW_IOU], settings[LOW_IOU])
    for stage in range(3):  # numbers, not constants: numba would compile the whole once for each constant
        is_low = stage == 1
        span = (high, rows) if is_low else (np.int64(0), high)
        limits = unsure if is_low else sure
        match(span[0], span[1], stage < 2, is_low, limits, pairs, settings, clock, state)
    doubles = doubles_of(rows, settings, state)
    leave_to_older(doubles, ints)
    _follow(rows, doubles, settings, clock, state)
    _inherit(rows, before, settings, clock, state)
    _close(settings, clock, state)
    return _answer(rows, boxes, class_ids, state)
