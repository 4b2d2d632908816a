"""Which interactions were on during the last seconds, in lanes that stay in place."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from videohoi.sink.frame_rows import ActivePair


class LaneKey(NamedTuple):
    """What a lane is about."""

    human_id: int
    verb: str
    object_id: int


@dataclass
class Bar:
    """A stretch of time in which the interaction was on."""

    begin_seconds: float
    end_seconds: float


@dataclass
class Lane:
    """One interaction's recent past."""

    key: LaneKey
    object_class: str
    active: bool = True
    bars: list[Bar] = field(default_factory=list)


class Timeline:
    """Bars of the last ``window_seconds`` and at most ``slot_count`` lanes to show.

    A lane keeps its slot until its last bar has left the window; only when all slots are taken does a lane that is on
    replace the one that ended longest ago.
    """

    def __init__(self, window_seconds: float, slot_count: int) -> None:
        self.window_seconds = window_seconds
        self.now_seconds = 0.0
        self._lanes: dict[LaneKey, Lane] = {}
        self._slots: list[LaneKey | None] = [None] * slot_count

    @property
    def slots(self) -> list[Lane | None]:
        """The lane of each slot, top first."""
        return [None if key is None else self._lanes[key] for key in self._slots]

    @property
    def hidden_count(self) -> int:
        """Lanes with a bar in the window that have no slot."""
        return len(self._lanes) - sum(key is not None for key in self._slots)

    def feed(self, pts_seconds: float, pairs: Iterable[ActivePair]) -> None:
        """Take what is on at ``pts_seconds``; times increase from call to call."""
        self.now_seconds = pts_seconds
        active = {
            LaneKey(pair.human_id, verb, pair.object_id): pair.object_class for pair in pairs for verb, _ in pair.verbs
        }
        for key, object_class in active.items():
            lane = self._lanes.setdefault(key, Lane(key, object_class, active=False))
            if lane.active:
                lane.bars[-1].end_seconds = pts_seconds
            else:
                lane.bars.append(Bar(pts_seconds, pts_seconds))
        for lane in self._lanes.values():
            lane.active = lane.key in active
        self._forget_old()
        self._assign_slots()

    def _forget_old(self) -> None:
        horizon_seconds = self.now_seconds - self.window_seconds
        for lane in list(self._lanes.values()):
            lane.bars = list(itertools.dropwhile(lambda bar: bar.end_seconds < horizon_seconds, lane.bars))
            if not lane.bars:
                del self._lanes[lane.key]
        self._slots = [key if key in self._lanes else None for key in self._slots]

    def _assign_slots(self) -> None:
        waiting = [lane for lane in self._lanes.values() if lane.key not in self._slots]
        for lane in sorted(waiting, key=lambda lane: not lane.active):
            slot = self._free_slot(lane)
            if slot is not None:
                self._slots[slot] = lane.key

    def _free_slot(self, lane: Lane) -> int | None:
        if None in self._slots:
            return self._slots.index(None)
        ended = [slot for slot, shown in enumerate(self.slots) if shown is not None and not shown.active]
        if not lane.active or not ended:
            return None
        return min(ended, key=lambda slot: self._lanes[self._slots[slot]].bars[-1].end_seconds)  # type: ignore[index]
