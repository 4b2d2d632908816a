"""Distillation: a YOLOX-style ONNX teacher, and the losses that pull the student's maps towards the teacher's.

Matching inner maps as well as outputs (FitNets, arXiv 1412.6550) gives each stage its own target. With the few steps
that a CPU allows, this counts far more than the outputs alone. Outputs are matched with soft labels (arXiv 1503.02531):
no threshold, hence no label noise beyond the teacher's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from videohoi.detect.network import STRIDES_PX, DetectorMaps

TEACHER_FLOOR = 0.01
"""teacher objectness under which its class and box outputs are ignored"""


@dataclass(frozen=True)
class TeacherMaps:
    """The teacher's outputs for one batch."""

    hints: tuple[NDArray[np.float32], ...]
    """inner maps in the order asked for, (B, C, h, w) each"""
    grid: NDArray[np.float32]
    """raw grid (B, A, 5 + O): centre offset and log size in cells, objectness and class probabilities"""


def make_shape_dynamic(model: onnx.ModelProto) -> onnx.ModelProto:
    """Let batch, height and width vary: free input dimensions and reshapes that keep the batch axis."""
    for dimension in (0, 2, 3):
        model.graph.input[0].type.tensor_type.shape.dim[dimension].dim_param = f"d{dimension}"
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    flat_shape = onnx.numpy_helper.from_array(np.array([0, 0, -1], np.int64), "flat_shape")
    model.graph.initializer.append(flat_shape)
    for node in model.graph.node:
        if node.op_type == "Reshape":
            node.input[1] = "flat_shape"
    del model.graph.value_info[:]
    return model


class OnnxTeacher:
    """Runs a YOLOX ONNX teacher on BGR batches. One thread; deterministic."""

    def __init__(self, path: Path, hint_convolutions: Sequence[str]) -> None:
        """``hint_convolutions`` are names of convolution nodes; the map after each one's activation is returned."""
        model = make_shape_dynamic(onnx.load(str(path)))
        self._hint_tensors = [_activated_output(model, name) for name in hint_convolutions]
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in self._hint_tensors)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name

    def __call__(self, images_bgr: NDArray[np.uint8]) -> TeacherMaps:
        """``images_bgr`` (B, H, W, 3) uint8, H and W multiples of 32."""
        planar = np.ascontiguousarray(images_bgr.transpose(0, 3, 1, 2), dtype=np.float32)
        grid, *hints = self._session.run([self._output, *self._hint_tensors], {self._input: planar})
        return TeacherMaps(tuple(hints), grid)


def _activated_output(model: onnx.ModelProto, convolution: str) -> str:
    """Name of the tensor after the SiLU (Sigmoid and Mul) that follows the convolution node ``convolution``."""
    nodes = {node.name: node for node in model.graph.node}
    if convolution not in nodes:
        raise ValueError(f"teacher has no node named {convolution!r}")
    raw = nodes[convolution].output[0]
    products = [n for n in model.graph.node if n.op_type == "Mul" and raw in n.input]
    if len(products) != 1:
        raise ValueError(f"node {convolution!r} is not followed by one SiLU")
    return str(products[0].output[0])


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
