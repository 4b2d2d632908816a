"""``videohoi eval`` for V-COCO, VidHOI and boxes, and how every report is shown and written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from videohoi.commands.tables import print_table
from videohoi.errors import TruthError
from videohoi.evaluate.detection.average_precision import average_precision
from videohoi.evaluate.detection.coco_results import read_coco_results, read_coco_truth
from videohoi.evaluate.html_page import html_page
from videohoi.evaluate.prediction_record import ReadingNotes, read_values
from videohoi.evaluate.report import Report, ReportTable, percent
from videohoi.evaluate.vcoco.files import read_vcoco_truth, read_vsrl_predictions
from videohoi.evaluate.vcoco.scoring import evaluate_vcoco, vcoco_report
from videohoi.evaluate.vidhoi.frames import read_vidhoi_frames
from videohoi.evaluate.vidhoi.report import VidhoiResult, VidhoiWords, vidhoi_report, vidhoi_result
from videohoi.files import write_whole
from videohoi.pipeline.interrupts import interrupts_raise
from videohoi.sink.run_report import write_report
from videohoi.vocabulary.shipped import vidhoi, vidhoi_groups


def show_vcoco(
    predictions: Path, truth_file: Path, instances: Path, outside: str, json_file: Path | None, html_file: Path | None
) -> None:
    """Score, print, write.

    Raises:
        TruthError: a malformed file.
        UsageError: an unknown rule for boxes outside.
    """
    truth, notes = read_vcoco_truth(truth_file, instances), ReadingNotes()
    actions = read_vsrl_predictions(predictions, truth, outside, notes)
    settings = {"predictions": str(predictions), "truth": f"{truth_file} with boxes of {instances}"}
    report = vcoco_report(evaluate_vcoco(truth, actions), truth, actions, settings, notes.lines())
    show_report(report, json_file, html_file)


@dataclass(frozen=True)
class VidhoiRequest:
    """Arguments and options of the command."""

    results: tuple[Path, ...]
    """one file a horizon"""
    only: Path | None
    without: Path | None
    k: int
    threshold: float
    json_file: Path | None
    html_file: Path | None


def show_vidhoi(request: VidhoiRequest) -> None:
    """Score, print, write.

    Raises:
        TruthError: a malformed file.
    """
    words = vidhoi()
    temporal = vidhoi_groups()
    vocabulary = VidhoiWords(words.objects, words.verbs, temporal)
    only, without = _names(request.only), _names(request.without)
    scored: dict[str, VidhoiResult] = {}
    remarks: list[str] = []
    for path in request.results:
        notes = ReadingNotes()
        frames = read_vidhoi_frames(
            path, len(words.objects), len(words.verbs), only=only, without=without or frozenset(),
            person_id=words.person_id, notes=notes,
        )  # fmt: skip
        if not frames:
            raise TruthError(f"{path}: no frame is left to score; check --only-frames and --without-frames")
        name = _title(path, scored)
        remarks += [f"{name}: {line}" for line in notes.lines()]
        scored[name] = vidhoi_result(frames, vocabulary, k=request.k, threshold=request.threshold)
    settings = {"results": ", ".join(str(path) for path in request.results)}
    report = vidhoi_report(scored, settings, k=request.k, threshold=request.threshold, notes=remarks)
    show_report(report, request.json_file, request.html_file)


def _title(path: Path, taken: Collection[str]) -> str:
    """File name without extension, or the whole path where two files share it."""
    return str(path) if path.stem in taken else path.stem


def _names(path: Path | None) -> frozenset[str] | None:
    if path is None:
        return None
    names = read_values(path)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TruthError(f"{path}: expected a list of frame names such as 1000/4925211209_000156")
    return frozenset(names)


def show_boxes(results: Path, truth_file: Path, outside: str, json_file: Path | None, html_file: Path | None) -> None:
    """COCO's average precision of boxes.

    Raises:
        TruthError: a malformed file.
        UsageError: an unknown rule for boxes outside.
    """
    truth, notes = read_coco_truth(truth_file), ReadingNotes()
    scores = average_precision(read_coco_results(results, truth, outside, notes), truth.pictures, truth.names)
    means = {"AP": scores.ap, "AP50": scores.ap50, "person AP": scores.person_ap, "person AP50": scores.person_ap50}
    known = {name: np.nan if value is None else value for name, value in means.items()}
    report = Report(
        title="Boxes, COCO's average precision",
        settings={"results": str(results), "truth": str(truth_file)},
        tables=(report_table("Average precision (%)", known), report_table("By class (%)", dict(scores.per_class_ap))),
        notes=(
            f"true boxes: {scores.true_boxes}, pictures: {scores.pictures}",
            *notes.lines(),
        ),
        record=scores.to_dict(),
    )
    show_report(report, json_file, html_file)


def report_table(title: str, values: dict[str, float]) -> ReportTable:
    """Average precisions by name, in percent."""
    return ReportTable(title, ("", "AP"), tuple((name, percent(value)) for name, value in values.items()))


def show_report(report: Report, json_file: Path | None, html_file: Path | None) -> None:
    """Print the tables and write the requested files.

    Raises:
        SinkError: a file cannot be written.
    """
    console = Console(highlight=False)
    console.print(report.title, markup=False)
    for name, value in report.settings.items():
        console.print(f"{name}: {value}", markup=False, soft_wrap=True)
    for section in report.tables:
        table = Table(title=section.title, title_justify="left")
        for position, column in enumerate(section.columns):
            table.add_column(column, justify="left" if position == 0 else "right")
        for row in section.rows:
            table.add_row(*row)
        print_table(console, table)
    for note in report.notes:
        console.print(note, markup=False, soft_wrap=True)
    with interrupts_raise():
        if json_file is not None:
            write_report(json_file, report.to_dict())
        if html_file is not None:
            write_whole(html_file, html_page(report))
