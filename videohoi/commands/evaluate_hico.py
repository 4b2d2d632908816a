"""``videohoi eval hico`` and ``videohoi eval hico-images``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from videohoi.commands.evaluate_data_sets import report_table, show_report
from videohoi.errors import UsageError
from videohoi.evaluate.conventions import convention_named
from videohoi.evaluate.hico.image_level import AMBIGUOUS, image_level_precision, read_image_scores
from videohoi.evaluate.hico.predictions import read_hico_predictions
from videohoi.evaluate.hico.report import hico_report
from videohoi.evaluate.hico.scoring import HicoScores, KnownObjects, class_groups, evaluate_hico
from videohoi.evaluate.hico.truth import (
    ImageTruth,
    annotation_file,
    known_objects_of,
    label_file,
    read_hico_truth,
    read_image_truth,
    read_known_objects,
)
from videohoi.evaluate.hico.unseen_recall import ClassFacts, UnseenRecall, unseen_recall
from videohoi.evaluate.report import Report, table_of
from videohoi.evaluate.triplet_sets import TripletTruth
from videohoi.names import counted
from videohoi.vocabulary import hico_det
from videohoi.vocabulary.splits import UC_FOLDS, hico_rare_mask, hico_split


@dataclass(frozen=True)
class HicoRequest:
    """Arguments and options of the command."""

    predictions: Path
    truth: Path | None
    image_labels: Path | None
    data: Path | None
    """folder that holds ``hicodet/``, or HICO-DET's own"""
    split: str | None
    convention: str
    object_order: str
    outside: str
    json_file: Path | None
    html_file: Path | None


def show_hico(request: HicoRequest) -> None:
    """Score, print, write.

    Raises:
        UsageError: an unknown convention, split, order or rule, or no annotation file.
        TruthError, InputError: a malformed file.
    """
    convention = convention_named(request.convention)
    whole_uc = is_uc(request.split)
    words, split = hico_det(), None if request.split is None or whole_uc else hico_split(request.split)
    truth_file = _truth_file(request)
    truth = read_hico_truth(truth_file)
    known = _known_objects(request, truth)
    read = read_hico_predictions(
        request.predictions, truth, object_order=request.object_order, outside=request.outside,
        limit=convention.top_k,
    )  # fmt: skip
    seen = None if split is None else split.seen
    groups = class_groups(truth.class_count, hico_rare_mask(), seen)
    unseen: UnseenRecall | None = None
    if seen is not None:
        facts = ClassFacts(seen, known.of_class, words.acting_verbs[[verb for verb, _ in words.interactions]])
        unseen = unseen_recall(truth, read.predictions, facts)
    scores = evaluate_hico(truth, read.predictions, convention, known_objects=known)
    settings = {
        "predictions": f"{request.predictions} ({read.form})",
        "truth": str(truth_file),
        "known objects": known.source,
        "split": "none" if split is None else f"{split.name}, {int(np.sum(~split.seen))} unseen classes",
    }
    report = hico_report(scores, read.predictions, groups, words, settings=settings, notes=read.notes, unseen=unseen)
    show_report(with_folds(report, scores) if whole_uc else report, request.json_file, request.html_file)


def _truth_file(request: HicoRequest) -> Path:
    if request.truth is not None:
        return request.truth
    if request.data is None:
        raise UsageError(
            "no annotations: give --truth instances_test2015.json (fredzzhang/hicodet has it), test_hico.json or "
            "anno_bbox.mat, or --data DIR or VIDEOHOI_DATA for the folder that holds hicodet/instances_test2015.json"
        )
    return annotation_file(request.data)


def _known_objects(request: HicoRequest, truth: TripletTruth) -> KnownObjects:
    labels = request.image_labels
    if labels is None and request.data is not None and request.truth is None:
        labels = label_file(request.data)
    return known_objects_of(truth) if labels is None else read_known_objects(labels, truth.image_names)


UC = "uc"


def is_uc(split: str | None) -> bool:
    """UC as a whole was asked for, not one of its folds."""
    return split is not None and split.strip().lower() == UC


def with_folds(report: Report, scores: HicoScores) -> Report:
    """The report with one row a fold: mean average precision of unseen and seen classes in each mode."""
    folds = {name: hico_split(name).seen for name in UC_FOLDS}
    values = {
        name: {
            f"{mode}, {group}": scores.mean(mode, mask)
            for mode in scores.modes
            for group, mask in (("unseen", ~seen), ("seen", seen))
        }
        for name, seen in folds.items()
    }
    columns = {column: np.array([row[column] for row in values.values()]) for column in values[UC_FOLDS[0]]}
    spread = {
        "mean": {column: float(values.mean()) for column, values in columns.items()},
        "standard deviation": {column: float(values.std()) for column, values in columns.items()},
    }
    table = table_of("Unseen and seen classes of the UC folds (%)", "fold", values | spread)
    return replace(
        report,
        settings={**report.settings, "split": f"{UC}, mean over {', '.join(UC_FOLDS)}"},
        tables=(report.tables[0], table, *report.tables[1:]),
        record={**report.record, "uc_folds": values | spread},
    )


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
    precision = image_level_precision(scores, truth.labels)
    groups = class_groups(len(words.interactions), hico_rare_mask(), seen)
    means = {name: precision.mean(mask) for name, mask in groups.items()}
    pairs = [f"{words.verbs[verb]} {words.objects[thing]}" for verb, thing in words.interactions]
    report = Report(
        title="HICO, image level",
        settings={"scores": str(scores_file), "labels": str(labels_file), "split": split or "none"},
        tables=(report_table("Mean average precision (%)", means),),
        notes=(_labelled(truth),),
        record={
            "mean_average_precision": means,
            "average_precision": dict(zip(pairs, precision.average_precisions.tolist(), strict=True)),
        },
    )
    show_report(report, json_file, html_file)


def _labelled(truth: ImageTruth) -> str:
    ambiguous = int((truth.labels == AMBIGUOUS).sum())
    return (
        f"{counted(len(truth.names), 'picture')}; ambiguous labels ({ambiguous}) count neither way, and every "
        "interaction that is neither positive nor ambiguous counts as negative"
    )
