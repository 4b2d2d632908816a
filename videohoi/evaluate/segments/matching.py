"""Which predicted interactions are true: one-to-one matching of predicted with annotated segments of one clip.

*Strict* compares (human, verb, object, time). *Agnostic* asks only whether a pair interacts: verbs are replaced by
``ANY_VERB`` and a pair's overlapping or touching segments are united first, on both sides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from videohoi.evaluate.segments.places import PairPlaces
from videohoi.evaluate.segments.truth import ClipTruth, TruthSegment, TruthSpan
from videohoi.structures import Segment

ANY_VERB = "*"
"""stands for every verb in the agnostic question"""


@dataclass(frozen=True)
class TruthSide:
    """What predictions are compared with."""

    sure: tuple[TruthSegment, ...]
    """to be found: each is a hit or a miss"""
    neutral: tuple[TruthSpan, ...]
    """scored neither way: likely segments, ignore spans"""


def strict_truth(truth: ClipTruth) -> TruthSide:
    """Scored spans: the object has a COCO class and the verb is one of HICO-DET's."""
    segments = [segment for segment in truth.segments if segment.in_scope]
    likely = (segment for segment in segments if not segment.sure)
    ignored = (span for span in truth.ignore if span.in_scope)
    return TruthSide(tuple(segment for segment in segments if segment.sure), (*likely, *ignored))


def agnostic_truth(truth: ClipTruth) -> TruthSide:
    """Unions over verbs of each pair's sure scored segments.

    Neutral are likely segments and ignore spans, and sure segments whose verb HICO-DET lacks (juggle, stand_at): the
    pair does interact, but no scored verb says so. A union that is one single event stays an event.
    """
    sure = unite_truth(strict_truth(truth).sure, truth.frame_seconds)
    segments = (segment for segment in truth.segments if not (segment.sure and segment.hico_verb))
    spans = (span for span in (*segments, *truth.ignore) if span.object_class is not None)
    return TruthSide(sure, tuple(replace(span, verb=ANY_VERB) for span in spans))


def unite_truth(segments: Iterable[TruthSegment], frame_seconds: float) -> tuple[TruthSegment, ...]:
    """A pair's segments of all verbs, those that overlap or touch made one."""
    united: list[TruthSegment] = []
    for segment in sorted(segments, key=lambda s: (s.person_id, s.object_id, s.begin_seconds, s.end_seconds, s.verb)):
        last = united[-1] if united else None
        same = last and (last.person_id, last.object_id) == (segment.person_id, segment.object_id)
        if last and same and _touch(last.end_seconds, segment.begin_seconds, frame_seconds):
            end = max(last.end_seconds, segment.end_seconds)
            united[-1] = replace(last, end_seconds=end, contact_seconds=None)
        else:
            united.append(replace(segment, verb=ANY_VERB))
    return tuple(united)


def unite_predictions(segments: Iterable[Segment], frame_seconds: float) -> tuple[Segment, ...]:
    """As ``unite_truth`` for predictions; a union's score is its best member's."""
    united: list[Segment] = []
    for segment in sorted(segments, key=lambda s: (_pair(s), s.begin_seconds, s.end_seconds, -s.score, s.verb)):
        last = united[-1] if united else None
        same = last and _pair(last) == _pair(segment)
        if last and same and _touch(last.end_seconds, segment.begin_seconds, frame_seconds):
            end, score = max(last.end_seconds, segment.end_seconds), max(last.score, segment.score)
            united[-1] = replace(last, end_seconds=end, score=score)
        else:
            united.append(replace(segment, verb=ANY_VERB))
    return tuple(united)


def _pair(segment: Segment) -> tuple[int, int, str]:
    return (segment.human_id, segment.object_id, segment.object_class)


def _touch(end_seconds: float, begin_seconds: float, frame_seconds: float) -> bool:
    """The next span begins no later than the frame after the first one's last (half a frame of room for rounding)."""
    return begin_seconds <= end_seconds + 1.5 * frame_seconds


EVENT_REACH_SECONDS = 0.2
"""a prediction hits an event when its middle lies this near the contact"""
ROUNDING_SECONDS = 1e-6
"""room for decimal times in files at the edges of windows"""
MOSTLY_SHARE = 0.5
"""a prediction lies "mostly inside" spans that cover at least this share of it"""


@dataclass(frozen=True)
class Matches:
    """What became of each prediction and each sure segment. Rows are those of the arguments of ``match``."""

    hits: tuple[tuple[int, int], ...]
    """(prediction row, sure row), one-to-one"""
    neutral_rows: tuple[int, ...]
    """predictions scored neither way"""
    false_alarm_rows: tuple[int, ...]
    missed_rows: tuple[int, ...]
    """sure segments nothing matched"""


