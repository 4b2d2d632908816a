"""``videohoi eval segments``: the table and the JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from videohoi.errors import UsageError
from videohoi.evaluate.run_files import RunClip, read_run
from videohoi.evaluate.segments import MINIMUM_IOUS, score_run
from videohoi.evaluate.segments_baseline import always_on_clip
from videohoi.evaluate.segments_scores import RunScores
from videohoi.evaluate.segments_table import score_table
from videohoi.evaluate.segments_threshold import leave_one_out
from videohoi.evaluate.truth import ClipTruth, read_truths
from videohoi.pipeline.interrupts import interrupts_raise
from videohoi.sink.run_report import write_report

CANDIDATE_THRESHOLDS = tuple(float(value) for value in np.round(np.arange(0.0, 0.96, 0.05), 2))
LEAST_CLIPS = 2
"""leave-one-out needs another clip to choose on"""


def show_segments(
    run: Path, truth: Path, *, threshold: float | None, minimum_iou: float, json_file: Path | None
) -> None:
    """Print the scores of a run beside the always-on baseline; write them to ``json_file`` if given.

    Raises:
        InputError: a malformed run or truth.
        UsageError: a temporal IoU that is not reported.
    """
    if minimum_iou not in MINIMUM_IOUS:
        raise UsageError(f"--tiou {minimum_iou}: expected one of {', '.join(str(value) for value in MINIMUM_IOUS)}")
    truths, clips = read_truths(truth), read_run(run)
    baseline = {name: always_on_clip(clip) for name, clip in clips.items()}
    console = Console(highlight=False)
    scores, chosen = _scores(clips, truths, threshold, minimum_iou)
    reference, _ = _scores(baseline, truths, threshold, minimum_iou)
    _print(console, scores, {"always-on": reference}, minimum_iou)
    console.print(_threshold_line(threshold, chosen))
    if json_file is not None:
        record: dict[str, Any] = {"scores": scores.to_dict(), "always_on": reference.to_dict(), "thresholds": chosen}
        with interrupts_raise():
            write_report(json_file, record)


def _scores(
    clips: Mapping[str, RunClip], truths: Mapping[str, ClipTruth], threshold: float | None, minimum_iou: float
) -> tuple[RunScores, dict[str, float]]:
    scorable = len(set(clips) & set(truths))
    if threshold is not None or scorable < LEAST_CLIPS:
        return score_run(truths, clips, minimum_score=threshold or 0.0), {}
    chosen = leave_one_out(clips, truths, CANDIDATE_THRESHOLDS, minimum_iou=minimum_iou)
    return chosen.scores, dict(chosen.thresholds)


def _print(console: Console, scores: RunScores, references: Mapping[str, RunScores], minimum_iou: float) -> None:
    rendered = score_table(scores, minimum_iou=minimum_iou, references=references)
    table = Table(title=f"Segments at temporal IoU {minimum_iou}", title_justify="left")
    for position, column in enumerate(rendered.columns):
        table.add_column(column, justify="left" if position == 0 else "right")
    for row in rendered.rows:
        table.add_row(*row)
    console.print(table)
    for note in rendered.notes:
        console.print(note, markup=False, soft_wrap=True)


def _threshold_line(threshold: float | None, chosen: Mapping[str, float]) -> str:
    if chosen:
        values = sorted(set(chosen.values()))
        return f"Score thresholds chosen leave-one-clip-out: {', '.join(f'{value:.2f}' for value in values)}."
    return f"Score threshold: {threshold or 0.0:.2f}."
