"""Training loop of the starter detector: distillation from a YOLOX-style ONNX teacher, one process a CPU core.

Two single-threaded processes with averaged gradients run 27 % more pictures a second than one with two threads
(85 against 67 at 224 px, measured on two cores). Run it with::

    torchrun --standalone --nproc_per_node 2 -m videohoi.train.detector_loop configs/train/starter_detector.yaml
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.distributed as dist
import yaml
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from videohoi import config as strict_config
from videohoi.detect.network import OBJECT_COUNT, StarterNetwork
from videohoi.files import replacing
from videohoi.train.corpus import corpus_hash, read_corpus
from videohoi.train.distillation import Distillation, DistillationWeights, OnnxTeacher
from videohoi.train.sampling import ViewRecipe, ViewSampler, class_weights, repeat_factors

log = logging.getLogger(__name__)

GOLDEN_RATIO = 0.6180339887
"""its multiples modulo 1 spread evenly: forced steps interleave with free ones, alike in every process"""


@dataclass(frozen=True)
class Phase:
    """A stretch of the schedule at one picture size."""

    size_px: int
    batch: int
    """pictures a step and process"""
    steps: int
    forced_share: float = 0.0
    """share of steps in which every part of the network starts from the teacher's maps"""


@dataclass(frozen=True)
class DetectorTraining:
    """Everything a run needs; one YAML file, see ``configs/train/starter_detector.yaml``."""

    corpus: Path
    teacher: Path
    hint_convolutions: tuple[str, ...]
    run_folder: Path
    phases: tuple[Phase, ...]
    leave_out_sources: tuple[str, ...] = ("clips",)
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup_steps: int = 300
    decay_steps: int = 2000
    """linear decay to zero over the last steps (warm-up, stable, decay; arXiv 2404.06395)"""
    ema_decay: float = 0.9995
    common_share: float = 0.0
    """classes in a smaller share of the pictures are drawn more often, see ``sampling.repeat_factors``"""
    class_weight_power: float = 0.0
    """how far rare classes outweigh common ones in the class loss, see ``sampling.class_weights``"""
    seed: int = 0
    checkpoint_every_steps: int = 500
    weights: DistillationWeights = field(default_factory=DistillationWeights)
    views: ViewRecipe = field(default_factory=ViewRecipe)


def load_training(path: Path) -> DetectorTraining:
    """Read a training file; relative paths are relative to the working directory."""
    values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name in ("corpus", "teacher", "run_folder"):
        values[name] = Path(values[name])
    values["phases"] = tuple(Phase(**phase) for phase in values["phases"])
    values["hint_convolutions"] = tuple(values["hint_convolutions"])
    values["weights"] = strict_config.build(DistillationWeights, values.get("weights", {}), origin=path.name)
    values["views"] = strict_config.build(ViewRecipe, values.get("views", {}), origin=path.name)
    return DetectorTraining(**values)


def learning_rate_factor(step: int, total: int, training: DetectorTraining) -> float:
    """Warm-up, stable, linear decay."""
    return min(1.0, (step + 1) / training.warmup_steps, max(0.0, (total - step) / training.decay_steps))


class Averaged:
    """Exponential moving average of weights and batch-norm statistics, with a ramp at the start."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Move towards ``network``'s state."""
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        for mine, theirs in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs, weight)
            else:
                mine.copy_(theirs)


