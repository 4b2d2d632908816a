"""Interactions over time: events as they are decided, segments once they are over."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Phase(str, Enum):
    """Phase of an interaction event."""

    BEGIN = "begin"
    """an interaction is now believed; ``begin_seconds`` may lie before the decision"""
    UPDATE = "update"
    """it continues (sent at a fixed period)"""
    END = "end"
    """it is over; begin and end are final"""
    RETRACT = "retract"
    """it was announced but turned out too short or wrong: discard it"""
    GAP = "gap"
    """nothing continues past this point (``GapReason``): open interactions have ended, tracks have new ids"""


class GapReason(str, Enum):
    """Why nothing continues."""

    SCENE_CUT = "scene cut"
    """another shot began"""
    PICTURE_SIZE = "picture size"
    """the picture changed its size or shape"""
    SILENCE = "silence"
    """the source delivered nothing for long"""
    CLOCK = "clock ran backwards"
    """its times went back"""


@dataclass(frozen=True)
class InteractionEvent:
    """One decision about one interaction (human, verb, object)."""

    interaction_id: int
    """same for all events of one interaction; -1 for ``gap``"""
    phase: Phase
    source_id: str
    frame_index: int
    """frame at which the decision was taken"""
    decided_seconds: float
    """media time at which the decision was taken"""
    human_id: int
    object_id: int
    object_class: str
    verb: str
    begin_seconds: float
    end_seconds: float
    """last time the interaction is known to hold"""
    peak_score: float
    mean_score: float
    delay_seconds: float
    """decided_seconds minus the begin (begin, update) or end (end, retract) that it reports"""
    vocabulary_version: int = 1
    reason: GapReason | None = None
    """of a ``gap`` only"""


@dataclass(frozen=True)
class Segment:
    """A finished interaction: (human, verb, object, from, to). The row of segments.csv."""

    source_id: str
    human_id: int
    verb: str
    object_id: int
    object_class: str
    begin_seconds: float
    """time of the first frame in which it holds"""
    end_seconds: float
    """time of the last frame in which it holds"""
    score: float
    """mean smoothed score over the segment"""
    peak_score: float
    kind: str = "state"
    """state (overlap counts) or event (a moment counts, as kick)"""
