"""``videohoi eval segments``: the table and the JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from videohoi.commands.tables import print_table
from videohoi.errors import UsageError
from videohoi.evaluate.segments.baseline import always_on_clip
from videohoi.evaluate.segments.run_files import RunClip, read_run
from videohoi.evaluate.segments.scores import QUESTIONS, RunScores, score_table
from videohoi.evaluate.segments.scoring import MINIMUM_IOUS, score_run
from videohoi.evaluate.segments.threshold import leave_one_out
from videohoi.evaluate.segments.truth import ClipTruth, read_truths
from videohoi.pipeline.interrupts import interrupts_raise
from videohoi.sink.run_report import write_report

CANDIDATE_THRESHOLDS = tuple(float(value) for value in np.round(np.arange(0.0, 0.96, 0.05), 2))
LEAST_CLIPS = 2
"""leave-one-out needs another clip to choose on"""
FULL_WIDTH = 115
"""characters that the whole table takes"""
QUESTION_WORDS = {"strict": "strict F1", "agnostic": "pair F1"}


def show_segments(
    run: Path, truth: Path, *, threshold: float | None, choose_by: str, minimum_iou: float, json_file: Path | None
) -> None:
    """Print the scores of a run beside the always-on baseline; write them to ``json_file`` if given.

    ``choose_by``, "strict" or "agnostic": whose F1 on the other clips chooses a clip's threshold.

    Raises:
        InputError: a malformed run or truth.
        UsageError: a temporal IoU that is not reported, or an unknown question to choose by.
    """
    if minimum_iou not in MINIMUM_IOUS:
        raise UsageError(f"--tiou {minimum_iou}: expected one of {', '.join(str(value) for value in MINIMUM_IOUS)}")
    if choose_by not in QUESTIONS:
        raise UsageError(f"--choose-by {choose_by}: expected one of {', '.join(QUESTIONS)}")
    truths, clips = read_truths(truth), read_run(run)
    baseline = {name: always_on_clip(clip) for name, clip in clips.items()}
    console = Console(highlight=False)
    scores, chosen = _scores(clips, truths, threshold, choose_by, minimum_iou)
    reference, _ = _scores(baseline, truths, threshold, choose_by, minimum_iou)
    _print(console, scores, {"always-on": reference}, minimum_iou)
    console.print(_threshold_line(threshold, choose_by, chosen), soft_wrap=True)
    if json_file is not None:
        record: dict[str, Any] = {"scores": scores.to_dict(), "always_on": reference.to_dict(), "thresholds": chosen}
        with interrupts_raise():
            write_report(json_file, record)


def _scores(
    clips: Mapping[str, RunClip],
    truths: Mapping[str, ClipTruth],
    threshold: float | None,
    choose_by: str,
    minimum_iou: float,
) -> tuple[RunScores, dict[str, float]]:
    scorable = len(set(clips) & set(truths))
    if threshold is not None or scorable < LEAST_CLIPS:
        return score_run(truths, clips, minimum_score=threshold or 0.0), {}
    chosen = leave_one_out(clips, truths, CANDIDATE_THRESHOLDS, question=choose_by, minimum_iou=minimum_iou)
    return chosen.scores, dict(chosen.thresholds)


def _print(console: Console, scores: RunScores, references: Mapping[str, RunScores], minimum_iou: float) -> None:
    rendered = score_table(scores, minimum_iou=minimum_iou, references=references)
    if console.width < FULL_WIDTH:
        rendered = rendered.brief()
    title = f"Segments at temporal IoU {minimum_iou}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column(rendered.columns[0])
    for column in rendered.columns[1:]:
        table.add_column(column.replace(" ", "\n"), justify="right")
    for row in rendered.rows:
        table.add_row(*row)
    print_table(console, table)
    for note in rendered.notes:
        console.print(note, markup=False, soft_wrap=True)


def _threshold_line(threshold: float | None, choose_by: str, chosen: Mapping[str, float]) -> str:
    if chosen:
        values = ", ".join(f"{value:.2f}" for value in sorted(set(chosen.values())))
        return f"Score thresholds chosen leave-one-clip-out by {QUESTION_WORDS[choose_by]}: {values}."
    return f"Score threshold: {threshold or 0.0:.2f}."
