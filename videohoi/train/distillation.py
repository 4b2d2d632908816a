"""Losses that make the student's maps equal to a teacher's on the same view.

Matching inner maps as well as outputs (FitNets, arXiv 1412.6550) gives each stage its own target, which on a CPU's
budget of steps counts far more than the outputs alone. Outputs are matched with soft labels (arXiv 1503.02531): no
threshold, hence no label noise beyond the teacher's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from videohoi.detect.network import STRIDES_PX, DetectorMaps
from videohoi.train.teacher import TeacherMaps

TEACHER_FLOOR = 0.01
"""teacher objectness under which its class and box outputs are ignored"""


@dataclass(frozen=True)
class DistillationWeights:
    """Weights of the loss terms; chosen so that each is of order one after the first minutes."""

    hints: float = 4.0
    objectness: float = 1.0
    classes: float = 1.0
    boxes: float = 1.0


class HintLoss(nn.Module):
    """Mean squared difference of inner maps, each channel in units of the teacher's own deviation."""

    def __init__(self, channels: tuple[int, ...] = (32, 64, 128, 256, 64, 128, 256), momentum: float = 0.02) -> None:
        super().__init__()
        self.momentum = momentum
        for index, count in enumerate(channels):
            self.register_buffer(f"variance{index}", torch.ones(count))

    def forward(self, student: tuple[Tensor, ...], teacher: tuple[Tensor, ...]) -> Tensor:
        """Mean over maps; 1.0 means no better than the teacher's mean."""
        total = torch.zeros(())
        for index, (mine, theirs) in enumerate(zip(student, teacher, strict=True)):
            variance = self.get_buffer(f"variance{index}")
            with torch.no_grad():
                variance.lerp_(theirs.var(dim=(0, 2, 3)), self.momentum)
            # 0.05 of the mean keeps nearly dead teacher channels from dominating
            scale = (variance + 0.05 * variance.mean()).view(1, -1, 1, 1)
            total = total + ((mine.float() - theirs) ** 2 / scale).mean()
        return total / len(student)


def flatten_maps(maps: tuple[Tensor, ...]) -> Tensor:
    """Per-stride maps (B, C, h, w) to rows (B, A, C), strides in order, cells row by row as in YOLOX grids."""
    return torch.cat([level.flatten(2) for level in maps], dim=2).transpose(1, 2).float()


def generalized_iou(first: Tensor, second: Tensor) -> Tensor:
    """GIoU (arXiv 1902.09630) of boxes as (centre x, centre y, log w, log h) in the same cell units; (...,)."""
    half_first, half_second = first[..., 2:].exp() / 2, second[..., 2:].exp() / 2
    low_first, high_first = first[..., :2] - half_first, first[..., :2] + half_first
    low_second, high_second = second[..., :2] - half_second, second[..., :2] + half_second
    inter = (torch.minimum(high_first, high_second) - torch.maximum(low_first, low_second)).clamp(min=0).prod(-1)
    hull = (torch.maximum(high_first, high_second) - torch.minimum(low_first, low_second)).prod(-1)
    union = 4 * half_first.prod(-1) + 4 * half_second.prod(-1) - inter
    return inter / union - (hull - union) / hull


def output_losses(
    student: DetectorMaps, teacher_grid: Tensor, class_weights: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Objectness, class and box losses against the teacher's raw grid (B, A, 5 + O).

    ``class_weights`` (O,): how much a row counts in the class loss, by the teacher's best class; None is all alike.
    """
    their_box, their_object, their_class = torch.split(teacher_grid, [4, 1, teacher_grid.shape[2] - 5], dim=2)
    mass = their_object.sum().clamp(min=1.0)
    objectness = functional.binary_cross_entropy_with_logits(
        flatten_maps(student.objectness), their_object, reduction="sum"
    )
    rows = their_object[..., 0] > TEACHER_FLOOR
    weight = their_object[..., 0][rows]
    classes = functional.binary_cross_entropy_with_logits(
        flatten_maps(student.classes)[rows], their_class[rows], reduction="none"
    ).sum(1)
    class_weight = weight if class_weights is None else weight * class_weights[their_class[rows].argmax(1)]
    class_loss = (classes * class_weight).sum() / class_weight.sum().clamp(min=1.0)
    mine, theirs = flatten_maps(student.boxes)[rows], their_box[rows]
    overlap = 1 - generalized_iou(torch.cat((mine[:, :2], mine[:, 2:].clamp(-4, 6)), 1), theirs)
    box = functional.smooth_l1_loss(mine, theirs, reduction="none", beta=0.1).sum(1) + 2 * overlap
    return objectness / mass, class_loss, (box * weight).sum() / mass


class Distillation(nn.Module):
    """The whole loss; returns it with its terms for the log."""

    def __init__(self, weights: DistillationWeights, class_weights: Tensor | None = None) -> None:
        """``class_weights`` as in ``output_losses``."""
        super().__init__()
        self.weights = weights
        self.class_weights = class_weights
        self.hint_loss = HintLoss()

    def forward(
        self, student: DetectorMaps, hint_maps: tuple[Tensor, ...], teacher: TeacherMaps
    ) -> tuple[Tensor, dict[str, float]]:
        """Total loss and its terms; ``hint_maps`` are ``teacher.hints`` as tensors."""
        hints = self.hint_loss(student.hints, hint_maps)
        objectness, classes, boxes = output_losses(student, torch.from_numpy(teacher.grid), self.class_weights)
        weights = self.weights
        total = (
            weights.hints * hints + weights.objectness * objectness + weights.classes * classes + weights.boxes * boxes
        )
        terms = {"hints": hints, "objectness": objectness, "classes": classes, "boxes": boxes}
        return total, {name: float(value.detach()) for name, value in terms.items()}


assert STRIDES_PX == (8, 16, 32)  # the order flatten_maps relies on
