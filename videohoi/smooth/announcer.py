"""Decisions put into words: the events the smoothing stage sends."""

from __future__ import annotations

import itertools
from dataclasses import replace

from videohoi.smooth.impacts import Impact
from videohoi.smooth.pair_table import PairState
from videohoi.structures import Frame, GapReason, InteractionEvent, Phase
from videohoi.vocabulary import Vocabulary

NOBODY = -1
"""id of no interaction, human or object (``gap`` events)"""


class Announcer:
    """Builds events and gives interactions their ids: 1, 2, ..., never used twice."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._ids = itertools.count(1)

    def next_id(self) -> int:
        """A fresh interaction id."""
        return next(self._ids)

    def state(self, pair: PairState, verb: int, phase: Phase, frame: Frame, decided_seconds: float) -> InteractionEvent:
        """What was decided about the verb in column ``verb``."""
        begin, end = float(pair.begin[verb]), float(pair.last_on[verb])
        spoken_of = end if phase in (Phase.END, Phase.RETRACT) else begin
        return InteractionEvent(
            interaction_id=int(pair.interaction[verb]),
            phase=phase,
            source_id=frame.source_id,
            frame_index=frame.index,
            decided_seconds=decided_seconds,
            human_id=pair.human_id,
            object_id=pair.object_id,
            object_class=self._vocabulary.objects[pair.object_class_id],
            verb=self._vocabulary.verbs[verb],
            begin_seconds=begin,
            end_seconds=end,
            peak_score=float(pair.peak[verb]),
            mean_score=float(pair.score_sum[verb] / max(pair.score_count[verb], 1)),
            delay_seconds=max(0.0, decided_seconds - spoken_of),
            vocabulary_version=self._vocabulary.version,
        )

    def momentary(
        self,
        impact: Impact,
        named: tuple[str, str],
        pair: PairState,
        frame: Frame,
        decided_seconds: float,
        half_span_seconds: float,
        score: float,
    ) -> tuple[InteractionEvent, InteractionEvent]:
        """Begin and end of an impact, at once; ``named`` is its (verb, object class)."""
        verb, object_class = named
        begin = InteractionEvent(
            interaction_id=self.next_id(),
            phase=Phase.BEGIN,
            source_id=frame.source_id,
            frame_index=frame.index,
            decided_seconds=decided_seconds,
            human_id=pair.human_id,
            object_id=pair.object_id,
            object_class=object_class,
            verb=verb,
            begin_seconds=max(0.0, impact.pts_seconds - half_span_seconds),
            end_seconds=impact.pts_seconds + half_span_seconds,
            peak_score=score,
            mean_score=score,
            delay_seconds=decided_seconds - impact.pts_seconds,
            vocabulary_version=self._vocabulary.version,
        )
        return begin, replace(begin, phase=Phase.END)

    def gap(self, frame: Frame, last_seconds: float, reason: GapReason) -> InteractionEvent:
        """Nothing continues between ``last_seconds`` and ``frame``."""
        return InteractionEvent(
            interaction_id=NOBODY,
            phase=Phase.GAP,
            source_id=frame.source_id,
            frame_index=frame.index,
            decided_seconds=frame.pts_seconds,
            human_id=NOBODY,
            object_id=NOBODY,
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
