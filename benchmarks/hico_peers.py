"""Runs the public HICO-DET evaluators from local checkouts on our arrays; nothing of them is kept here.

Checkouts below the peers' folder: ``qpic`` (hitachi-rd-cv/qpic, Apache-2.0), ``gen_full`` (YueLiao/gen-vlkt, MIT, which
also needs cv2) and ``pocket`` (fredzzhang/pocket, BSD-3, which also needs torch). They print; the caller may redirect.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.evaluate.conventions import POCKET
from videohoi.evaluate.triplet_sets import TripletPredictions, TripletTruth
from videohoi.vocabulary import hico_det

ABSENT = -1.0
"""score of a verb that was not predicted: below the 0 that QPIC gives impossible verbs, so it is never in the top"""


class _Array:
    """What QPIC's code asks of a tensor."""

    def __init__(self, values: Any, dtype: Any = None) -> None:
        self._values = np.asarray(values, dtype)

    def to(self, _device: str) -> _Array:
        return self

    def numpy(self) -> NDArray[Any]:
        return self._values


def module_of(name: str, path: Path, fixes: Mapping[str, str] | None = None) -> ModuleType:
    """A file of a checkout as module ``name``; ``fixes`` are texts that today's numpy needs replaced.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a text to replace is not in it.
    """
    text = path.read_text(encoding="utf-8")
    for old, new in (fixes or {}).items():
        if old not in text:
            raise ValueError(f"{path}: expected to find {old!r}")
        text = text.replace(old, new)
    module = ModuleType(name)
    module.__package__ = name.rpartition(".")[0]
    sys.modules[name] = module
    exec(compile(text, str(path), "exec"), module.__dict__)
    return module


def per_image(truth: TripletTruth, predictions: TripletPredictions) -> list[NDArray[np.int64]]:
    """Prediction rows of each picture, in their order."""
    order = np.argsort(predictions.image_rows, kind="stable")
    behind = np.searchsorted(predictions.image_rows[order], np.arange(1, len(truth.image_names)))
    return list(np.split(order, behind))


def qpic_inputs(truth: TripletTruth, predictions: TripletPredictions) -> Iterator[dict[str, Any]]:
    """The predictions as QPIC's dictionaries of plain arrays: one pair a triplet, 117 verb scores."""
    interactions = np.array(hico_det().interactions)
    for rows in per_image(truth, predictions):
        verbs, things = interactions[predictions.class_ids[rows]].T
        scores = np.full((len(rows), len(hico_det().verbs)), ABSENT)
        scores[np.arange(len(rows)), verbs] = predictions.scores[rows]
        boxes = np.stack([predictions.human_boxes_xyxy_px[rows], predictions.object_boxes_xyxy_px[rows]], axis=1)
        labels = np.stack([np.full(len(rows), hico_det().person_id), things], axis=1)
        yield {
            "boxes": boxes.reshape(-1, 4),
            "labels": labels.ravel(),
            "verb_scores": scores,
            "sub_ids": np.arange(len(rows)) * 2,
            "obj_ids": np.arange(len(rows)) * 2 + 1,
        }


def qpic_truth(truth: TripletTruth) -> list[dict[str, Any]]:
    """The annotations as QPIC's data set yields them."""
    interactions = np.array(hico_det().interactions)
    targets = []
    for image in range(len(truth.image_names)):
        rows = np.arange(truth.image_offsets[image], truth.image_offsets[image + 1])
        verbs, things = interactions[truth.class_ids[rows]].T
        boxes = np.stack([truth.human_boxes_xyxy_px[rows], truth.object_boxes_xyxy_px[rows]], axis=1).reshape(-1, 4)
        labels = np.stack([np.full(len(rows), hico_det().person_id), things], axis=1).ravel()
        hois = np.stack([np.arange(len(rows)) * 2, np.arange(len(rows)) * 2 + 1, verbs], axis=1)
        targets.append({
            "boxes": _Array(boxes), "labels": _Array(labels), "hois": _Array(hois), "id": image,
        })  # fmt: skip
    return targets


