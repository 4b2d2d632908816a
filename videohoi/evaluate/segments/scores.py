"""Results of scoring predicted segments. Fractions are in [0, 1]; None means "not defined here"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

QUESTIONS = ("strict", "agnostic")
"""strict: (human, verb, object, time); agnostic: a pair interacts, whatever the verb"""


@dataclass(frozen=True)
class MatchScores:
    """One clip, one question, one temporal IoU."""

    hits: int
    """predictions matched with a sure segment, one-to-one"""
    false_alarms: int
    """predictions that match nothing and are not neutral"""
    misses: int
    """sure segments that nothing matched"""
    neutral: int
    """predictions scored neither way: they match a likely segment or lie mostly inside ignore or likely spans"""
    begin_errors_seconds: tuple[float, ...]
    """|predicted - true begin| of each matched state"""
    end_errors_seconds: tuple[float, ...]
    """|predicted - true end| of each matched state"""

    @property
    def scorable(self) -> bool:
        """The clip holds a sure segment; without one, precision, recall and F1 are not defined."""
        return self.hits + self.misses > 0

    @property
    def precision(self) -> float | None:
        """Hits / (hits + false alarms); 0 where nothing was predicted (but neutral ones)."""
        return self.hits / max(self.hits + self.false_alarms, 1) if self.scorable else None

    @property
    def recall(self) -> float | None:
        """Hits / (hits + misses)."""
        return self.hits / (self.hits + self.misses) if self.scorable else None

    @property
    def f1(self) -> float | None:
        """2 hits / (2 hits + false alarms + misses)."""
        return 2 * self.hits / (2 * self.hits + self.false_alarms + self.misses) if self.scorable else None

    def to_dict(self) -> dict[str, Any]:
        """Counts and fractions, for JSON."""
        return {
            "hits": self.hits,
            "false_alarms": self.false_alarms,
            "misses": self.misses,
            "neutral": self.neutral,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "median_begin_error_seconds": _median(self.begin_errors_seconds),
            "median_end_error_seconds": _median(self.end_errors_seconds),
        }


@dataclass(frozen=True)
class ClipScores:
    """One clip."""

    clip: str
    strict: Mapping[float, MatchScores]
    """by temporal IoU"""
    agnostic: Mapping[float, MatchScores]
    """by temporal IoU"""
    predicted: int
    """predicted segments whose verb and object class the truth uses (HICO-DET's)"""
    out_of_scope: int
    """predicted segments left aside: another verb or object class, or ``no_interaction``"""
    flips_per_minute: float
    """begins after the first frame and ends before the last one of predicted segments, per minute of clip"""
    true_flips_per_minute: float
    """the same of the sure scored segments"""
    negatives: int
    """declared negatives with a HICO-DET verb and a COCO class"""
    negatives_hit: int
    """negatives that hold at least one prediction: same pair and verb, at least half of the prediction inside"""
    predictions_in_negatives: int
    """predictions that lie so in a declared negative"""

    @property
    def scorable(self) -> bool:
        """The clip holds a sure scored segment."""
        return any(scores.scorable for scores in self.strict.values())

    @property
    def negatives_hit_share(self) -> float | None:
        """negatives_hit / negatives; None where none is declared."""
        return self.negatives_hit / self.negatives if self.negatives else None

    def at(self, question: str, minimum_iou: float) -> MatchScores:
        """Scores of one question ("strict", "agnostic") at one temporal IoU."""
        return {"strict": self.strict, "agnostic": self.agnostic}[question][minimum_iou]

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON; temporal IoUs become text keys."""
        return {
            "clip": self.clip,
            "scorable": self.scorable,
            **{name: {f"{iou:g}": s.to_dict() for iou, s in getattr(self, name).items()} for name in QUESTIONS},
            "predicted": self.predicted,
            "out_of_scope": self.out_of_scope,
            "flips_per_minute": self.flips_per_minute,
            "true_flips_per_minute": self.true_flips_per_minute,
            "negatives": self.negatives,
            "negatives_hit": self.negatives_hit,
            "negatives_hit_share": self.negatives_hit_share,
            "predictions_in_negatives": self.predictions_in_negatives,
        }


@dataclass(frozen=True)
class MeanMatchScores:
    """Means over the scorable clips, one question, one temporal IoU; None where no clip is scorable."""

    precision: float | None
    """mean of the clips' precision"""
    recall: float | None
    """mean of the clips' recall"""
    f1: float | None
    """mean of the clips' F1"""
    median_begin_error_seconds: float | None
    """median over the matched states of all clips together; None where no state matched"""
    median_end_error_seconds: float | None
    """as the begin error"""
    false_alarms: int
    """sum over all clips, those without scorable truth included"""

    def to_dict(self) -> dict[str, Any]:
        """Fields, for JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class RunScores:
    """All clips of a run that have truth."""

    clips: tuple[ClipScores, ...]
    """in order of name"""
    without_prediction: tuple[str, ...] = ()
    """clips with truth that the run does not hold: not scored"""
    without_truth: tuple[str, ...] = ()
    """clips of the run without truth: not scored"""

    @property
    def unscorable(self) -> tuple[str, ...]:
        """Clips without a sure scored segment: F1 is not defined and the means leave them out."""
        return tuple(clip.clip for clip in self.clips if not clip.scorable)

    def mean(self, question: str, minimum_iou: float) -> MeanMatchScores:
        """Means over the scorable clips of one question ("strict", "agnostic") at one temporal IoU."""
        scores = [clip.at(question, minimum_iou) for clip in self.clips]
        return MeanMatchScores(
            precision=_mean(s.precision for s in scores),
            recall=_mean(s.recall for s in scores),
            f1=_mean(s.f1 for s in scores),
            median_begin_error_seconds=_median([e for s in scores for e in s.begin_errors_seconds]),
            median_end_error_seconds=_median([e for s in scores for e in s.end_errors_seconds]),
            false_alarms=sum(s.false_alarms for s in scores),
        )

    @property
    def flips_per_minute(self) -> float | None:
        """Mean over all clips."""
        return _mean(clip.flips_per_minute for clip in self.clips)

    @property
    def negatives_hit_share(self) -> float | None:
        """Mean over the clips that declare negatives."""
        return _mean(clip.negatives_hit_share for clip in self.clips)

    @property
    def minimum_ious(self) -> tuple[float, ...]:
        """Temporal IoUs that were scored."""
        return tuple(self.clips[0].strict) if self.clips else ()

    def to_dict(self) -> dict[str, Any]:
        """Clips and means, for JSON."""
        means = {name: {f"{t:g}": self.mean(name, t).to_dict() for t in self.minimum_ious} for name in QUESTIONS}
        return {
            "mean": {
                **means,
                "flips_per_minute": self.flips_per_minute,
                "negatives_hit_share": self.negatives_hit_share,
            },
            "clips": [clip.to_dict() for clip in self.clips],
            "unscorable": list(self.unscorable),
            "without_prediction": list(self.without_prediction),
            "without_truth": list(self.without_truth),
        }


def _mean(values: Iterable[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return fmean(defined) if defined else None


def _median(values: Iterable[float]) -> float | None:
    listed = list(values)
    return median(listed) if listed else None


ABSENT = "-"
"""a value that is not defined"""


DETAILS = ("strict P", "strict R", "pair P", "pair R", "begin error s", "end error s")
"""columns that a narrow table leaves out"""


@dataclass(frozen=True)
class ScoreTable:
    """Text in columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """one a clip, then the means; as many cells as columns"""
    notes: tuple[str, ...]
    """what the reader must know: clips left out, and why"""

    def brief(self) -> ScoreTable:
        """Without ``DETAILS``, and a note that says so: fits 80 characters."""
        kept = [position for position, column in enumerate(self.columns) if column not in DETAILS]
        rows = tuple(tuple(row[position] for position in kept) for row in self.rows)
        note = "precision, recall and the errors of begin and end: in a wider terminal, or with --json"
        return ScoreTable(tuple(self.columns[position] for position in kept), rows, (*self.notes, note))


def score_table(
    scores: RunScores, *, minimum_iou: float = 0.5, references: Mapping[str, RunScores] | None = None
) -> ScoreTable:
    """One row a clip, one for the mean, and one mean row for each of ``references`` (name -> scores).

    ``references`` are runs to compare with, as the always-on baseline.
    """
    columns = (
        "clip", "predicted", "strict P", "strict R", "strict F1", "pair P", "pair R", "pair F1", "begin error s",
        "end error s", "flips/min", "negatives hit", "false alarms",
    )  # fmt: skip
    rows = [_clip_row(clip, minimum_iou) for clip in scores.clips]
    for name, run in {"mean": scores, **(references or {})}.items():
        rows.append(_mean_row(name, run, minimum_iou))
    return ScoreTable(columns, tuple(rows), _notes(scores))


def _clip_row(clip: ClipScores, iou: float) -> tuple[str, ...]:
    strict, agnostic = clip.at("strict", iou), clip.at("agnostic", iou)
    errors = strict.to_dict()
    return (
        clip.clip,
        str(clip.predicted),
        *_fractions(strict),
        *_fractions(agnostic),
        _text(errors["median_begin_error_seconds"]),
        _text(errors["median_end_error_seconds"]),
        _text(clip.flips_per_minute, digits=1),
        f"{clip.negatives_hit}/{clip.negatives}",
        str(strict.false_alarms),
    )


def _mean_row(name: str, scores: RunScores, iou: float) -> tuple[str, ...]:
    strict, agnostic = scores.mean("strict", iou), scores.mean("agnostic", iou)
    return (
        name,
        str(sum(clip.predicted for clip in scores.clips)),
        *_fractions(strict),
        *_fractions(agnostic),
        _text(strict.median_begin_error_seconds),
        _text(strict.median_end_error_seconds),
        _text(scores.flips_per_minute, digits=1),
        _text(scores.negatives_hit_share),
        str(strict.false_alarms),
    )


def _fractions(scores: MatchScores | MeanMatchScores) -> tuple[str, str, str]:
    return _text(scores.precision), _text(scores.recall), _text(scores.f1)


def _notes(scores: RunScores) -> tuple[str, ...]:
    reasons = (
        ("no scorable truth, not in the means", scores.unscorable),
        ("truth without prediction, not scored", scores.without_prediction),
        ("prediction without truth, not scored", scores.without_truth),
    )
    return tuple(f"{reason}: {', '.join(names)}" for reason, names in reasons if names)


def _text(value: float | None, *, digits: int = 3) -> str:
    return ABSENT if value is None else f"{value:.{digits}f}"
