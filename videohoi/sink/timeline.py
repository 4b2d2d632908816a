"""Which interactions were on during the last seconds, in lanes that stay in place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from videohoi.structures import InteractionEvent, Phase


class LaneKey(NamedTuple):
    """The interaction that a lane shows."""

    human_id: int
    verb: str
    object_id: int
    object_class: str


@dataclass
class Bar:
    """One segment: the stretch of time in which the interaction was on."""

    begin_seconds: float
    end_seconds: float
    is_open: bool = True
    """it has not ended yet"""


@dataclass
class Lane:
    """One interaction's recent past."""

    key: LaneKey
    bars: dict[int, Bar] = field(default_factory=dict)
    """by interaction id, in order of their announcement"""

    @property
    def active(self) -> bool:
        """The interaction is on."""
        return any(bar.is_open for bar in self.bars.values())

    @property
    def last_seconds(self) -> float:
        """When the interaction was on last."""
        return max(bar.end_seconds for bar in self.bars.values())


class Timeline:
    """Bars of the last ``window_seconds`` and at most ``slot_count`` lanes to show.

    Bars follow the events of the run, as ``segments.csv`` does: an end corrects both times of its bar, and a
    retraction removes it. A lane keeps its slot until its last bar has left the window; only when all slots are taken
    does a lane that is on replace the one that ended longest ago.
    """

    def __init__(self, window_seconds: float, slot_count: int) -> None:
        self.window_seconds = window_seconds
        self.now_seconds = 0.0
        self.gaps_seconds: list[float] = []
        """times in the window at which the source was not continuous: scene cuts, silence, another picture size"""
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

    def feed(self, pts_seconds: float, events: Iterable[InteractionEvent]) -> None:
        """Take the events of the frame at ``pts_seconds``; times increase from call to call."""
        self.now_seconds = pts_seconds
        for event in events:
            self._take(event)
        for lane in self._lanes.values():
            for bar in lane.bars.values():
                if bar.is_open:
                    bar.end_seconds = pts_seconds
        self._forget_old()
        self._assign_slots()

    def _take(self, event: InteractionEvent) -> None:
        if event.phase is Phase.GAP:
            self.gaps_seconds.append(event.end_seconds)
            return
        key = LaneKey(event.human_id, event.verb, event.object_id, event.object_class)
        for lane in self._lanes.values():  # the class of an interaction may have been corrected since
            if lane.key != key:
                lane.bars.pop(event.interaction_id, None)
        if event.phase is Phase.RETRACT:
            if key in self._lanes:
                self._lanes[key].bars.pop(event.interaction_id, None)
            return
        bar = Bar(event.begin_seconds, event.end_seconds, is_open=event.phase is not Phase.END)
        self._lanes.setdefault(key, Lane(key)).bars[event.interaction_id] = bar

    def _forget_old(self) -> None:
        horizon_seconds = self.now_seconds - self.window_seconds
        self.gaps_seconds = [seconds for seconds in self.gaps_seconds if seconds >= horizon_seconds]
        for lane in list(self._lanes.values()):
            lane.bars = {key: bar for key, bar in lane.bars.items() if bar.end_seconds >= horizon_seconds}
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
        ended = [(shown.last_seconds, slot) for slot, shown in enumerate(self.slots) if shown and not shown.active]
        return min(ended)[1] if lane.active and ended else None
