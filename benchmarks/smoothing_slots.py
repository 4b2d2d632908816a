"""Verb scores of pairs filtered over time: a slot table against a dictionary of numpy vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Claim, Contestant, NotEqualError, Options, Row, interleave
from benchmarks.scenes_post import RATE_HZ, VERBS, PairFrame, pair_frames
from videohoi.smooth.pair_filters import PairFilters
from videohoi.smooth.slot_filters import (
    ExponentialAverage,
    LocalLevelKalman,
    MedianOfFive,
    OneEuro,
    OnOffForward,
    SlotFilter,
)

FRAMES = 4
"""few enough to stay in the cache, where the step before leaves its scores"""
DICTIONARY = "dictionary of pairs"
PAIRS, GOAL, LIMIT_US = 100, 50.0, 20.0
TAU_SECONDS = 0.25
TOLERANCE = 1e-6
METHODS: tuple[SlotFilter, ...] = (
    ExponentialAverage(TAU_SECONDS),
    LocalLevelKalman(),
    OnOffForward(),
    OneEuro(),
    MedianOfFive(),
)

Scores = NDArray[np.float32]


class DictionaryAverage:
    """What one writes first: ``table[human, object]`` holds a pair's vector."""

    def __init__(self) -> None:
        self._levels: dict[tuple[int, int], Scores] = {}
        self._seconds: dict[tuple[int, int], float] = {}

    def update(self, frame: PairFrame, seconds: float, out: Scores) -> Scores:
        """Exponential average of each pair, over its own time step."""
        for row, key in enumerate(zip(frame.human_ids.tolist(), frame.object_ids.tolist(), strict=True)):
            if min(key) < 0:  # a track without a name yet
                out[row] = frame.scores[row]
                continue
            level = self._levels.get(key)
            if level is None:
                level = self._levels[key] = frame.scores[row].copy()
            else:
                alpha = 1.0 - math.exp((self._seconds[key] - seconds) / TAU_SECONDS)
                level += np.float32(alpha) * (frame.scores[row] - level)
            self._seconds[key] = seconds
            out[row] = level
        return out


class Loop:
    """Frames again and again, time going on."""

    def __init__(self, frames: Sequence[PairFrame]) -> None:
        self._frames = frames
        self._count = 0

    def next(self) -> tuple[PairFrame, float]:
        """The next frame and its time."""
        frame = self._frames[self._count % len(self._frames)]
        self._count += 1
        return frame, self._count / RATE_HZ


def compare(method: SlotFilter, frames: Sequence[PairFrame]) -> int:
    """Scores compared with the numpy twin's, and the average's with the dictionary's; ``NotEqualError`` otherwise."""
    ours, twin, dictionary = PairFilters(method, VERBS), PairFilters(method, VERBS), DictionaryAverage()
    twin.compiled = False
    twin.reset()
    for number, frame in enumerate(frames):
        pairs, seconds = (frame.human_ids, frame.object_ids, frame.scores), number / RATE_HZ
        found = ours.update(*pairs, seconds)
        if not np.allclose(found, twin.update(*pairs, seconds), rtol=0, atol=TOLERANCE):
            raise NotEqualError(f"{type(method).__name__}, frame {number}: differs from numpy's")
        if isinstance(method, ExponentialAverage):
            expected = dictionary.update(frame, seconds, np.empty_like(found))
            if not np.allclose(found, expected, rtol=0, atol=TOLERANCE):
                raise NotEqualError(f"{type(method).__name__}, frame {number}: differs from the dictionary's")
    return sum(frame.scores.size for frame in frames)


def check(options: Options) -> str:
    """Every filter over a few frames."""
    frames = pair_frames(20, 6)
    return f"{sum(compare(method, frames) for method in METHODS)} scores of {len(METHODS)} filters to {TOLERANCE:g}"


def _contestant(method: SlotFilter, frames: Sequence[PairFrame]) -> Contestant:
    filters, loop, out = PairFilters(method, VERBS), Loop(frames), np.empty_like(frames[0].scores)

    def step() -> None:
        frame, seconds = loop.next()
        filters.update(frame.human_ids, frame.object_ids, frame.scores, seconds, out=out)

    return Contestant(type(method).__name__, step)


def _dictionary(frames: Sequence[PairFrame]) -> Contestant:
    table, loop, out = DictionaryAverage(), Loop(frames), np.empty_like(frames[0].scores)
    return Contestant(DICTIONARY, lambda: table.update(*loop.next(), out))


def _average_row(pairs: int, options: Options) -> Row:
    frames = pair_frames(pairs, FRAMES)
    count = compare(METHODS[0], frames)
    timings = interleave([_contestant(METHODS[0], frames), _dictionary(frames)], options.rounds)
    goals = {DICTIONARY: GOAL} if pairs == PAIRS else {}
    return Row(f"average, {pairs} pairs x {VERBS}", f"{count} scores to {TOLERANCE:g}", timings, goals=goals)


def _filter_row(method: SlotFilter, options: Options) -> Row:
    frames = pair_frames(PAIRS, FRAMES)
    count = compare(method, frames)
    (timing,) = interleave([_contestant(method, frames)], options.rounds)
    microseconds = timing.median_seconds * 1e6
    return Row(
        f"{type(method).__name__}, {PAIRS} pairs x {VERBS}",
        f"{count} scores to {TOLERANCE:g}",
        (timing,),
        figures={"us a frame": microseconds},
        met=microseconds <= LIMIT_US,
    )


def measure(options: Options) -> Sequence[Row]:
    """The average against the dictionary at three sizes, then every filter's own time."""
    rows = [_average_row(pairs, options) for pairs in (10, PAIRS, 500)]
    return [*rows, *(_filter_row(method, options) for method in METHODS)]


CLAIM = Claim(
    "smoothing_slots",
    f"Verb scores of {PAIRS} pairs filtered over time: at least {GOAL:g} times as fast as a dictionary of numpy "
    f"vectors, and no filter, the median included, takes more than {LIMIT_US:g} us a frame.",
    check,
    measure,
)
