"""What happens to one track of the compiled tracker: motion, memory, places.

Each kernel states only what it does; the formulas and their sources are with the plain forms in ``kalman`` and
``memory``. The layout of the arrays is in ``_byte_layout``.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry.compiled_kernels import inner
from videohoi.track._byte_layout import (
    BORN,
    BOX,
    CARRIED,
    CARRIER,
    CLASS,
    COAST_TAU_SECONDS,
    GROWTH_TAU_SECONDS,
    HERE,
    HITS,
    HULL,
    HUMAN,
    HUMAN_COAST_TAU_SECONDS,
    HUMAN_FIRST_SPEED_SIZES,
    HUMAN_SPEED_NOISE_SIZES,
    ID,
    LAST,
    MEASUREMENT_NOISE_SIZES,
    NOW,
    OBJECT_FIRST_SPEED_SIZES,
    OBJECT_SPEED_NOISE_SIZES,
    OFFSET,
    POSITION_NOISE_SIZES,
    PREVIOUS,
    RENAME_RATIO,
    ROW_CLASS,
    ROW_HUMAN,
    SCORE,
    SEEN,
    SIZE,
    SPREAD,
    STEP,
    TRACK,
    TRACKS,
    VOTE,
    VOTE_TAU_SECONDS,
)
from videohoi.track.memory import CLASS_SLOTS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
State = tuple[Ints, Ints, Floats, Floats]
"""header, ints, floats, motion"""


@inner
def size_px(width: float, height: float) -> float:
    """Geometric mean of the sides, at least 1."""
    return math.sqrt(max(width, 1.0) * max(height, 1.0))


@inner
def _square(value: float) -> float:
    return value * value


@inner
def predict(settings: Floats, clock: Floats, state: State) -> None:
    """``kalman.predict`` of every track."""
    header, ints, floats, motion = state
    for track in range(header[TRACKS]):
        dt, human = clock[STEP], ints[HUMAN, track] > 0
        size = size_px(motion[track, 2, 0], motion[track, 3, 0])
        q = _square(settings[HUMAN_SPEED_NOISE_SIZES if human else OBJECT_SPEED_NOISE_SIZES] * size)
        walk = _square(settings[POSITION_NOISE_SIZES] * size)
        coasting = floats[SEEN, track] < clock[PREVIOUS]
        for axis in range(4):
            shift, decay = dt, 1.0
            if axis >= 2 or coasting:
                tau = settings[HUMAN_COAST_TAU_SECONDS if human else COAST_TAU_SECONDS]
                if axis >= 2:
                    tau = settings[GROWTH_TAU_SECONDS]
                decay = math.exp(-dt / tau)
                shift = tau * (1.0 - decay)
            axis_state = motion[track, axis]
            speed, pp, pv, vv = axis_state[1], axis_state[2], axis_state[3], axis_state[4]
            axis_state[0] += shift * speed
            axis_state[1] = decay * speed
            axis_state[2] = pp + 2.0 * shift * pv + shift * shift * vv + walk * dt + q * (dt * dt * dt / 3.0)
            axis_state[3] = decay * (pv + shift * vv) + q * (dt * dt / 2.0)
            axis_state[4] = decay * decay * vv + q * dt


@inner
def _correct(track: int, row: int, settings: Floats, floats: Floats, motion: Floats) -> None:
    """``kalman.correct``."""
    noise = _square(settings[MEASUREMENT_NOISE_SIZES] * size_px(motion[track, 2, 0], motion[track, 3, 0]))
    for axis in range(4):
        low, high = floats[BOX + axis % 2, row], floats[BOX + axis % 2 + 2, row]
        seen = (low + high) / 2.0 if axis < 2 else high - low
        axis_state = motion[track, axis]
        pp, pv = axis_state[2], axis_state[3]
        gain_position, gain_speed = pp / (pp + noise), pv / (pp + noise)
        error = seen - axis_state[0]
        axis_state[0] += gain_position * error
        axis_state[1] += gain_speed * error
        axis_state[2] = pp - gain_position * pp
        axis_state[3] = pv - gain_position * pv
        axis_state[4] -= gain_speed * pv


@inner
def start(track: int, row: int, settings: Floats, clock: Floats, state: State) -> None:
    """``track_table.seen_once``."""
    _, ints, floats, motion = state
    human = ints[ROW_HUMAN, row]
    motion[track] = 0.0
    for side in range(2):
        low, high = floats[BOX + side, row], floats[BOX + side + 2, row]
        motion[track, side, 0] = (low + high) / 2.0
        motion[track, side + 2, 0] = high - low
    size = size_px(motion[track, 2, 0], motion[track, 3, 0])
    first_speed = settings[HUMAN_FIRST_SPEED_SIZES if human else OBJECT_FIRST_SPEED_SIZES]
    for axis in range(4):
        motion[track, axis, 2] = _square(settings[MEASUREMENT_NOISE_SIZES] * size)
        motion[track, axis, 4] = _square(first_speed * size)
        floats[LAST + axis, track] = floats[BOX + axis, row]
    ints[ID, track] = ints[CARRIER, track] = -1
    ints[HUMAN, track], ints[HITS, track] = human, 1
    for slot in range(CLASS_SLOTS):
        ints[CLASS + slot, track] = -1
        floats[VOTE + slot, track] = 0.0
    ints[CLASS, track], floats[VOTE, track] = ints[ROW_CLASS, row], floats[SCORE, row]
    floats[BORN, track] = floats[SEEN, track] = clock[NOW]
    floats[OFFSET, track] = floats[OFFSET + 1, track] = 0.0


@inner
def _vote(track: int, row: int, decay: float, rename_ratio: float, ints: Ints, floats: Floats) -> None:
    """``memory.vote``."""
    class_id = ints[ROW_CLASS, row]
    slot, weakest, best = -1, 1, 0
    for k in range(CLASS_SLOTS):
        floats[VOTE + k, track] *= decay
        if ints[CLASS + k, track] == class_id:
            slot = k
        if k > 1 and floats[VOTE + k, track] < floats[VOTE + weakest, track]:
            weakest = k
    if slot < 0:
        slot = weakest
        ints[CLASS + slot, track] = class_id
        floats[VOTE + slot, track] = 0.0
    floats[VOTE + slot, track] += floats[SCORE, row]
    for k in range(1, CLASS_SLOTS):
        if floats[VOTE + k, track] > floats[VOTE + best, track]:
            best = k
    if best > 0 and floats[VOTE + best, track] > rename_ratio * floats[VOTE, track]:
        ints[CLASS, track], ints[CLASS + best, track] = ints[CLASS + best, track], ints[CLASS, track]
        floats[VOTE, track], floats[VOTE + best, track] = floats[VOTE + best, track], floats[VOTE, track]


@inner
def see(rows: int, settings: Floats, clock: Floats, state: State) -> None:
    """Give each matched track its row."""
    _, ints, floats, motion = state
    for row in range(rows):
        track = ints[TRACK, row]
        if track < 0:
            continue
        decay = math.exp((floats[SEEN, track] - clock[NOW]) / settings[VOTE_TAU_SECONDS])
        _vote(track, row, decay, settings[RENAME_RATIO], ints, floats)
        _correct(track, row, settings, floats, motion)
        for side in range(4):
            floats[LAST + side, track] = floats[BOX + side, row]
        floats[SEEN, track] = clock[NOW]
        ints[HITS, track] += 1


@inner
def _carrier_of(track: int, state: State) -> int:
    header, ints, _, _ = state
    for other in range(header[TRACKS]):
        if ints[ID, other] == ints[CARRIER, track]:
            return other
    return -1


@inner
def locate(clock: Floats, state: State) -> None:
    """``memory.places`` of every track."""
    header, ints, floats, motion = state
    for track in range(header[TRACKS]):
        away = floats[SEEN, track] < clock[PREVIOUS] and ints[CARRIER, track] >= 0
        carrier = _carrier_of(track, state) if away else -1
        for side in range(2):
            half = max(motion[track, 2 + side, 0], 1.0) / 2.0
            here, there = motion[track, side, 0] - half, motion[track, side, 0] + half
            last_low, last_high = floats[LAST + side, track], floats[LAST + 2 + side, track]
            low, high = last_low, last_high
            if carrier >= 0:
                centre, half = motion[carrier, side, 0] + floats[OFFSET + side, track], (high - low) / 2.0
                low, high = centre - half, centre + half
            floats[HERE + side, track], floats[HERE + 2 + side, track] = here, there
            floats[CARRIED + side, track], floats[CARRIED + 2 + side, track] = low, high
            floats[HULL + side, track] = min(here, min(low, last_low))
            floats[HULL + 2 + side, track] = max(there, max(high, last_high))
        floats[SPREAD, track] = math.sqrt(max(motion[track, 0, 2], motion[track, 1, 2]))
        floats[SIZE, track] = size_px(
            floats[HERE + 2, track] - floats[HERE, track], floats[HERE + 3, track] - floats[HERE + 1, track]
        )


@inner
def note_carrier(track: int, clock: Floats, state: State) -> None:
    """``memory.note_carriers`` for one object that is seen now."""
    header, ints, floats, _ = state
    x = (floats[LAST, track] + floats[LAST + 2, track]) / 2.0
    y = (floats[LAST + 1, track] + floats[LAST + 3, track]) / 2.0
    ints[CARRIER, track] = -1
    smallest = np.inf
    for human in range(header[TRACKS]):
        if ints[HUMAN, human] == 0 or ints[ID, human] < 0 or floats[SEEN, human] < clock[NOW]:
            continue
        left, right = floats[LAST, human], floats[LAST + 2, human]
        top, bottom = floats[LAST + 1, human], floats[LAST + 3, human]
        area = (right - left) * (bottom - top)
        if left <= x <= right and top <= y <= bottom and area < smallest:
            smallest = area
            ints[CARRIER, track] = ints[ID, human]
            floats[OFFSET, track] = x - (left + right) / 2.0
            floats[OFFSET + 1, track] = y - (top + bottom) / 2.0
