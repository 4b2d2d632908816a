"""Compiled filters of verb scores over a table of pairs, one call a frame. The numpy twins are in ``slot_filters``.

Letters: C slots, P pairs of the frame, S planes of state, V verbs, B buckets. float32 as the twins, no fast-math.

``filter_kernel`` takes the table (``keys`` (C, 2) ids, ``buckets`` (B,) slots, ``clock`` (C, 2) the last time and the
filter's number), its ``state`` (S, C * V), the frame (``humans`` (P,), ``things`` (P,), ``scores`` (P, V), ``now``) and
fills ``out`` (P, V). It returns how many slots are taken. Arguments are flat: unpacking a tuple of arrays costs more
than filtering twenty pairs. For the same reason pairs whose slots follow one another are filtered in one go.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry.compiled_kernels import vectorised

Scores = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Settings = tuple[float, float, float]

AVERAGE, KALMAN, FORWARD, ONE_EURO, MEDIAN = 0, 1, 2, 3, 4
"""which of ``slot_filters``"""
FREE = -1
NAMELESS = -1
NEW = -1.0
ZERO, ONE = np.float32(0.0), np.float32(1.0)
LEAST = np.float32(1e-3)
MOST = np.float32(1.0 - 1e-3)
"""bounds of a score in ``slot_filters.OnOffForward``"""


@vectorised
def _bucket(human: int, thing: int, buckets: int) -> int:
    """Where a pair's search begins: Fibonacci hashing (Knuth, TAOCP 3, 6.4) of both ids."""
    mixed = np.uint64(human) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(thing)
    mixed = (mixed * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
    place: int = np.int64(mixed) & (buckets - 1)
    return place


@vectorised
def _enter(keys: Ints, buckets: Ints, slot: int) -> None:
    place = _bucket(keys[slot, 0], keys[slot, 1], len(buckets))
    while buckets[place] != FREE:
        place = (place + 1) & (len(buckets) - 1)
    buckets[place] = slot


@vectorised
def _find(keys: Ints, buckets: Ints, human: int, thing: int) -> int:
    place = _bucket(human, thing, len(buckets))
    while buckets[place] != FREE:
        slot = buckets[place]
        if keys[slot, 0] == human and keys[slot, 1] == thing:
            return int(slot)
        place = (place + 1) & (len(buckets) - 1)
    return FREE


@vectorised
def enter_all_kernel(keys: Ints, buckets: Ints) -> int:
    """Make ``buckets`` (B,) anew for ``keys`` (C, 2); how many slots are taken."""
    buckets[:] = FREE
    count = 0
    for slot in range(len(keys)):
        if keys[slot, 0] != FREE:
            _enter(keys, buckets, slot)
            count += 1
    return count


@vectorised
def seat_kernel(
    keys: Ints, buckets: Ints, clock: Floats, humans: Ints, things: Ints, now: float, forget: float
) -> tuple[Ints, Floats, int]:
    """Slots (P,) and seconds since the last score (P,) of the frame's pairs, and how many slots are taken.

    Pairs unseen for more than ``forget`` seconds leave first. A new pair has ``NEW`` seconds; a pair without two names
    has the slot ``NAMELESS``. There must be P free slots.
    """
    stale, taken = False, 0
    for slot in range(len(keys)):
        if keys[slot, 0] != FREE:
            taken += 1
            if now - clock[slot, 0] > forget:
                keys[slot, 0] = FREE
                stale = True
    if stale:
        taken = enter_all_kernel(keys, buckets)
    slots, steps = np.full(len(humans), NAMELESS, np.int64), np.zeros(len(humans))
    vacant, slot = 0, 0
    for p in range(len(humans)):
        human, thing = humans[p], things[p]
        if human < 0 or thing < 0:
            continue
        slot += 1  # pairs mostly come in the order of the frame before: then this is the slot, and no hash is needed
        if slot >= len(keys) or keys[slot, 0] != human or keys[slot, 1] != thing:
            slot = _find(keys, buckets, human, thing)
        if slot != FREE:
            steps[p] = max(now - clock[slot, 0], 0.0)
        else:
            while keys[vacant, 0] != FREE:
                vacant += 1
            slot, steps[p] = vacant, NEW
            keys[slot, 0], keys[slot, 1] = human, thing
            _enter(keys, buckets, slot)
            taken += 1
        clock[slot, 0] = max(now, clock[slot, 0]) if steps[p] >= 0.0 else now
        slots[p] = slot
    return slots, steps, taken


@vectorised
def _clean(score: np.float32) -> np.float32:
    positive = score if score > ZERO else ZERO
    return positive if positive < ONE else ONE


@vectorised
def _end_of_run(slots: Ints, steps: Floats, clock: Floats, p: int) -> int:
    """End of the pairs from ``p`` on that lie side by side and are filtered alike: one loop serves them all."""
    end = p + 1
    if slots[p] == NAMELESS:
        return end
    number = clock[slots[p], 1]
    while end < len(slots) and slots[end] == slots[end - 1] + 1 and steps[end] == steps[p]:
        if clock[slots[end], 1] != number:
            return end
        end += 1
    return end


@vectorised
def _copy(source: Scores, target: Scores) -> None:
    for n in range(len(source)):
        target[n] = _clean(source[n])


@vectorised
def _blend(level: Scores, scores: Scores, gain: np.float32, out: Scores) -> None:
    for n in range(len(scores)):
        moved = level[n] + gain * (_clean(scores[n]) - level[n])
        level[n] = moved
        out[n] = moved


@vectorised
def _believe(level: Scores, scores: Scores, step: float, settings: Settings, out: Scores) -> None:
    share, on, off = np.float32(settings[0]), np.float32(1.0 / settings[2]), np.float32(1.0 / (1.0 - settings[2]))
    decay = np.float32(math.exp(-settings[1] * step))
    for n in range(len(scores)):
        belief = share + (level[n] - share) * decay
        score = _clean(scores[n])
        score = score if score > LEAST else LEAST
        score = score if score < MOST else MOST
        holds = belief * score * on
        belief = holds / (holds + (ONE - belief) * (ONE - score) * off)
        level[n] = belief
        out[n] = belief


@vectorised
def _follow(level: Scores, speed: Scores, scores: Scores, step: float, settings: Settings, out: Scores) -> None:
    least, beta = np.float32(settings[0]), np.float32(settings[1])
    turn = 2.0 * math.pi * step
    slow = turn * settings[2]
    alpha, rate, turned = np.float32(slow / (slow + 1.0)), np.float32(1.0 / step), np.float32(turn)
    for n in range(len(scores)):
        jump = _clean(scores[n]) - level[n]
        fast = speed[n]
        fast = fast + alpha * (jump * rate - fast)
        wide = turned * (least + beta * (fast if fast > ZERO else -fast))
        moved = level[n] + wide / (wide + ONE) * jump
        speed[n] = fast
        level[n] = moved
        out[n] = moved


@vectorised
def _median(a: np.float32, b: np.float32, c: np.float32, d: np.float32, e: np.float32) -> np.float32:
    """Of five, in ten minima and maxima: the median of ``e`` and the middle two of the other four."""
    low_ab, high_ab = (a, b) if a < b else (b, a)
    low_cd, high_cd = (c, d) if c < d else (d, c)
    low = low_ab if low_ab > low_cd else low_cd
    high = high_ab if high_ab < high_cd else high_cd
    least, most = (e, low) if e < low else (low, e)
    upper = most if most < high else high
    return least if least > upper else upper


@vectorised
def _medians(a: Scores, b: Scores, c: Scores, d: Scores, e: Scores, out: Scores) -> None:
    for n in range(len(out)):
        out[n] = _median(a[n], b[n], c[n], d[n], e[n])


@vectorised
def _start(kind: int, state: Scores, at: int, to: int, scores: Scores, settings: Settings, out: Scores) -> float:
    """First scores of pairs into columns ``at`` to ``to`` of ``state``, and out; the clock's number."""
    _copy(scores, out)
    for plane in range(len(state)):
        _copy(scores, state[plane, at:to])
    if kind == ONE_EURO:
        state[1, at:to] = ZERO
    if kind == FORWARD:
        state[0, at:to] = np.float32(settings[0])
        _believe(state[0, at:to], scores, 0.0, settings, out)
    return settings[1] if kind == KALMAN else 0.0


@vectorised
def _step(
    kind: int, state: Scores, at: int, to: int, number: float, scores: Scores, step: float, settings: Settings,
    out: Scores,
) -> float:  # fmt: skip
    """The next scores of pairs, ``step`` seconds later, and out; the clock's number. The median is read elsewhere."""
    if kind == AVERAGE:
        _blend(state[0, at:to], scores, np.float32(1.0 - math.exp(-step / settings[0])), out)
    elif kind == KALMAN:
        variance = number + settings[0] * step
        gain = variance / (variance + settings[1])
        _blend(state[0, at:to], scores, np.float32(gain), out)
        return variance - gain * variance
    elif kind == FORWARD:
        _believe(state[0, at:to], scores, step, settings, out)
    elif kind == ONE_EURO:
        _follow(state[0, at:to], state[1, at:to], scores, step, settings, out)
    else:
        _copy(scores, state[int(number), at:to])
        return (number + 1.0) % 5.0
    return number


@vectorised
def filter_kernel(
    kind: int, keys: Ints, buckets: Ints, clock: Floats, state: Scores, humans: Ints, things: Ints, scores: Scores,
    out: Scores, now: float, forget: float, settings: Settings,
) -> int:  # fmt: skip
    """One frame through the filter ``kind``; see the head of this file."""
    slots, steps, taken = seat_kernel(keys, buckets, clock, humans, things, now, forget)
    verbs, flat_scores, flat_out, p = scores.shape[1], scores.ravel(), out.ravel(), 0
    while p < len(slots):
        first, end = slots[p], _end_of_run(slots, steps, clock, p)
        given, result = flat_scores[p * verbs : end * verbs], flat_out[p * verbs : end * verbs]
        at, to = first * verbs, (first + end - p) * verbs
        if first == NAMELESS:
            _copy(given, result)
        elif steps[p] == 0.0 and kind != MEDIAN:
            _copy(state[0, at:to], result)
        else:
            number = clock[first, 1]
            if steps[p] < 0.0:
                number = _start(kind, state, at, to, given, settings, result)
            elif steps[p] > 0.0:
                number = _step(kind, state, at, to, number, given, steps[p], settings, result)
            for n in range(p, end):
                clock[slots[n], 1] = number
            if kind == MEDIAN:
                a, b, c = state[0, at:to], state[1, at:to], state[2, at:to]
                _medians(a, b, c, state[3, at:to], state[4, at:to], result)
        p = end
    return taken
