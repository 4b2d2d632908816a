"""From decisions to what leaves the smoothing stage: events, and which verbs are on in each frame.

``LiveReport`` reports everything at once and retracts what turns out wrong. ``FinalReport`` lets a frame go when
everything it shows is final; see ``InteractionSmoother`` for what that promises.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from videohoi.smooth.config import SmoothingConfig
from videohoi.smooth.decisions import Decider, Decision, Step
from videohoi.smooth.impacts import Momentary
from videohoi.smooth.pair_table import ON, PairKey, PairTable
from videohoi.smooth.spans import NO_ID, EventWriter, Span
from videohoi.structures import Frame, FrameResult, InteractionEvent, Phase, TrackedInteractions

ENDS = frozenset({Phase.GAP, Phase.END})
"""reported before what begins in the same frame"""
HELD_BYTES = 256 * 2**20
"""limit of the memory of pictures that wait for their final state: 1.3 s of 1080p at 30 frames/s"""


@dataclass(frozen=True, repr=False)
class Decided:
    """A frame with what was decided at it."""

    item: FrameResult
    pairs: TrackedInteractions
    """the pairs known then, nothing active yet"""
    decisions: Sequence[Decision]
    moments: Sequence[Momentary]
    newest_seconds: float
    """time of the newest frame that the decisions took into account"""
    gaps: tuple[InteractionEvent, ...] = ()
    """reported before everything else"""


def pairs_at(table: PairTable, rows: NDArray[np.int64], step: Step) -> TrackedInteractions:
    """The pairs in ``rows`` (P,) as of one frame, nothing active."""
    values = step.scores.values[rows].astype(np.float32)
    return TrackedInteractions(
        human_ids=table.human_ids[rows],
        object_ids=table.object_ids[rows],
        object_class_ids=table.class_ids[rows],
        verb_scores=values,
        observed=step.observed[rows],
        active=np.zeros(values.shape, np.bool_),
        age_seconds=np.maximum(0.0, step.pts_seconds - table.first_seconds[rows]).astype(np.float32),
    )


class Report:
    """What both kinds of report share: spans that are open or whose end is not reported yet."""

    def __init__(self, table: PairTable, writer: EventWriter, config: SmoothingConfig) -> None:
        self._table = table
        self._writer = writer
        self._config = config
        self._open: dict[tuple[int, int], Span] = {}  # by row and verb

    def _opened(self, decision: Decision, decided_seconds: float) -> Span:
        span = Span(
            decision.row, self._table.key_of(decision.row), decision.verb, decision.class_id, decision.begin_seconds,
            decision.last_on_seconds, decision.peak_score, decision.mean_score, decided_seconds,
        )  # fmt: skip
        self._open[decision.row, decision.verb] = span
        return span

    def _closed(self, decision: Decision, decided_seconds: float) -> Span:
        span = self._open.pop((decision.row, decision.verb))
        span.close(decision, decided_seconds)
        return span

    def _moment(self, moment: Momentary, decided_seconds: float) -> Span:
        half = self._config.impact.half_span_seconds
        return Span(
            moment.row, self._table.key_of(moment.row), moment.verb, moment.class_id, moment.pts_seconds - half,
            moment.pts_seconds + half, moment.score, moment.score, decided_seconds, decided_seconds, is_open=False,
            is_momentary=True,
        )  # fmt: skip


class LiveReport(Report):
    """Reports each frame at once, with the current state."""

    def report(self, decided: Decided, rows: NDArray[np.int64]) -> FrameResult:
        """``decided.pairs`` are those in ``rows`` (P,) of the table."""
        frame, now = decided.item.frame, decided.newest_seconds
        events = list(decided.gaps)
        for moment in decided.moments:
            span = self._moment(moment, now)
            events += [self._writer.begin(span, frame), self._writer.event(span, Phase.END, frame)]
        events += [self._event(decision, frame, now) for decision in decided.decisions]
        active = self._table.phase[rows] == ON
        return replace(decided.item, interactions=replace(decided.pairs, active=active), events=tuple(events))

    def close(self, decisions: Sequence[Decision], frame: Frame, newest_seconds: float) -> list[InteractionEvent]:
        """The ends of everything that is on, sent with ``frame``."""
        return [self._event(decision, frame, newest_seconds) for decision in decisions]

    def _event(self, decision: Decision, frame: Frame, newest_seconds: float) -> InteractionEvent:
        if decision.phase is Phase.BEGIN:
            return self._writer.begin(self._opened(decision, newest_seconds), frame)
        if decision.phase is not Phase.UPDATE:
            return self._writer.event(self._closed(decision, newest_seconds), decision.phase, frame)
        span = self._open[decision.row, decision.verb]
        span.end_seconds, span.decided_seconds = decision.last_on_seconds, newest_seconds
        span.peak_score, span.mean_score = decision.peak_score, decision.mean_score
        return self._writer.event(span, Phase.UPDATE, frame)


class FinalReport(Report):
    """Holds frames back until everything they show is final."""

    def __init__(self, table: PairTable, writer: EventWriter, config: SmoothingConfig, decider: Decider) -> None:
        super().__init__(table, writer, config)
        self._decider = decider
        self._held: deque[Decided] = deque()
        self._held_bytes = 0
        self._spans: list[Span] = []  # open ones, and those whose end is not reported yet
        self.cut_short = 0
        """frames that left early because memory was short; what was undecided in them counts as off"""

    def take(self, decided: Decided) -> None:
        """Add a frame."""
        self._note(decided.decisions, decided.newest_seconds)
        self._spans += [self._moment(moment, decided.newest_seconds) for moment in decided.moments]
        self._held.append(decided)
        self._held_bytes += decided.item.frame.image.nbytes

    def ready(self) -> Iterator[FrameResult]:
        """The frames that have become final."""
        while self._held:
            begin_seconds, end_seconds = self._decider.undecided_after()
            pts = self._held[0].item.frame.pts_seconds
            if pts >= begin_seconds or pts > end_seconds:
                if self._held_bytes <= HELD_BYTES:
                    return
                self.cut_short += 1
                self._note(self._decider.settle(pts), self._held[-1].newest_seconds)
            yield self._leave(is_last=False)

    def rest(self, decisions: Sequence[Decision], newest_seconds: float) -> Iterator[FrameResult]:
        """All frames still held, after ``decisions`` ended what was on; the last one carries those ends."""
        self._note(decisions, newest_seconds)
        while self._held:
            yield self._leave(is_last=len(self._held) == 1)

    def _note(self, decisions: Sequence[Decision], newest_seconds: float) -> None:
        for decision in decisions:
            if decision.phase is Phase.BEGIN:
                self._spans.append(self._opened(decision, newest_seconds))
            elif decision.phase is Phase.END:
                self._closed(decision, newest_seconds)
            elif decision.phase is Phase.RETRACT:
                self._spans.remove(self._closed(decision, newest_seconds))

    def _leave(self, *, is_last: bool) -> FrameResult:
        decided = self._held.popleft()
        self._held_bytes -= decided.item.frame.image.nbytes
        frame, events = decided.item.frame, list(decided.gaps)
        self._spans.sort(key=lambda span: span.order)
        earlier = {span.interaction_id for span in self._spans} | {NO_ID}
        on: list[Span] = []
        for span in list(self._spans):
            events += self._events_of(span, decided, is_last=is_last)
            if span.begin_seconds <= frame.pts_seconds and (span.is_open or frame.pts_seconds <= span.end_seconds):
                on.append(span)
        events.sort(key=lambda event: event.phase not in ENDS or event.interaction_id not in earlier)
        return replace(decided.item, interactions=with_active(decided.pairs, on), events=tuple(events))

    def _events_of(self, span: Span, decided: Decided, *, is_last: bool) -> Iterator[InteractionEvent]:
        """Events of ``span`` that are sent with a frame."""
        frame, pts = decided.item.frame, decided.item.frame.pts_seconds
        if span.begin_seconds > pts and not is_last:
            return
        if span.is_open:
            self._refresh(span, pts)
        if span.interaction_id == NO_ID:
            span.last_update_seconds = pts
            yield self._writer.begin(span, frame)
        elif span.is_open and pts - span.last_update_seconds >= self._config.update_seconds:
            span.last_update_seconds, span.decided_seconds = pts, decided.newest_seconds
            yield self._writer.event(span, Phase.UPDATE, frame)
        if not span.is_open and (span.end_seconds < pts or is_last):
            self._spans.remove(span)
            yield self._writer.event(span, Phase.END, frame)

    def _refresh(self, span: Span, pts_seconds: float) -> None:
        """Bring an open span up to date when the frame at ``pts_seconds`` leaves."""
        table, at = self._table, (span.row, span.verb)
        span.class_id = int(table.reported_class_ids[span.row])
        span.end_seconds = pts_seconds
        span.peak_score, span.mean_score = float(table.peak[at]), table.mean_score(*at)
        table.is_reported[at] = True


def with_active(pairs: TrackedInteractions, on: Sequence[Span]) -> TrackedInteractions:
    """``pairs`` with the verbs of ``on`` active, under the class they are reported with.

    A pair that is reported under two classes at once (a kicked ball that was detected as an apple) has a row for each.
    """
    if not on:
        return pairs
    ids = zip(pairs.human_ids.tolist(), pairs.object_ids.tolist(), strict=True)
    row_of = {key: row for row, key in enumerate(ids)}
    spans_of: dict[tuple[PairKey, int], list[Span]] = {}
    for span in on:
        if span.key in row_of:
            spans_of.setdefault((span.key, span.class_id), []).append(span)
    rows = list(range(len(pairs)))
    place_of: dict[tuple[PairKey, int], int] = {}
    for key, class_id in spans_of:
        is_first = not any(other == key for other, _ in place_of)
        place_of[key, class_id] = row_of[key] if is_first else len(rows)
        if not is_first:
            rows.append(row_of[key])
    classes, scores = pairs.object_class_ids[rows], pairs.verb_scores[rows]
    active = np.zeros(scores.shape, np.bool_)
    for name, spans in spans_of.items():
        place = place_of[name]
        classes[place] = name[1]
        for span in spans:
            active[place, span.verb] = True
            if span.is_momentary:
                scores[place, span.verb] = span.peak_score
    return TrackedInteractions(
        pairs.human_ids[rows], pairs.object_ids[rows], classes, scores, pairs.observed[rows], active,
        pairs.age_seconds[rows],
    )  # fmt: skip
