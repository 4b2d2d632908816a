"""Training of the pair head's appearance branch on action photographs, the geometry frozen.

Run it with::

    python -m videohoi.train.pair_appearance configs/train/starter_pair_head.yaml

The detector whose ``features`` output is pooled is named in the configuration; the branch belongs to that detector's
weights. Writes ``appearance.pt`` (all weights) and ``appearance_figures.json`` into the run folder.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from videohoi.detect.onnx_detector import OnnxDetector
from videohoi.evaluate.hico.ground_truth_boxes import eleven_point_ap
from videohoi.files import write_whole
from videohoi.geometry.boxes import pairwise_iou
from videohoi.geometry.pair_features import Instances, pair_features
from videohoi.interact.pairs import pool_pairs
from videohoi.structures import FeatureMap, Frame
from videohoi.train.corpus import CorpusPicture, read_corpus
from videohoi.train.pair_actions import action_verbs, decided_verbs
from videohoi.train.pair_export import load_network
from videohoi.train.pair_network import PairNetwork, scattered_sum
from videohoi.vocabulary import Vocabulary, hico_det

log = logging.getLogger(__name__)

SAME_PERSON_IOU = 0.5
"""a teacher box that overlaps the human-drawn box this much is the same person and is dropped"""


@dataclass(frozen=True)
class AppearanceTraining:
    """Everything a run needs; section ``appearance`` of ``configs/train/starter_pair_head.yaml``."""

    corpus: Path
    detector: Path
    """ONNX with the outputs ``grid`` and ``features``"""
    geometry: Path
    """``geometry.pt`` of ``videohoi.train.pair_geometry``"""
    run_folder: Path
    source: str = "s40"
    input_size_px: int = 384
    """long side of the detector's input; the one it will run with"""
    box_score: float = 0.25
    epochs: int = 30
    pairs_per_step: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.1
    keep_weight: float = 0.1
    """weight of the pull towards the geometry's own probability on verbs the action does not decide"""
    seed: int = 0


@dataclass(frozen=True, repr=False)
class ActionPairs:
    """P labelled pairs, one a photograph, with what the frozen network needs."""

    tokens: Tensor
    """(P, width)"""
    logits: Tensor
    """(P, V) of the frozen geometry"""
    appearance: Tensor
    """(P, 3C)"""
    object_classes: NDArray[np.int64]
    targets: NDArray[np.bool_]
    """(P, V)"""
    decided: NDArray[np.bool_]
    """(P, V)"""

    def __len__(self) -> int:
        return len(self.object_classes)


def load_training(path: Path) -> AppearanceTraining:
    """Read a training file; relative paths are relative to the working directory."""
    values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["appearance"]
    paths = {name: Path(values[name]) for name in ("corpus", "detector", "geometry", "run_folder")}
    return AppearanceTraining(**{**values, **paths})


def labelled(pictures: Sequence[CorpusPicture], source: str, vocabulary: Vocabulary) -> list[CorpusPicture]:
    """Pictures of ``source`` whose action decides verbs of its labelled object."""
    chosen = []
    for picture in pictures:
        row = picture.row
        if row["source"] == source and row.get("hoi_object", -1) >= 0:
            object_class = row["classes"][row["hoi_object"]]
            if action_verbs(vocabulary, row["action"], object_class).any():
                chosen.append(picture)
    return chosen


def scene_of(
    row: dict[str, Any], box_score: float, person_id: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], int, int]:
    """Boxes (N, 4), classes (N,), row of the acting person (its box the human-drawn one) and of the object."""
    boxes = np.asarray(row["boxes"], np.float32).reshape(-1, 4)
    classes, scores = np.asarray(row["classes"], np.int64), np.asarray(row["scores"])
    person = np.asarray([row["person_box"]], np.float32)
    double = (classes == person_id) & (pairwise_iou(boxes, person)[:, 0] >= SAME_PERSON_IOU)
    keep = (scores >= box_score) & ~double
    keep[row["hoi_object"]] = True
    scene = np.concatenate([person, boxes[keep]])
    object_row = 1 + int(keep[: row["hoi_object"]].sum())
    return scene, np.concatenate([[person_id], classes[keep]]).astype(np.int64), 0, object_row


@torch.inference_mode()
def collect(
    pictures: Sequence[CorpusPicture], training: AppearanceTraining, network: PairNetwork, vocabulary: Vocabulary
) -> ActionPairs:
    """Run detector and frozen geometry once over the pictures."""
    detector = OnnxDetector(training.detector, input_size_px=training.input_size_px, threads=1)
    detector.open()
    rows = []
    for picture in pictures:
        pixels = np.ascontiguousarray(picture.pixels_bgr()[:, :, ::-1])
        feature_map = detector.detect([Frame(pixels, 0, 0.0, picture.shard.name)])[0].feature_map
        if feature_map is None:
            raise ValueError(
                f"{training.detector}: expected an output named features; export the starter detector again"
            )
        rows.append(_one_pair(picture.row, feature_map, training, network, vocabulary))
    detector.close()
    tokens, logits, appearance, classes = zip(*rows, strict=True)
    object_classes = np.asarray(classes, np.int64)
    targets = [action_verbs(vocabulary, picture.row["action"], obj) for picture, obj in
               zip(pictures, object_classes, strict=True)]  # fmt: skip
    decided = [decided_verbs(vocabulary, obj) for obj in object_classes]
    stacked = np.stack(targets)
    # "hold" is not decided in general, but it is where the action asserts it
    return ActionPairs(torch.stack(tokens), torch.stack(logits), torch.stack(appearance), object_classes, stacked,
                       np.stack(decided) | stacked)  # fmt: skip