class Trainer:
    """One run in one process: network, average, optimiser and step, which are saved and resumed together."""

    def __init__(self, training: DetectorTraining, rank: int, world: int) -> None:
        self.training, self.rank, self.world = training, rank, world
        torch.manual_seed(training.seed)
        self.network = StarterNetwork()
        to: Any = self.network.to  # the stubs of some releases lack this form
        to(memory_format=torch.channels_last)
        self.average = Averaged(self.network, training.ema_decay)
        pictures = read_corpus(training.corpus, "train", leave_out=training.leave_out_sources)
        shown = [picture.sure_classes() for picture in pictures]
        weights = class_weights(shown, OBJECT_COUNT, training.class_weight_power)
        self.loss = Distillation(training.weights, torch.from_numpy(weights).float())
        self.optimizer = torch.optim.AdamW(_parameter_groups(self.network, training.weight_decay))
        self.step = 0
        self.total = sum(phase.steps for phase in training.phases)
        self._resume()
        self.data_hash = corpus_hash(pictures)
        decoded = [picture.pixels_bgr() for picture in pictures[rank::world]]
        rng = np.random.default_rng((training.seed, rank, self.step))
        balanced = repeat_factors(shown, training.common_share)
        self.views = ViewSampler(decoded, training.views, rng, balanced[rank::world])
        self.teacher = OnnxTeacher(training.teacher, training.hint_convolutions)
        self.wrapped = DistributedDataParallel(self.network, broadcast_buffers=False)

    @property
    def checkpoint(self) -> Path:
        """File of the run's state."""
        return self.training.run_folder / "checkpoint.pt"

    def _resume(self) -> None:
        if self.checkpoint.is_file():
            state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
            self.network.load_state_dict(state["network"])
            self.average.network.load_state_dict(state["average"])
            if "optimizer" in state:  # not in one that ``import_detector`` made
                self.optimizer.load_state_dict(state["optimizer"])
                self.loss.load_state_dict(state["loss"])
            self.step = state["step"]

    def save(self) -> None:
        """Write the checkpoint atomically (first process only)."""
        if self.rank:
            return
        state = {
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "loss": self.loss.state_dict(),
            "step": self.step,
            "data_hash": self.data_hash,
        }
        with replacing(self.checkpoint) as partial:
            torch.save(state, partial)

    def phase(self) -> Phase:
        """The phase the current step lies in."""
        end = 0
        for phase in self.training.phases:
            end += phase.steps
            if self.step < end:
                return phase
        return self.training.phases[-1]

    def advance(self) -> dict[str, float]:
        """One step; returns the loss terms."""
        phase = self.phase()
        factor = learning_rate_factor(self.step, self.total, self.training)
        for group in self.optimizer.param_groups:
            group["lr"] = self.training.learning_rate * factor
        images = self.views.batch(phase.batch, phase.size_px)
        teacher = self.teacher(images)
        planar = torch.from_numpy(images).permute(0, 3, 1, 2).float()  # channels-last memory by construction
        hints = tuple(torch.from_numpy(hint).to(memory_format=torch.channels_last) for hint in teacher.hints)
        forced = hints if self.step * GOLDEN_RATIO % 1 < phase.forced_share else None
        with torch.autocast("cpu", torch.bfloat16):
            student = self.wrapped(planar, forced)
        total, terms = self.loss(student, hints, teacher)
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self.optimizer.step()
        self.average.update(self.network, self.step)
        self.step += 1
        return {"loss": float(total.detach()), **terms}

    def run(self) -> None:
        """Train to the end of the schedule."""
        started, seen = time.monotonic(), 0
        while self.step < self.total:
            terms = self.advance()
            seen += self.phase().batch * self.world
            if self.step % 50 == 0 and self.rank == 0:
                rate = seen / (time.monotonic() - started)
                log.info(
                    json.dumps(
                        {
                            "step": self.step,
                            "of": self.total,
                            "pictures_per_second": round(rate, 1),
                            **{k: round(v, 4) for k, v in terms.items()},
                        }
                    )
                )
            if self.step % self.training.checkpoint_every_steps == 0:
                self.save()
        self.save()


def _parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weight decay on convolution kernels only."""
    parameters = list(network.parameters())
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point under torchrun."""
    parser = argparse.ArgumentParser(prog="python -m videohoi.train.detector_loop", description="Train the detector.")
    parser.add_argument("training", type=Path, help="YAML file, as configs/train/starter_detector.yaml")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    training = load_training(options.training)
    training.run_folder.mkdir(parents=True, exist_ok=True)
    dist.init_process_group("gloo")
    Trainer(training, dist.get_rank(), dist.get_world_size()).run()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
