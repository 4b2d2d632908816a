"""Which predicted interactions are true: one-to-one matching of predicted with annotated segments of one clip.

The same rules serve both questions, strict and agnostic (``segments_sides``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.evaluate.segments_places import PairPlaces
from videohoi.evaluate.segments_sides import TruthSide
from videohoi.evaluate.truth import TruthSegment, TruthSpan
from videohoi.structures import Segment

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
