"""Segment scores as rows of text: what a table shows, without drawing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from videohoi.evaluate.segments_scores import ClipScores, MatchScores, MeanMatchScores, RunScores

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