def _one_pair(
    row: dict[str, Any],
    feature_map: FeatureMap,
    training: AppearanceTraining,
    network: PairNetwork,
    vocabulary: Vocabulary,
) -> tuple[Tensor, Tensor, Tensor, int]:
    boxes, classes, human, obj = scene_of(row, training.box_score, vocabulary.person_id)
    humans, others = np.nonzero((classes == vocabulary.person_id)[:, None] & ~np.eye(len(classes), dtype=np.bool_))
    instances = Instances.of_picture(boxes, classes, (row["width"], row["height"]))
    features = torch.from_numpy(pair_features(instances, humans, others, vocabulary.person_id))
    object_classes = torch.from_numpy(classes[others])
    groups = [scattered_sum(torch.from_numpy(rows)) for rows in (humans, others, np.zeros_like(humans))]
    tokens = network.tokens(features, object_classes, groups)
    logits = network.calibrated(network.logits(tokens, object_classes))
    which = int(np.nonzero((humans == human) & (others == obj))[0][0])
    pooled = pool_pairs(feature_map, boxes[[human]], boxes[[obj]])[0]
    return tokens[which], logits[which], torch.from_numpy(pooled), int(classes[obj])


def branch_loss(
    network: PairNetwork, pairs: ActionPairs, rows: NDArray[np.int64], keep_weight: float, valid: NDArray[np.bool_]
) -> Tensor:
    """Cross entropy on decided verbs, plus a weak pull to the geometry on the other valid ones."""
    logits = pairs.logits[rows]
    corrected = logits + network.appearance(pairs.tokens[rows], pairs.appearance[rows])
    decided = torch.from_numpy(pairs.decided[rows]).float()
    targets = torch.from_numpy(pairs.targets[rows]).float()
    known = functional.binary_cross_entropy_with_logits(corrected, targets, weight=decided, reduction="sum")
    others = torch.from_numpy(valid[pairs.object_classes[rows]]).float() * (1 - decided)
    kept = functional.binary_cross_entropy_with_logits(
        corrected, torch.sigmoid(logits), weight=keep_weight * others, reduction="sum"
    )
    return (known + kept) / len(rows)


def fit(network: PairNetwork, pairs: ActionPairs, training: AppearanceTraining, vocabulary: Vocabulary) -> None:
    """Train the appearance branch in place; every other weight stays as it is."""
    random = np.random.default_rng(training.seed)
    parameters = list(network.appearance.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=training.learning_rate, weight_decay=training.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, training.epochs)
    for _ in range(training.epochs):
        order = random.permutation(len(pairs))
        for first in range(0, len(order), training.pairs_per_step):
            rows = order[first : first + training.pairs_per_step]
            loss = branch_loss(network, pairs, rows, training.keep_weight, vocabulary.valid)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        schedule.step()


@torch.inference_mode()
def mean_precision(network: PairNetwork, pairs: ActionPairs, *, with_appearance: bool) -> float:
    """Mean 11-point AP of the (verb, object class)es that have both true and false pairs."""
    scores = pairs.logits + (network.appearance(pairs.tokens, pairs.appearance) if with_appearance else 0.0)
    values = []
    for object_class in np.unique(pairs.object_classes):
        rows = np.nonzero(pairs.object_classes == object_class)[0]
        for verb in np.nonzero(pairs.decided[rows].all(axis=0))[0]:
            truth = pairs.targets[rows, verb]
            if truth.any() and not truth.all():
                values.append(eleven_point_ap(scores.numpy()[rows, verb], truth))
    return float(np.mean(values)) if values else float("nan")


def train(training: AppearanceTraining) -> dict[str, Any]:
    """Run to the end and write the results; returns the figures, with and without appearance, on the val split."""
    torch.manual_seed(training.seed)
    torch.set_num_threads(1)
    vocabulary = hico_det()
    network, _ = load_network(training.geometry)
    sets = {}
    for split in ("train", "val"):
        pictures = labelled(read_corpus(training.corpus, split), training.source, vocabulary)
        sets[split] = collect(pictures, training, network, vocabulary)
        log.info("%s: %d pairs", split, len(sets[split]))
    fit(network, sets["train"], training, vocabulary)
    figures = {
        "val_map_geometry": mean_precision(network, sets["val"], with_appearance=False),
        "val_map_appearance": mean_precision(network, sets["val"], with_appearance=True),
        "pairs": {name: len(pairs) for name, pairs in sets.items()},
        "detector_sha256": hashlib.sha256(training.detector.read_bytes()).hexdigest(),
    }
    training.run_folder.mkdir(parents=True, exist_ok=True)
    state = {"weights": network.state_dict(), "size": asdict(network.size), "appearance": True}
    torch.save(state, training.run_folder / "appearance.pt")
    write_whole(training.run_folder / "appearance_figures.json", json.dumps(figures, indent=1))
    return figures


def main(arguments: list[str]) -> None:
    """Entry point."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    log.info("%s", json.dumps(train(load_training(Path(arguments[0]))), indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
