"""Training of the starter's pair head on annotated boxes (no pictures needed).

Run it with::

    python -m videohoi.train.pair_geometry configs/train/starter_pair_head.yaml

Writes ``geometry.pt`` (averaged weights, calibrated on held-out pictures) and ``figures.json`` into the run folder.
"""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import math
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from videohoi.datasets.hico_json import read_hico_json
from videohoi.evaluate.hico.ground_truth_boxes import TruthPicture, Yardstick, measure, truth_pictures
from videohoi.files import write_whole
from videohoi.train.hico_geometry import Augmentation, PackedPictures, PairBatch, draw, pack
from videohoi.train.pair_network import PairNetwork, PairNetworkSize, parameter_count, scattered_sum
from videohoi.vocabulary import Vocabulary, hico_det

log = logging.getLogger(__name__)

EVALUATION_PICTURES = 256
"""Pictures a forward pass when measuring; bounds memory."""
CALIBRATION_STEPS = 50
REPORT_EVERY_EPOCHS = 3


@dataclass(frozen=True)
class PairTraining:
    """Everything a run needs; one YAML file, see ``configs/train/starter_pair_head.yaml``."""

    annotations: Path
    run_folder: Path
    seed: int = 0
    hold_out_share: float = 0.08
    """of the training pictures, for choosing and calibrating"""
    epochs: int = 18
    pictures_per_step: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warmup_steps: int = 200
    ema_decay: float = 0.998
    gradient_limit: float = 1.0
    rare_boost: float = 0.0
    """exponent b of a class's positive weight (median count / count) ** b, within 1/rare_boost_limit .. limit"""
    rare_boost_limit: float = 4.0
    distractor_weight: float = 0.5
    """loss weight of pairs with a distractor, which are not annotated"""
    augmentation: Augmentation = field(default_factory=Augmentation)
    network: PairNetworkSize = field(default_factory=PairNetworkSize)


def load_training(path: Path) -> PairTraining:
    """Read a training file; relative paths are relative to the working directory."""
    values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["geometry"]
    values["annotations"], values["run_folder"] = Path(values["annotations"]), Path(values["run_folder"])
    values["augmentation"] = Augmentation(**values.get("augmentation", {}))
    values["network"] = PairNetworkSize(**values.get("network", {}))
    return PairTraining(**values)


def split(pictures: list[TruthPicture], share: float, seed: int) -> tuple[list[TruthPicture], list[TruthPicture]]:
    """Training and held-out pictures."""
    order = np.random.default_rng(seed).permutation(len(pictures))
    held = round(share * len(pictures))
    return [pictures[row] for row in np.sort(order[held:])], [pictures[row] for row in np.sort(order[:held])]


def forward(network: PairNetwork, batch: PairBatch) -> Tensor:
    """(P, V) logits of a batch."""
    groups = [
        scattered_sum(torch.from_numpy(rows)) for rows in (batch.human_rows, batch.object_rows, batch.picture_ids)
    ]
    logits: Tensor = network(torch.from_numpy(batch.features), torch.from_numpy(batch.object_classes), groups)
    return logits


@dataclass(frozen=True)
class PairLoss:
    """Binary cross entropy over the verbs that are valid for the pair's object class."""

    valid: Tensor
    """(O, V) bool"""
    positive_weight: Tensor
    """(O, V)"""
    acting: Tensor
    """(V,) bool; "no interaction" is not learned from distractors"""
    distractor_weight: float

    def __call__(self, logits: Tensor, batch: PairBatch) -> Tensor:
        """Mean over pairs of the sum over verbs."""
        classes, targets = torch.from_numpy(batch.object_classes), torch.from_numpy(batch.verbs).float()
        certain = torch.from_numpy(batch.certain).unsqueeze(1)
        weight = self.valid[classes].float() * torch.where(certain, 1.0, self.distractor_weight * self.acting)
        entropy = functional.binary_cross_entropy_with_logits(
            logits, targets, weight=weight, pos_weight=self.positive_weight[classes], reduction="sum"
        )
        return entropy / len(batch)


def pair_loss(packed: PackedPictures, training: PairTraining, vocabulary: Vocabulary) -> PairLoss:
    """The loss with the class weights of the training pictures."""
    counts = np.zeros(vocabulary.valid.shape)
    np.add.at(counts, packed.instances.class_ids[packed.object_rows], packed.verbs)
    present = counts[vocabulary.valid & (counts > 0)]
    boost = (np.median(present) / np.maximum(counts, 1)) ** training.rare_boost
    boost = boost.clip(1 / training.rare_boost_limit, training.rare_boost_limit)
    return PairLoss(
        torch.from_numpy(vocabulary.valid.copy()), torch.from_numpy(boost.astype(np.float32)),
        torch.from_numpy(vocabulary.acting_verbs.copy()), training.distractor_weight,
    )  # fmt: skip


@torch.inference_mode()
def score(network: PairNetwork, pictures: list[TruthPicture], person_id: int) -> list[NDArray[np.float32]]:
    """(P, V) logits of each picture's candidate pairs."""
    network.eval()
    packed = pack(pictures)
    everything = Augmentation(pair_limit=sys.maxsize)
    parts, random = [], np.random.default_rng(0)
    for first in range(0, len(packed), EVALUATION_PICTURES):
        chosen = np.arange(first, min(first + EVALUATION_PICTURES, len(packed)))
        parts.append(forward(network, draw(packed, chosen, person_id, everything, random)).numpy())
    flat = np.concatenate(parts)
    ends = np.cumsum([len(picture) for picture in pictures])
    return [flat[end - len(picture) : end] for end, picture in zip(ends, pictures, strict=True)]


