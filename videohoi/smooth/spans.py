"""Reported interactions, with begin and end, and the events about them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from videohoi.smooth.decisions import Decision
from videohoi.smooth.pair_table import PairKey
from videohoi.structures import Frame, GapReason, InteractionEvent, Phase
from videohoi.vocabulary import Vocabulary

NO_ID = -1
"""id of no interaction, human or object (``gap`` events)"""


@dataclass
class Span:
    """One interaction, from the first to the last time it holds."""

    row: int
    """of the pair table"""
    key: PairKey
    verb: int
    class_id: int
    begin_seconds: float
    end_seconds: float
    peak_score: float
    mean_score: float
    decided_seconds: float
    """when its begin or newest update was decided"""
    closed_seconds: float = 0.0
    """when its end was decided"""
    is_open: bool = True
    interaction_id: int = NO_ID
    """assigned when its begin is reported"""
    last_update_seconds: float = 0.0
    is_momentary: bool = False

    def close(self, decision: Decision, decided_seconds: float) -> None:
        """Take the final values."""
        self.is_open, self.end_seconds, self.closed_seconds = False, decision.last_on_seconds, decided_seconds
        self.peak_score, self.mean_score = decision.peak_score, decision.mean_score
        if self.interaction_id == NO_ID:
            self.class_id = decision.class_id

    @property
    def order(self) -> tuple[PairKey, int]:
        """Spans of one frame are reported in this order."""
        return self.key, self.verb


class EventWriter:
    """Makes events of spans and numbers the interactions: 1, 2, ..., no number is used twice."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._ids = itertools.count(1)

    def begin(self, span: Span, frame: Frame) -> InteractionEvent:
        """The first event of an interaction; assigns its id."""
        span.interaction_id = next(self._ids)
        return self.event(span, Phase.BEGIN, frame)

    def event(self, span: Span, phase: Phase, frame: Frame) -> InteractionEvent:
        """The event about ``span`` that is sent with ``frame``."""
        is_over = phase in (Phase.END, Phase.RETRACT)
        about = span.end_seconds if is_over else span.begin_seconds
        decided_seconds = span.closed_seconds if is_over else span.decided_seconds
        if span.is_momentary:
            about = (span.begin_seconds + span.end_seconds) / 2
        return InteractionEvent(
            interaction_id=span.interaction_id,
            phase=phase,
            source_id=frame.source_id,
            frame_index=frame.index,
            decided_seconds=decided_seconds,
            human_id=span.key[0],
            object_id=span.key[1],
            object_class=self._vocabulary.objects[span.class_id],
            verb=self._vocabulary.verbs[span.verb],
            begin_seconds=max(0.0, span.begin_seconds) if span.is_momentary else span.begin_seconds,
            end_seconds=span.end_seconds,
            peak_score=span.peak_score,
            mean_score=span.mean_score,
            delay_seconds=max(0.0, decided_seconds - about),
            vocabulary_version=self._vocabulary.version,
        )

    def gap(self, frame: Frame, last_seconds: float, reason: GapReason) -> InteractionEvent:
        """The event that says that nothing continues from ``last_seconds`` to ``frame``."""
        return InteractionEvent(
            interaction_id=NO_ID,
            phase=Phase.GAP,
            source_id=frame.source_id,
            frame_index=frame.index,
            decided_seconds=frame.pts_seconds,
            human_id=NO_ID,
            object_id=NO_ID,
            object_class="",
            verb="",
            begin_seconds=last_seconds,
            end_seconds=frame.pts_seconds,
            peak_score=0.0,
            mean_score=0.0,
            delay_seconds=0.0,
            vocabulary_version=self._vocabulary.version,
            reason=reason,
        )