def qpic_evaluator(
    checkout: Path, targets: Sequence[Mapping[str, Any]], inputs: Iterable[Mapping[str, NDArray[Any]]]
) -> Any:
    """QPIC's evaluator, loaded with predictions; ``evaluate()`` is still to be called."""
    module = module_of("qpic_hico_eval", checkout / "datasets" / "hico_eval.py")
    classes = [(hico_det().person_id, thing, verb) for verb, thing in hico_det().interactions]
    tensors = ({name: _Array(values) for name, values in picture.items()} for picture in inputs)
    return module.HICOEvaluator(tensors, targets, 0, [], classes, hico_det().valid.T.astype(np.float64))


def qpic_precisions(evaluator: Any) -> NDArray[np.float64]:
    """(600,) average precisions of an evaluator, nan for classes it does not know of; runs its evaluation."""
    found: dict[Any, float] = {}
    inner: Callable[[NDArray[Any], NDArray[Any]], float] = evaluator.voc_ap
    curves: list[float] = []

    def noted(recall: NDArray[Any], precision: NDArray[Any]) -> float:
        curves.append(inner(recall, precision))
        return curves[-1]

    evaluator.voc_ap = noted
    evaluator.evaluate()
    scored = iter(curves)
    for triplet in evaluator.gt_triplets:
        found[triplet] = next(scored) if len(evaluator.tp[triplet]) else 0.0
    values = [found.get((hico_det().person_id, thing, verb), np.nan) for verb, thing in hico_det().interactions]
    return np.array(values, np.float64)


def gen_evaluator(checkout: Path, truth: TripletTruth, predictions: TripletPredictions) -> Any:
    """GEN-VLKT's evaluator, loaded; ``evaluate()`` is still to be called."""
    sys.modules["gen_peer"] = ModuleType("gen_peer")
    labels = module_of("gen_peer.hico_text_label", checkout / "datasets" / "hico_text_label.py")
    module_of("gen_peer.topk", checkout / "util" / "topk.py")
    fixes = {"from util.topk import": "from gen_peer.topk import"}
    module = module_of("gen_peer.hico_eval_triplet", checkout / "datasets" / "hico_eval_triplet.py", fixes)
    if list(labels.hico_text_label) != [(verb, thing) for verb, thing in hico_det().interactions]:
        raise ValueError("GEN-VLKT orders the 600 interactions otherwise")
    targets = [{**target, "filename": name} for target, name in zip(qpic_truth(truth), truth.image_names, strict=True)]
    inputs = [{name: _Array(values) for name, values in row.items()} for row in _gen_inputs(truth, predictions)]
    options = SimpleNamespace(zero_shot_type="default", use_nms_filter=False, thres_nms=0.7, nms_alpha=1.0,
                              nms_beta=0.5, json_file=os.devnull)  # fmt: skip
    evaluator = module.HICOEvaluator(inputs, targets, [], [], None, options)
    for picture in evaluator.preds:  # fewer than 100 were predicted: what fills the list up is taken out again
        picture["hoi_prediction"] = [row for row in picture["hoi_prediction"] if row["score"] > ABSENT]
    return evaluator


def _gen_inputs(truth: TripletTruth, predictions: TripletPredictions) -> Iterator[dict[str, Any]]:
    """The predictions as GEN-VLKT's dictionaries: one pair a triplet, 600 scores, object scores of 0."""
    for rows, picture in zip(per_image(truth, predictions), qpic_inputs(truth, predictions), strict=True):
        scores = np.full((len(rows), truth.class_count), ABSENT)
        scores[np.arange(len(rows)), predictions.class_ids[rows]] = predictions.scores[rows]
        things = np.zeros((len(rows), len(hico_det().objects)))
        kept = {name: picture[name] for name in ("boxes", "sub_ids", "obj_ids")}
        yield {**kept, "hoi_scores": scores, "obj_scores": things}