def match(
    predictions: Sequence[Segment],
    side: TruthSide,
    places: PairPlaces,
    frame_seconds: float,
    minimum_iou: float,
    refuted_rows: Collection[int] = (),
) -> Matches:
    """Match one-to-one, best score first; each prediction takes the closest sure segment that is still free.

    A prediction agrees with a sure segment when verb, object class and pair of boxes (``PairPlaces``) agree and, for a
    state, the temporal IoU is at least ``minimum_iou``, for an event, its middle lies within 0.2 s of the contact: a
    long prediction does not hit every event inside it. A prediction left over is neutral when it agrees in this sense
    with a neutral span or when neutral spans of its pair and verb cover at least half of it; else it is a false alarm.
    ``refuted_rows`` are predictions inside declared negatives: never neutral.
    """
    closeness = np.array(
        [[_closeness(p, s, places, frame_seconds) for s in side.sure] for p in predictions], np.float64
    ).reshape(len(predictions), len(side.sure))
    hits: list[tuple[int, int]] = []
    free = np.ones(len(side.sure), np.bool_)
    for row in sorted(range(len(predictions)), key=lambda row: _rank(predictions[row])):
        reachable = free & (closeness[row] >= minimum_iou)
        if reachable.any():
            best = _closest(closeness[row], reachable, predictions[row], side.sure)
            free[best] = False
            hits.append((row, best))
    left = sorted(set(range(len(predictions))) - {row for row, _ in hits})
    neutral = [
        row
        for row in left
        if row not in refuted_rows and is_neutral(predictions[row], side.neutral, places, frame_seconds, minimum_iou)
    ]
    alarms = tuple(row for row in left if row not in neutral)
    return Matches(tuple(sorted(hits)), tuple(neutral), alarms, tuple(int(row) for row in np.flatnonzero(free)))


def is_neutral(
    prediction: Segment, spans: Sequence[TruthSpan], places: PairPlaces, frame_seconds: float, minimum_iou: float
) -> bool:
    """Whether ``spans``, scored neither way, account for ``prediction``."""
    if any(_closeness(prediction, span, places, frame_seconds) >= minimum_iou for span in spans):
        return True
    return covered_share(prediction, spans, places, frame_seconds) >= MOSTLY_SHARE


def covered_share(
    prediction: Segment,
    spans: Iterable[TruthSpan],
    places: PairPlaces,
    frame_seconds: float,
    *,
    exclusive: bool = False,
) -> float:
    """Share, in [0, 1], of the prediction's time that ``spans`` of the same pair and verb cover together.

    ``exclusive`` as in ``PairPlaces.same_pair``.
    """
    begin, end = prediction.begin_seconds, prediction.end_seconds + frame_seconds
    covered, reached = 0.0, begin
    for span in sorted(spans, key=lambda span: span.begin_seconds):
        low, high = max(span.begin_seconds, reached), min(span.end_seconds + frame_seconds, end)
        if high > low and _same(prediction, span, places, exclusive=exclusive):
            covered += high - low
            reached = high
    return covered / (end - begin)


def temporal_iou(prediction: Segment, span: TruthSpan, frame_seconds: float) -> float:
    """Shared time over time of either; both cover their first frame to the end of their last."""
    low = max(prediction.begin_seconds, span.begin_seconds)
    high = min(prediction.end_seconds, span.end_seconds) + frame_seconds
    lengths = (prediction.end_seconds - prediction.begin_seconds) + (span.end_seconds - span.begin_seconds)
    shared = max(high - low, 0.0)
    return shared / (lengths + 2 * frame_seconds - shared)


def _closeness(prediction: Segment, span: TruthSpan, places: PairPlaces, frame_seconds: float) -> float:
    """Temporal IoU with a state; 1 within an event's window; 0 outside it or where verb, class or place differ."""
    contact = span.contact_seconds if isinstance(span, TruthSegment) else None
    if contact is None:
        close = temporal_iou(prediction, span, frame_seconds)
    else:
        close = float(abs(_middle(prediction) - contact) <= EVENT_REACH_SECONDS + ROUNDING_SECONDS)
    return close if close > 0 and _same(prediction, span, places) else 0.0


def _same(prediction: Segment, span: TruthSpan, places: PairPlaces, *, exclusive: bool = False) -> bool:
    """Verb, object class and place agree."""
    if (prediction.verb, prediction.object_class) != (span.verb, span.object_class):
        return False
    return places.same_pair(prediction, span, exclusive=exclusive)


def _closest(
    closeness: NDArray[np.float64], reachable: NDArray[np.bool_], prediction: Segment, sure: Sequence[TruthSegment]
) -> int:
    """Row of the closest reachable segment; among equals the one whose moment is nearest, then the earliest."""

    def order(row: int) -> tuple[float, float, float, float, str, str]:
        s = sure[row]
        moment = s.contact_seconds if s.contact_seconds is not None else (s.begin_seconds + s.end_seconds) / 2
        away = abs(_middle(prediction) - moment)
        return (-closeness[row], away, s.begin_seconds, s.end_seconds, s.person_id, s.object_id)

    return min((int(row) for row in np.flatnonzero(reachable)), key=order)


def _rank(segment: Segment) -> tuple[float, float, float, int, int, str]:
    """Best score first; ties in an order that does not depend on the order of the file."""
    s = segment
    return (-s.score, s.begin_seconds, s.end_seconds, s.human_id, s.object_id, s.verb)


def _middle(segment: Segment) -> float:
    return (segment.begin_seconds + segment.end_seconds) / 2
