"""Scores predicted segments (human track, verb, object track, begin, end, score) against hand-made truth.

Scored is truth whose object has a COCO class and whose verb is one of HICO-DET's. Per clip and as the mean over clips:
precision, recall and F1 of the strict and of the agnostic question (``segments_sides``) at each temporal IoU, begin and
end errors, flips per minute, and predictions inside declared negatives. ``segments_matching`` has the matching rules,
``segments_places`` the comparison of boxes, ``segments_baseline`` the always-on baseline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from videohoi.errors import InputError
from videohoi.evaluate.segments.matching import (
    MOSTLY_SHARE,
    Matches,
    TruthSide,
    agnostic_truth,
    covered_share,
    match,
    strict_truth,
    unite_predictions,
)
from videohoi.evaluate.segments.places import PairPlaces
from videohoi.evaluate.segments.run_files import RunClip
from videohoi.evaluate.segments.scores import ClipScores, MatchScores, RunScores
from videohoi.evaluate.segments.truth import ClipTruth, TruthSegment, TruthSpan
from videohoi.structures import Segment
from videohoi.vocabulary import hico_det

MINIMUM_IOUS = (0.3, 0.5)
"""temporal IoUs from which a state counts as found"""
SECONDS_PER_MINUTE = 60.0


def score_run(
    truths: Mapping[str, ClipTruth],
    run: Mapping[str, RunClip],
    *,
    minimum_score: float = 0.0,
    minimum_ious: Sequence[float] = MINIMUM_IOUS,
) -> RunScores:
    """Score every clip that has both truth and an output; the others are listed.

    Args:
        truths: by clip name without extension, as ``read_truths`` gives.
        run: the same, as ``read_run`` gives.
        minimum_score: predicted segments below it are left out.
        minimum_ious: temporal IoUs from which a state counts as found.

    Raises:
        InputError: no clip has both.
    """
    names = common_clips(truths, run)
    clips = (ClipScorer(truths[name], run[name], minimum_ious).scores(minimum_score) for name in names)
    return run_scores(clips, truths, run)


def common_clips(truths: Mapping[str, ClipTruth], run: Mapping[str, RunClip]) -> list[str]:
    """Names of the clips with truth and an output, sorted.

    Raises:
        InputError: there is none.
    """
    names = sorted(truths.keys() & run.keys())
    if not names:
        some = ", ".join(sorted(truths)[:3]) or "nothing"
        raise InputError(f"run holds {', '.join(sorted(run)) or 'no clip'}; expected a clip with truth, as {some}")
    return names


def run_scores(clips: Iterable[ClipScores], truths: Mapping[str, ClipTruth], run: Mapping[str, RunClip]) -> RunScores:
    """Scored clips with the names of those that could not be scored."""
    without_prediction = tuple(sorted(truths.keys() - run.keys()))
    return RunScores(tuple(clips), without_prediction, tuple(sorted(run.keys() - truths.keys())))


class ClipScorer:
    """Scores one clip, at any score threshold; boxes are compared once."""

    def __init__(self, truth: ClipTruth, prediction: RunClip, minimum_ious: Sequence[float] = MINIMUM_IOUS) -> None:
        self._truth = truth
        self._minimum_ious = tuple(minimum_ious)
        self._places = PairPlaces(truth, prediction)
        self._strict, self._agnostic = strict_truth(truth), agnostic_truth(truth)
        self._negatives = [span for span in truth.negatives if span.in_scope]
        self._segments = prediction.segments

    def scores(self, minimum_score: float = 0.0) -> ClipScores:
        """Scores of the predicted segments whose score is at least ``minimum_score``."""
        kept = [segment for segment in self._segments if segment.score >= minimum_score]
        scored = [segment for segment in kept if _in_scope(segment)]
        inside = self._inside_negatives(scored)
        refuted = {row for row, _ in inside}
        united = unite_predictions(scored, self._truth.frame_seconds)
        sure = self._strict.sure
        return ClipScores(
            clip=self._truth.stem,
            strict={t: self._matched(scored, self._strict, t, refuted) for t in self._minimum_ious},
            agnostic={t: self._matched(united, self._agnostic, t, set()) for t in self._minimum_ious},
            predicted=len(scored),
            out_of_scope=len(kept) - len(scored),
            flips_per_minute=flips_per_minute([(s.begin_seconds, s.end_seconds) for s in scored], self._truth),
            true_flips_per_minute=flips_per_minute([(s.begin_seconds, s.end_seconds) for s in sure], self._truth),
            negatives=len(self._negatives),
            negatives_hit=len({negative for _, negative in inside}),
            predictions_in_negatives=len(refuted),
        )

    def _matched(self, predictions: Sequence[Segment], side: TruthSide, iou: float, refuted: set[int]) -> MatchScores:
        matches = match(predictions, side, self._places, self._truth.frame_seconds, iou, refuted)
        return _match_scores(matches, predictions, side.sure)

    def _inside_negatives(self, predictions: Sequence[Segment]) -> list[tuple[int, int]]:
        """(prediction row, negative row) where at least half of the prediction lies in a negative of its pair."""
        return [
            (row, negative)
            for row, prediction in enumerate(predictions)
            for negative, span in enumerate(self._negatives)
            if self._share_inside(prediction, span) >= MOSTLY_SHARE
        ]

    def _share_inside(self, prediction: Segment, span: TruthSpan) -> float:
        return covered_share(prediction, [span], self._places, self._truth.frame_seconds, exclusive=True)


def flips_per_minute(spans: Iterable[tuple[float, float]], truth: ClipTruth) -> float:
    """Begins and ends inside the clip, per minute: what holds from the first to the last frame flips never.

    ``spans`` are times in seconds of first and last frames. The first and the last frame are no flip; half a frame of
    room for rounding.
    """
    first = truth.frame_seconds / 2
    last = truth.duration_seconds - 1.5 * truth.frame_seconds
    flips = sum((begin > first) + (end < last) for begin, end in spans)
    return flips * SECONDS_PER_MINUTE / truth.duration_seconds


def _in_scope(segment: Segment) -> bool:
    vocabulary = hico_det()
    known = segment.verb in vocabulary.verbs and segment.object_class in vocabulary.objects
    return known and segment.verb != vocabulary.no_interaction_verb


def _match_scores(matches: Matches, predictions: Sequence[Segment], sure: Sequence[TruthSegment]) -> MatchScores:
    states = [(predictions[p], sure[s]) for p, s in matches.hits if sure[s].contact_seconds is None]
    return MatchScores(
        hits=len(matches.hits),
        false_alarms=len(matches.false_alarm_rows),
        misses=len(matches.missed_rows),
        neutral=len(matches.neutral_rows),
        begin_errors_seconds=tuple(abs(p.begin_seconds - s.begin_seconds) for p, s in states),
        end_errors_seconds=tuple(abs(p.end_seconds - s.end_seconds) for p, s in states),
    )
