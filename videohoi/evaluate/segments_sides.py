"""What predictions are compared with, for the two questions asked of a clip.

*Strict* compares (human, verb, object, time). *Agnostic* asks only whether a pair interacts: verbs are replaced by
``ANY_VERB`` and a pair's overlapping or touching segments are united first, on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from videohoi.evaluate.truth import ClipTruth, TruthSegment, TruthSpan
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
