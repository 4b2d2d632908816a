"""``videohoi eval vcoco``."""

from __future__ import annotations

from pathlib import Path

from videohoi.commands.show_report import show_report
from videohoi.evaluate.prediction_record import ReadingNotes
from videohoi.evaluate.vcoco.files import read_vcoco_truth, read_vsrl_predictions
from videohoi.evaluate.vcoco.scoring import evaluate_vcoco, vcoco_report


def show_vcoco(
    predictions: Path, truth_file: Path, instances: Path, outside: str, json_file: Path | None, html_file: Path | None
) -> None:
    """Score, print, write.

    Raises:
        TruthError: a malformed file.
        UsageError: an unknown rule for boxes outside.
    """
    truth, notes = read_vcoco_truth(truth_file, instances), ReadingNotes()
    found = read_vsrl_predictions(predictions, truth, outside, notes)
    settings = {"predictions": str(predictions), "truth": f"{truth_file} with boxes of {instances}"}
    report = vcoco_report(evaluate_vcoco(truth, found), truth, found, settings, notes.lines())
    show_report(report, json_file, html_file)