def gen_precisions(evaluator: Any) -> NDArray[np.float64]:
    """(600,) average precisions of GEN-VLKT's evaluator, nan for classes without annotation; runs its evaluation."""
    curves: list[float] = []
    inner = evaluator.voc_ap

    def noted(recall: NDArray[Any], precision: NDArray[Any]) -> float:
        curves.append(inner(recall, precision))
        return float(curves[-1])

    evaluator.voc_ap = noted
    evaluator.evaluate()
    scored = iter(curves)
    values = np.full(len(hico_det().interactions), np.nan)
    for class_id in evaluator.gt_triplets:
        values[class_id] = next(scored) if len(evaluator.tp[class_id]) else 0.0
    return values


def pocket_modules(checkout: Path) -> tuple[ModuleType, ModuleType]:
    """The ``association`` and ``meters`` of pocket without the rest of that package, which asks for far more."""
    import torch  # type: ignore[import-not-found,unused-ignore]  # an optional peer

    package, ops = ModuleType("pocket_peer"), ModuleType("pocket_peer.ops")
    package.__path__ = [str(checkout / "pocket")]

    def box_iou(one: Any, other: Any, encoding: str = "coord") -> Any:
        """What torchvision.ops.box_iou does, for the ``coord`` encoding."""
        assert encoding == "coord"
        low = torch.max(one[:, None, :2], other[None, :, :2])
        high = torch.min(one[:, None, 2:], other[None, :, 2:])
        shared = (high - low).clamp(min=0).prod(dim=2)
        areas = [(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in (one, other)]
        return shared / (areas[0][:, None] + areas[1] - shared)

    ops.box_iou, ops.to_tensor = box_iou, torch.as_tensor  # type: ignore[attr-defined]
    utils = ModuleType("pocket_peer.utils")
    utils.__path__ = [str(checkout / "pocket" / "utils")]
    sys.modules.update({"pocket_peer": package, "pocket_peer.ops": ops, "pocket_peer.utils": utils})
    return tuple(  # type: ignore[return-value]
        module_of(f"pocket_peer.utils.{name}", checkout / "pocket" / "utils" / f"{name}.py")
        for name in ("association", "meters")
    )


def pocket_run(checkout: Path, truth: TripletTruth, predictions: TripletPredictions) -> Callable[[], NDArray[Any]]:
    """A call that associates and scores every picture with pocket, as fredzzhang/upt's test loop does: (K,)."""
    import torch

    association, meters = pocket_modules(checkout)
    true = truth.moved(POCKET.truth_shift_xyxy_px)
    tensor = torch.from_numpy
    pictures = []
    for image, rows in enumerate(per_image(truth, predictions)):
        own = slice(int(true.image_offsets[image]), int(true.image_offsets[image + 1]))
        pictures.append((
            tensor(true.class_ids[own]), tensor(true.human_boxes_xyxy_px[own]), tensor(true.object_boxes_xyxy_px[own]),
            tensor(predictions.class_ids[rows]), tensor(predictions.human_boxes_xyxy_px[rows]),
            tensor(predictions.object_boxes_xyxy_px[rows]), tensor(predictions.scores[rows]),
        ))  # fmt: skip
    positives = [int(count) for count in truth.positives()]

    def run() -> NDArray[Any]:
        associate = association.BoxPairAssociation(min_iou=0.5)
        meter = meters.DetectionAPMeter(truth.class_count, nproc=1, num_gt=positives, algorithm="11P")
        for true_ids, true_humans, true_objects, ids, humans, objects, scores in pictures:
            labels = torch.zeros_like(scores)
            for class_id in torch.unique(ids):
                theirs, ours = torch.nonzero(true_ids == class_id)[:, 0], torch.nonzero(ids == class_id)[:, 0]
                if len(theirs):
                    labels[ours] = associate(
                        (true_humans[theirs], true_objects[theirs]), (humans[ours], objects[ours]), scores[ours]
                    )
            meter.append(scores, ids, labels)
        return np.asarray(meter.eval().numpy())

    return run