def calibrate(network: PairNetwork, pictures: list[TruthPicture], vocabulary: Vocabulary) -> dict[str, float]:
    """Platt scaling (slope and offset over all valid verbs) on held-out pictures; returns slope, offset and errors."""
    logits = np.concatenate(score(network, pictures, vocabulary.person_id))
    targets = np.concatenate([picture.verbs for picture in pictures])
    classes = np.concatenate([picture.class_ids[picture.object_rows] for picture in pictures])
    valid = vocabulary.valid[classes]
    x, y = torch.from_numpy(logits[valid]).double(), torch.from_numpy(targets[valid]).double()
    line = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([line], max_iter=CALIBRATION_STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = functional.binary_cross_entropy_with_logits(line[0] * x + line[1], y)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    fitted = line.detach()
    before = expected_calibration_error(torch.sigmoid(x).numpy(), y.numpy())
    after = expected_calibration_error(torch.sigmoid(fitted[0] * x + fitted[1]).numpy(), y.numpy())
    network.get_buffer("calibration").copy_(fitted.float())
    return {"slope": float(fitted[0]), "offset": float(fitted[1]), "error_before": before, "error_after": after}


def expected_calibration_error(
    probabilities: NDArray[np.floating[Any]], truth: NDArray[np.floating[Any]], bins: int = 15
) -> float:
    """Mean |share of true - mean probability| over equal-width bins, by count (arXiv 1706.04599, equation 3)."""
    which = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(which, weights=probabilities - truth, minlength=bins)
    return float(np.abs(gaps).sum() / max(len(truth), 1))


class PairTrainer:
    """One run: network, its average, optimizer and schedule."""

    def __init__(self, training: PairTraining, vocabulary: Vocabulary, packed: PackedPictures) -> None:
        torch.manual_seed(training.seed)
        torch.set_num_threads(1)
        self.training, self.vocabulary, self.packed = training, vocabulary, packed
        self.random = np.random.default_rng(training.seed)
        self.network = PairNetwork(vocabulary, training.network)
        sample = draw(packed, np.arange(0, len(packed), 10), vocabulary.person_id, training.augmentation, self.random)
        self.network.standardise_with(torch.from_numpy(sample.features))
        self.average = copy.deepcopy(self.network)
        self.loss = pair_loss(packed, training, vocabulary)
        self.steps_per_epoch = len(packed) // training.pictures_per_step
        self.step_count = 0
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
        )

    def epoch(self) -> float:
        """Every picture once; mean loss."""
        self.network.train()
        order = self.random.permutation(len(self.packed))
        size, total = self.training.pictures_per_step, 0.0
        for first in range(0, self.steps_per_epoch * size, size):
            total += self.step(order[first : first + size])
        return total / self.steps_per_epoch

    def step(self, chosen: NDArray[np.int64]) -> float:
        """One update on the chosen pictures; its loss."""
        person_id, augmentation = self.vocabulary.person_id, self.training.augmentation
        batch = draw(self.packed, chosen, person_id, augmentation, self.random)
        loss = self.loss(forward(self.network, batch), batch)
        self.optimizer.param_groups[0]["lr"] = self.learning_rate()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.training.gradient_limit)
        self.optimizer.step()
        self.step_count += 1
        self.update_average()
        return float(loss.detach())

    def learning_rate(self) -> float:
        """Linear warm-up, then a cosine to zero."""
        training, total = self.training, self.training.epochs * self.steps_per_epoch
        warm = min(1.0, (self.step_count + 1) / training.warmup_steps)
        return training.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * self.step_count / total))

    @torch.no_grad()
    def update_average(self) -> None:
        """Exponential moving average of the weights, shorter while young."""
        decay = min(self.training.ema_decay, (1 + self.step_count) / (10 + self.step_count))
        for average, value in zip(self.average.parameters(), self.network.parameters(), strict=True):
            average.lerp_(value, 1 - decay)


def train(training: PairTraining) -> dict[str, Any]:
    """Run to the end, write ``geometry.pt`` and ``figures.json``; returns the figures."""
    started, vocabulary = time.monotonic(), hico_det()
    pictures = truth_pictures(read_hico_json(training.annotations))
    kept, held = split(pictures, training.hold_out_share, training.seed)
    trainer = PairTrainer(training, vocabulary, pack(kept))
    log.info("%d parameters, %d pictures", parameter_count(trainer.network), len(trainer.packed))
    for epoch in range(training.epochs):
        loss = trainer.epoch()
        if (epoch + 1) % REPORT_EVERY_EPOCHS == 0 or epoch == training.epochs - 1:
            held_out = held_out_yardstick(trainer.average, held, vocabulary)
            log.info("epoch %d loss %.4f held out: %s (%.0f s)", epoch, loss, held_out, time.monotonic() - started)
    calibration = calibrate(trainer.average, held, vocabulary)
    figures = {
        "held_out": {"full": held_out.full, "pictures": len(held)},
        "calibration": calibration,
        "parameters": parameter_count(trainer.average),
        "seconds": time.monotonic() - started,
        "data_sha256": hashlib.sha256(training.annotations.read_bytes()).hexdigest(),
    }
    training.run_folder.mkdir(parents=True, exist_ok=True)
    state = {"weights": trainer.average.state_dict(), "size": asdict(training.network)}
    torch.save(state, training.run_folder / "geometry.pt")
    write_whole(training.run_folder / "figures.json", json.dumps(figures, indent=1))
    return figures


def held_out_yardstick(network: PairNetwork, pictures: list[TruthPicture], vocabulary: Vocabulary) -> Yardstick:
    """The ground-truth-box yardstick of a network."""
    return measure(pictures, score(network, pictures, vocabulary.person_id), vocabulary)


def main(arguments: list[str]) -> None:
    """Entry point."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    log.info("%s", json.dumps(train(load_training(Path(arguments[0]))), indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
