"""A YOLOX-style ONNX file as teacher: its outputs and named inner maps on any picture size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray


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
