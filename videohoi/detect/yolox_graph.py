"""What a YOLOX-style ONNX graph takes and gives, read off its signature and one trial run; refused with a reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.compile.engine import Engine, TensorSpec
from videohoi.detect.letterbox import PAD_VALUE
from videohoi.detect.yolox_decode import CLASS_COLUMN, OBJECTNESS_COLUMN, grid_cells
from videohoi.errors import ModelError

FEATURES_OUTPUT = "features"
"""name of the optional output that holds the inner map"""
RAW_OFFSET_LIMIT = 8.0
"""a raw grid's offsets stay within a few cells, decoded centres spread over the picture: the median tells them apart"""
EXPECTED = "expected a YOLOX export: one input uint8[N,H,W,3] or float32[N,3,H,W], output float32[N,A,5+{0} classes]"


@dataclass(frozen=True)
class YoloxGraph:
    """The form of one loaded graph."""

    planar: bool
    """the input is float32 (N, 3, H, W); otherwise uint8 (N, H, W, 3)"""
    fixed_shape: tuple[int, int] | None
    """(H, W) when the graph takes one size only"""
    grid_output: str
    features_output: str | None
    feature_channels: int
    """channels of the features output; 0 when there is none"""

    def feed(self, canvas_bgr: NDArray[np.uint8]) -> NDArray[np.uint8] | NDArray[np.float32]:
        """The canvas (H, W, 3) as the graph wants it."""
        if self.planar:
            return np.ascontiguousarray(canvas_bgr.transpose(2, 0, 1), dtype=np.float32)[None]
        return canvas_bgr[None]


def read_signature(engine: Engine, label: str, class_count: int) -> YoloxGraph:
    """Inspect inputs and outputs of a loaded graph.

    Raises:
        ModelError: the graph is not YOLOX-style; the message says what was found and what is expected.
    """
    if len(engine.inputs) != 1:
        raise ModelError(f"{label}: {_found(engine)}; {EXPECTED.format(class_count)}")
    planar = _is_planar(engine.inputs[0])
    grids = [spec for spec in engine.outputs if _may_be_grid(spec, class_count)]
    if planar is None or not grids:
        raise ModelError(f"{label}: {_found(engine)}; {EXPECTED.format(class_count)}")
    features = next((spec for spec in engine.outputs if spec.name == FEATURES_OUTPUT and len(spec.shape) == 4), None)
    shape = engine.inputs[0].shape
    height, width = shape[2:] if planar else shape[1:3]
    fixed = None if height is None or width is None else (height, width)
    channels = (features.shape[1] or 0) if features else 0
    return YoloxGraph(planar, fixed, grids[0].name, features.name if features and channels else None, channels)


def _is_planar(spec: TensorSpec) -> bool | None:
    """True for float32 (N, 3, H, W), False for uint8 (N, H, W, 3), None for anything else."""
    if len(spec.shape) != 4 or spec.shape[0] not in (1, None):
        return None
    if spec.dtype == "float32" and spec.shape[1] == 3:
        return True
    return False if spec.dtype == "uint8" and spec.shape[3] == 3 else None


def _may_be_grid(spec: TensorSpec, class_count: int) -> bool:
    """A dynamic export may leave the last length open; the trial run then decides."""
    return spec.dtype == "float32" and len(spec.shape) == 3 and spec.shape[2] in (CLASS_COLUMN + class_count, None)


def _found(engine: Engine) -> str:
    return f"found inputs {'; '.join(map(str, engine.inputs))} and outputs {'; '.join(map(str, engine.outputs))}"


def try_out(engine: Engine, graph: YoloxGraph, shape: tuple[int, int], label: str, class_count: int) -> bool:
    """Run one grey picture of ``shape`` (H, W); tells whether the grid comes decoded. Warms the engine up as well.

    Raises:
        ModelError: the grid does not have the rows of strides 8, 16 and 32, or holds logits instead of probabilities.
    """
    grid = engine.run(graph.feed(np.full((*shape, 3), PAD_VALUE, np.uint8)))[graph.grid_output]
    rows = len(grid_cells(*shape))
    if grid.shape != (1, rows, CLASS_COLUMN + class_count):
        raise ModelError(
            f"{label}: output {graph.grid_output} has shape {grid.shape} for a picture of {shape[1]}x{shape[0]} px; "
            f"expected {(1, rows, CLASS_COLUMN + class_count)} (strides 8, 16, 32)"
        )
    odds = grid[0, :, OBJECTNESS_COLUMN:]
    if not (odds.min() >= 0 and odds.max() <= 1):
        raise ModelError(
            f"{label}: output {graph.grid_output} holds scores from {odds.min():.2f} to {odds.max():.2f}; "
            "expected probabilities (export with the sigmoid applied)"
        )
    return float(np.median(np.abs(grid[0, :, :2]))) > RAW_OFFSET_LIMIT
