"""``videohoi eval hico``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from videohoi.commands.evaluate_folds import is_uc, with_folds
from videohoi.commands.show_report import show_report
from videohoi.errors import UsageError
from videohoi.evaluate.conventions import convention_named
from videohoi.evaluate.hico.predictions import read_hico_predictions
from videohoi.evaluate.hico.report import hico_report
from videohoi.evaluate.hico.scoring import KnownObjects, class_groups, evaluate_hico
from videohoi.evaluate.hico.truth import (
    annotation_file,
    known_objects_of,
    label_file,
    read_hico_truth,
    read_known_objects,
)
from videohoi.evaluate.hico.unseen_recall import ClassFacts, UnseenRecall, unseen_recall
from videohoi.evaluate.triplet_sets import TripletTruth
from videohoi.vocabulary import hico_det
from videohoi.vocabulary.splits import hico_rare_mask, hico_split


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
