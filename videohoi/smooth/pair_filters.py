"""Verb scores of pairs of tracks filtered over time: one table for all pairs, one call a frame whatever their number.

The state of every pair lies in one array, its row found by hashing the two track ids; a row is free again once its
pair is gone. ``InteractionSmoother`` looks ahead and knows about motion; this is the causal filter for loops of a
robot or a camera where microseconds count.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import ConfigError, InputError
from videohoi.geometry.warming import warmed
from videohoi.smooth import _slot_kernels as kernels
from videohoi.smooth.slot_filters import (
    ExponentialAverage,
    LocalLevelKalman,
    MedianOfFive,
    OneEuro,
    OnOffForward,
    SlotFilter,
    clean_scores,
)
from videohoi.structures.checks import require_shape

KINDS: dict[type, int] = {
    ExponentialAverage: kernels.AVERAGE,
    LocalLevelKalman: kernels.KALMAN,
    OnOffForward: kernels.FORWARD,
    OneEuro: kernels.ONE_EURO,
    MedianOfFive: kernels.MEDIAN,
}
FIRST_CAPACITY = 32
"""slots allotted at first; doubled as needed"""
FORGET_SECONDS = 2.0
"""a pair unseen for longer starts anew"""

Ints = NDArray[np.int64]
Scores = NDArray[np.float32]


class SlotTable:
    """Which row belongs to which (human, object) pair of tracks; rows of pairs long unseen are given away again."""

    def __init__(self, forget_seconds: float = FORGET_SECONDS) -> None:
        if not 0 < forget_seconds < math.inf:
            raise ConfigError(f"forget_seconds: expected a number above 0, got {forget_seconds}")
        self.forget_seconds = float(forget_seconds)
        self.clear()

    def __len__(self) -> int:
        return self.taken

    @property
    def capacity(self) -> int:
        """Slots there are; never fewer than the pairs held and those of one more frame."""
        return len(self.keys)

    def clear(self) -> None:
        """Forget every pair."""
        self.taken = 0
        self.keys = np.full((FIRST_CAPACITY, 2), kernels.FREE, np.int64)
        self.clock = np.zeros((FIRST_CAPACITY, 2))
        self.buckets = np.full(2 * FIRST_CAPACITY, kernels.FREE, np.int64)

    def make_room(self, pairs: int) -> bool:
        """Have ``pairs`` free slots; True when the capacity grew (slots in use keep their number)."""
        if self.taken + pairs <= self.capacity:
            return False
        capacity = self.capacity
        while capacity < self.taken + pairs:
            capacity *= 2
        more = capacity - self.capacity
        self.keys = np.concatenate([self.keys, np.full((more, 2), kernels.FREE, np.int64)])
        self.clock = np.concatenate([self.clock, np.zeros((more, 2))])
        self.buckets = np.empty(2 * capacity, np.int64)
        kernels.enter_all_kernel(self.keys, self.buckets)
        return True

    def seat(self, human_ids: Ints, object_ids: Ints, pts_seconds: float) -> tuple[Ints, NDArray[np.float64]]:
        """Slots (P,) and seconds since each pair's last time (P,): -1 for a new one, 0 for a time not after it.

        A pair with a negative id has no slot (-1).
        """
        slots, steps, self.taken = kernels.seat_kernel(
            self.keys, self.buckets, self.clock, human_ids, object_ids, float(pts_seconds), self.forget_seconds
        )
        return slots, steps

    def end_tracks(self, track_ids: Collection[int]) -> None:
        """Free the slots of every pair with one of these tracks."""
        if track_ids:
            gone = np.isin(self.keys, np.fromiter(track_ids, np.int64, len(track_ids))).any(axis=1)
            self.keys[gone & (self.keys[:, 0] != kernels.FREE)] = kernels.FREE
            self.taken = int(kernels.enter_all_kernel(self.keys, self.buckets))


class PlainSlotTable:
    """Twin of ``SlotTable`` in plain Python; its rows have other numbers, the times are the same."""

    def __init__(self, forget_seconds: float = FORGET_SECONDS) -> None:
        self.forget_seconds = forget_seconds
        self.clear()

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def capacity(self) -> int:
        """Rows ever used at once."""
        return len(self._slots) + len(self._free)

    def clear(self) -> None:
        """Forget every pair."""
        self._slots: dict[tuple[int, int], int] = {}
        self._seconds: dict[tuple[int, int], float] = {}
        self._free: list[int] = []

    def make_room(self, pairs: int) -> bool:
        """Have ``pairs`` free rows; True when there are more rows than before."""
        before = self.capacity
        self._free.extend(range(before, before + max(0, pairs - len(self._free))))
        return self.capacity > before

    def seat(self, human_ids: Ints, object_ids: Ints, pts_seconds: float) -> tuple[Ints, NDArray[np.float64]]:
        """As ``SlotTable.seat``."""
        self._release([key for key, last in self._seconds.items() if pts_seconds - last > self.forget_seconds])
        slots, steps = np.full(len(human_ids), kernels.NAMELESS, np.int64), np.zeros(len(human_ids))
        for row, key in enumerate(zip(human_ids.tolist(), object_ids.tolist(), strict=True)):
            if min(key) < 0:
                continue
            last = self._seconds.get(key)
            steps[row] = kernels.NEW if last is None else max(pts_seconds - last, 0.0)
            if last is None:
                self._slots[key] = self._free.pop()
            self._seconds[key] = pts_seconds if last is None else max(pts_seconds, last)
            slots[row] = self._slots[key]
        return slots, steps

    def end_tracks(self, track_ids: Collection[int]) -> None:
        """As ``SlotTable.end_tracks``."""
        self._release([key for key in self._slots if not set(track_ids).isdisjoint(key)])

    def _release(self, keys: list[tuple[int, int]]) -> None:
        for key in keys:
            self._free.append(self._slots.pop(key))
            del self._seconds[key]


class PairFilters:
    """Filters the verb scores of all pairs of a source. Same input, same output; one thread at a time.

    Args:
        method: one of the filters of ``slot_filters``, with its settings.
        verb_count: V.
        forget_seconds: a pair unseen for longer starts anew.

    Raises:
        ConfigError: ``forget_seconds`` is not a positive number.
    """

    def __init__(self, method: SlotFilter, verb_count: int, *, forget_seconds: float = FORGET_SECONDS) -> None:
        self.method = method
        self.verb_count = verb_count
        self._forget_seconds = forget_seconds
        self._kind = KINDS[type(method)]
        self._settings = method.settings
        self.compiled = True
        """False: runs on the numpy twins"""
        self._begin(SlotTable(forget_seconds))

    def __len__(self) -> int:
        """Pairs remembered."""
        return len(self._table)

    def open(self) -> None:
        """Begin a source. Loads the compiled kernels, or runs on numpy while they are compiled."""
        self.compiled = warmed(self._warm_up)
        self.reset()

    def reset(self) -> None:
        """Forget every pair."""
        self._begin((SlotTable if self.compiled else PlainSlotTable)(self._forget_seconds))

    def end_tracks(self, track_ids: Collection[int]) -> None:
        """Forget the pairs of tracks that are over (``Tracks.ended_ids``)."""
        self._table.end_tracks(track_ids)

    def update(
        self, human_ids: Ints, object_ids: Ints, verb_scores: Scores, pts_seconds: float, *, out: Scores | None = None
    ) -> Scores:
        """Filtered scores (P, V) of a frame's pairs at media time ``pts_seconds``.

        ``human_ids`` (P,) and ``object_ids`` (P,) are track ids; a pair with a negative one passes unfiltered. Scores
        (P, V) are kept within [0, 1], what is not a number counts as 0. A pair that comes again at the same or an
        earlier time brings no news: it keeps what it has. ``out`` (P, V) float32, contiguous, is filled and returned if
        given: memory that is warm already saves a third of the time.

        Raises:
            ValueError: another shape.
            InputError: ``pts_seconds`` is not finite.
        """
        count = len(human_ids)
        if object_ids.shape != (count,) or verb_scores.shape != (count, self.verb_count):
            require_shape("PairFilters", "object_ids", object_ids, (count,))
            require_shape("PairFilters", "verb_scores", verb_scores, (count, self.verb_count))
        if out is not None and (
            out.shape != verb_scores.shape or out.dtype != np.float32 or not out.flags.c_contiguous
        ):
            raise ValueError(
                f"PairFilters.out must be contiguous float32 {verb_scores.shape}, got {out.dtype} {out.shape}"
            )
        if not math.isfinite(pts_seconds):
            raise InputError(f"pts_seconds must be a finite number of seconds, got {pts_seconds}")
        humans, objects = np.ascontiguousarray(human_ids, np.int64), np.ascontiguousarray(object_ids, np.int64)
        scores = np.ascontiguousarray(verb_scores, np.float32)
        filtered = np.empty((count, self.verb_count), np.float32) if out is None else out
        table = self._table
        if table.make_room(count):
            self._grow()
        if isinstance(table, PlainSlotTable):
            filtered[:] = self._plain_step(*table.seat(humans, objects, pts_seconds), scores)
            return filtered
        table.taken = kernels.filter_kernel(
            self._kind, table.keys, table.buckets, table.clock, self._state, humans, objects, scores, filtered,
            float(pts_seconds), table.forget_seconds, self._settings,
        )  # fmt: skip
        return filtered

    def _begin(self, table: SlotTable | PlainSlotTable) -> None:
        self._table = table
        planes, verbs = self.method.planes, self.verb_count
        shape = (planes, table.capacity * verbs) if self.compiled else (table.capacity, planes, verbs)
        self._state = np.zeros(shape, np.float32)
        self._memory = np.zeros(0 if self.compiled else table.capacity)  # the kernels keep theirs with the clock

    def _grow(self) -> None:
        before, memory = self._state, self._memory
        self._begin(self._table)
        self._memory[: len(memory)] = memory
        self._state[tuple(slice(size) for size in before.shape)] = before

    def _plain_step(self, slots: Ints, steps: NDArray[np.float64], scores: Scores) -> Scores:
        """Row by row, so that a pair named twice in a frame is seen twice, as the kernel does."""
        filtered = clean_scores(scores)
        for row in np.flatnonzero(slots != kernels.NAMELESS):
            slot = slice(slots[row], slots[row] + 1)
            state, memory, new = self._state[slot], self._memory[slot], filtered[row : row + 1]
            if steps[row] < 0:
                self.method.start(state, memory, new)
            elif steps[row] > 0:
                self.method.step(state, memory, new, steps[row : row + 1])
            filtered[row] = self.method.read(state)[0]
        return filtered

    def _warm_up(self) -> None:
        rehearsal = PairFilters(self.method, self.verb_count)
        ids, scores = np.array([1, 1], np.int64), np.zeros((2, self.verb_count), np.float32)
        for frame in range(2):
            rehearsal.update(ids, ids, scores, float(frame))
        rehearsal._table.end_tracks((1,))
