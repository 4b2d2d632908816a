"""Score threshold chosen leave-one-clip-out: a clip never influences the threshold it is scored with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from videohoi.errors import UsageError
from videohoi.evaluate.segments.run_files import RunClip
from videohoi.evaluate.segments.scores import QUESTIONS, ClipScores, RunScores
from videohoi.evaluate.segments.scoring import MINIMUM_IOUS, ClipScorer, common_clips, run_scores
from videohoi.evaluate.segments.truth import ClipTruth


@dataclass(frozen=True)
class LeaveOneOut:
    """Each clip scored with the threshold that suits the others best."""

    thresholds: Mapping[str, float]
    """by clip: the threshold with the best mean F1 over the other scorable clips"""
    scores: RunScores
    """every clip at its threshold"""

    def to_dict(self) -> dict[str, Any]:
        """Thresholds and scores, for JSON."""
        return {"thresholds": dict(self.thresholds), "scores": self.scores.to_dict()}


def leave_one_out(
    run: Mapping[str, RunClip],
    truths: Mapping[str, ClipTruth],
    thresholds: Sequence[float],
    *,
    question: str = "strict",
    minimum_iou: float = 0.5,
    minimum_ious: Sequence[float] = MINIMUM_IOUS,
) -> LeaveOneOut:
    """Choose for each clip, among ``thresholds``, the one with the best mean F1 over the OTHER scorable clips.

    Predicted segments with a score of at least the threshold are kept. Among equally good thresholds the lowest wins.

    Args:
        run: predictions by clip name without extension.
        truths: truth by clip name without extension.
        thresholds: candidates, in [0, 1].
        question: whose F1 chooses: "strict" or "agnostic".
        minimum_iou: temporal IoU of the F1 that chooses; one of ``minimum_ious``.
        minimum_ious: temporal IoUs to report.

    Raises:
        InputError: no clip has both truth and prediction.
        UsageError: no threshold, an unknown question or IoU, or fewer than two scorable clips.
    """
    if not thresholds:
        raise UsageError("thresholds: expected at least one candidate, got none")
    if question not in QUESTIONS or minimum_iou not in minimum_ious:
        wanted = f"one of {', '.join(QUESTIONS)} at one of {tuple(minimum_ious)}"
        raise UsageError(f"expected {wanted} to choose thresholds by, got {question!r} at {minimum_iou}")
    candidates = sorted(set(thresholds))
    table: dict[str, list[ClipScores]] = {}
    for name in common_clips(truths, run):
        scorer = ClipScorer(truths[name], run[name], minimum_ious)
        table[name] = [scorer.scores(threshold) for threshold in candidates]
    f1 = {name: [scores.at(question, minimum_iou).f1 for scores in row] for name, row in table.items()}
    chosen = {name: _best_of_others(name, f1) for name in table}
    clips = [row[chosen[name]] for name, row in table.items()]
    return LeaveOneOut({name: candidates[chosen[name]] for name in table}, run_scores(clips, truths, run))


def _best_of_others(name: str, f1: Mapping[str, Sequence[float | None]]) -> int:
    """Candidate with the best mean F1 over the scorable clips other than ``name``; the first among equals."""
    others = [[value for value in row if value is not None] for other, row in f1.items() if other != name]
    scorable = [row for row in others if row]
    if not scorable:
        raise UsageError(
            f"no scorable clip besides {name!r}; a threshold is chosen on the other clips: score at least 2"
        )
    means = [fmean(column) for column in zip(*scorable, strict=True)]
    return means.index(max(means))
