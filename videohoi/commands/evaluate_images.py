"""``videohoi eval hico-images`` and ``videohoi eval boxes``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from videohoi.commands.show_report import show_report
from videohoi.evaluate.detection.average_precision import average_precision
from videohoi.evaluate.detection.coco_results import read_coco_results, read_coco_truth
from videohoi.evaluate.hico.image_level import AMBIGUOUS, image_level_precision, read_image_scores
from videohoi.evaluate.hico.scoring import class_groups
from videohoi.evaluate.hico.truth import ImageTruth, read_image_truth
from videohoi.evaluate.prediction_record import ReadingNotes
from videohoi.evaluate.report import Report, ReportTable, percent
from videohoi.names import counted
from videohoi.vocabulary import hico_det
from videohoi.vocabulary.splits import hico_rare_mask, hico_split


def show_hico_images(
    scores_file: Path, labels_file: Path, split: str | None, json_file: Path | None, html_file: Path | None
) -> None:
    """Image-level mean average precision.

    Raises:
        TruthError, InputError: a malformed file.
        UsageError: an unknown split.
    """
    words, truth = hico_det(), read_image_truth(labels_file)
    seen = None if split is None else hico_split(split).seen
    scores = read_image_scores(scores_file, truth.names, len(words.interactions))
    found = image_level_precision(scores, truth.labels)
    groups = class_groups(len(words.interactions), hico_rare_mask(), seen)
    means = {name: found.mean(mask) for name, mask in groups.items()}
    pairs = [f"{words.verbs[verb]} {words.objects[thing]}" for verb, thing in words.interactions]
    report = Report(
        title="HICO, image level",
        settings={"scores": str(scores_file), "labels": str(labels_file), "split": split or "none"},
        tables=(_table("Mean average precision (%)", means),),
        notes=(_labelled(truth),),
        record={
            "mean_average_precision": means,
            "average_precision": dict(zip(pairs, found.average_precisions.tolist(), strict=True)),
        },
    )
    show_report(report, json_file, html_file)


def _labelled(truth: ImageTruth) -> str:
    ambiguous = int((truth.labels == AMBIGUOUS).sum())
    return (
        f"{counted(len(truth.names), 'picture')}; ambiguous labels ({ambiguous}) count neither way, and every "
        "interaction that is neither positive nor ambiguous counts as negative"
    )


def show_boxes(results: Path, truth_file: Path, outside: str, json_file: Path | None, html_file: Path | None) -> None:
    """COCO's average precision of boxes.

    Raises:
        TruthError: a malformed file.
        UsageError: an unknown rule for boxes outside.
    """
    truth, notes = read_coco_truth(truth_file), ReadingNotes()
    found = average_precision(read_coco_results(results, truth, outside, notes), truth.pictures, truth.names)
    means = {"AP": found.ap, "AP50": found.ap50, "person AP": found.person_ap, "person AP50": found.person_ap50}
    known = {name: np.nan if value is None else value for name, value in means.items()}
    report = Report(
        title="Boxes, COCO's average precision",
        settings={"results": str(results), "truth": str(truth_file)},
        tables=(_table("Average precision (%)", known), _table("By class (%)", dict(found.per_class_ap))),
        notes=(
            f"true boxes: {found.true_boxes}, pictures: {found.pictures}",
            *notes.lines(),
        ),
        record=found.to_dict(),
    )
    show_report(report, json_file, html_file)


def _table(title: str, values: dict[str, float]) -> ReportTable:
    return ReportTable(title, ("", "AP"), tuple((name, percent(value)) for name, value in values.items()))
