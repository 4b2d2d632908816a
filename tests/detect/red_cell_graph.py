"""A hand-made YOLOX-style graph that finds red 32-pixel cells, so that what a test expects can be worked out by eye."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from videohoi.structures import Frame

CLASS_COUNT = 80
BICYCLE = 1
SHARED = Path(__file__).resolve().parents[2].parent / "shared"


def red_cell_model(*, planar: bool = False, size: int | None = None):
    """A pure red cell of stride 32 is a bicycle with the cell as its box; ``features`` is the stride-16 mean."""
    onnx = pytest.importorskip("onnx", reason="building the test graph needs onnx (train extra)")
    helper, array = onnx.helper, onnx.numpy_helper.from_array
    odds_kernel = np.zeros((1 + CLASS_COUNT, 3, 1, 1), np.float32)
    odds_kernel[0, :, 0, 0] = (-0.1, -0.1, 0.2)  # BGR: red counts for, grey cancels out
    class_bias = np.full(CLASS_COUNT, -12.0, np.float32)
    class_bias[BICYCLE] = 12.0
    nodes, levels = [], []
    initializers = [
        array(np.zeros((4, 3, 1, 1), np.float32), "box_kernel"),
        array(np.array([0.5, 0.5, 0.0, 0.0], np.float32), "box_bias"),
        array(odds_kernel, "odds_kernel"),
        array(np.array([0, 4 + 1 + CLASS_COUNT, -1], np.int64), "flat"),
    ]
    pixels = "images"
    if not planar:
        nodes.append(helper.make_node("Cast", ["images"], ["floats"], to=onnx.TensorProto.FLOAT))
        nodes.append(helper.make_node("Transpose", ["floats"], ["pixels"], perm=[0, 3, 1, 2]))
        pixels = "pixels"
    for stride in (8, 16, 32):
        bias = -25.0 if stride == 32 else -99.0
        initializers.append(array(np.concatenate(([np.float32(bias)], class_bias)), f"odds_bias{stride}"))
        pooled = "features" if stride == 16 else f"mean{stride}"
        nodes += [
            helper.make_node("AveragePool", [pixels], [pooled], kernel_shape=[stride] * 2, strides=[stride] * 2),
            helper.make_node("Conv", [pooled, "box_kernel", "box_bias"], [f"box{stride}"]),
            helper.make_node("Conv", [pooled, "odds_kernel", f"odds_bias{stride}"], [f"logits{stride}"]),
            helper.make_node("Sigmoid", [f"logits{stride}"], [f"odds{stride}"]),
            helper.make_node("Concat", [f"box{stride}", f"odds{stride}"], [f"map{stride}"], axis=1),
            helper.make_node("Reshape", [f"map{stride}", "flat"], [f"flat{stride}"]),
        ]
        levels.append(f"flat{stride}")
    nodes.append(helper.make_node("Concat", levels, ["columns"], axis=2))
    nodes.append(helper.make_node("Transpose", ["columns"], ["grid"], perm=[0, 2, 1]))
    side = size or "side"
    shape, kind = (
        ([1, 3, side, side], onnx.TensorProto.FLOAT) if planar else ([1, side, side, 3], onnx.TensorProto.UINT8)
    )
    if size is None:
        shape = [f"d{index}" if length == side else length for index, length in enumerate(shape)]
    return _finish(onnx, nodes, initializers, shape, kind)


def _finish(onnx, nodes, initializers, shape, kind):
    helper = onnx.helper
    floats = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "cells",
        [helper.make_tensor_value_info("images", kind, shape)],
        [
            helper.make_tensor_value_info("grid", floats, ["n", "a", 5 + CLASS_COUNT]),
            helper.make_tensor_value_info("features", floats, ["n", 3, "h", "w"]),
        ],
        initializers,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def constant_model(*answers: np.ndarray, size: int = 64, input_shape=None):
    """A graph that gives ``answers`` whatever it sees."""
    onnx = pytest.importorskip("onnx", reason="building the test graph needs onnx (train extra)")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    names = ["output", *(f"output{number}" for number in range(2, len(answers) + 1))]
    graph = helper.make_graph(
        [helper.make_node("Identity", [f"stored_{name}"], [name]) for name in names],
        "constant",
        [helper.make_tensor_value_info("images", floats, input_shape or [1, 3, size, size])],
        [helper.make_tensor_value_info(n, floats, list(a.shape)) for n, a in zip(names, answers, strict=True)],
        [
            onnx.numpy_helper.from_array(answer.astype(np.float32), f"stored_{name}")
            for name, answer in zip(names, answers, strict=True)
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def grey_frame(height: int, width: int, index: int = 0) -> Frame:
    return Frame(np.full((height, width, 3), 114, np.uint8), index, index / 30, "test")
