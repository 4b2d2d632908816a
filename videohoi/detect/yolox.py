"""YOLOX-style ONNX graphs: inputs and outputs, read from signature and one trial run, and the decoding of the grid.

The grid (YOLOX, arXiv 2107.08430, section 2.1) has one row per cell of the strides 8, 16 and 32, row by row:
x, y, w, h, objectness, one probability per class. A raw grid stores the centre as an offset in cells and the size as
a logarithm of cells; ``decode_in_inference`` exports store both in network pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.compile.engine import Engine, TensorSpec
from videohoi.detect.box_selection import Candidates
from videohoi.detect.letterbox import PAD_VALUE
from videohoi.errors import ModelError

FEATURES_OUTPUT = "features"
"""name of the optional output that holds the inner map"""
RAW_OFFSET_LIMIT = 8.0
"""a raw grid's offsets stay within a few cells, decoded centres spread over the picture: the median tells them apart"""


@dataclass(frozen=True)
class YoloxGraph:
    """The form of one loaded graph; see ``onnx_detector.GraphForm``."""

    planar: bool
    """the input is float32 (N, 3, H, W); otherwise uint8 (N, H, W, 3)"""
    fixed_shape: tuple[int, int] | None
    grid_output: str
    features_output: str | None
    feature_channels: int
    decoded: bool = False
    """the grid already holds network pixels"""

    def feed(self, canvas_bgr: NDArray[np.uint8]) -> NDArray[np.uint8] | NDArray[np.float32]:
        """The canvas (H, W, 3) as the graph wants it."""
        if self.planar:
            return np.ascontiguousarray(canvas_bgr.transpose(2, 0, 1), dtype=np.float32)[None]
        return canvas_bgr[None]

    def tried(self, engine: Engine, shape: tuple[int, int], label: str, class_count: int) -> YoloxGraph:
        """Find out whether the grid comes decoded.

        Raises:
            ModelError: the grid does not have the rows of strides 8, 16 and 32, or holds logits, not probabilities.
        """
        grid = engine.run(self.feed(np.full((*shape, 3), PAD_VALUE, np.uint8)))[self.grid_output]
        rows = len(grid_cells(*shape))
        if grid.shape != (1, rows, CLASS_COLUMN + class_count):
            raise ModelError(
                f"{label}: output {self.grid_output} has shape {grid.shape} for a picture of {shape[1]}x{shape[0]} px; "
                f"expected {(1, rows, CLASS_COLUMN + class_count)} (strides 8, 16, 32)"
            )
        refuse_logits(grid[0, :, OBJECTNESS_COLUMN:], label, self.grid_output)
        return replace(self, decoded=float(np.median(np.abs(grid[0, :, :2]))) > RAW_OFFSET_LIMIT)

    def candidates(
        self, outputs: Mapping[str, NDArray[Any]], network_hw_px: tuple[int, int], threshold: float
    ) -> Candidates:
        """The first picture's boxes with a score of at least ``threshold``."""
        return decode_grid(outputs[self.grid_output][0], network_hw_px, threshold, self.decoded)


def read_yolox(engine: Engine, class_count: int) -> YoloxGraph | None:
    """The form of a loaded graph with one input; None if it is not YOLOX-style."""
    planar = is_planar(engine.inputs[0])
    grids = [spec for spec in engine.outputs if _may_be_grid(spec, class_count)]
    if planar is None or not grids:
        return None
    features = next((spec for spec in engine.outputs if spec.name == FEATURES_OUTPUT and len(spec.shape) == 4), None)
    channels = (features.shape[1] or 0) if features else 0
    fixed = fixed_shape_of(engine.inputs[0], planar)
    return YoloxGraph(planar, fixed, grids[0].name, features.name if features and channels else None, channels)


def is_planar(spec: TensorSpec) -> bool | None:
    """True for float32 (N, 3, H, W), False for uint8 (N, H, W, 3), None for anything else."""
    if len(spec.shape) != 4 or spec.shape[0] not in (1, None):
        return None
    if spec.dtype == "float32" and spec.shape[1] == 3:
        return True
    return False if spec.dtype == "uint8" and spec.shape[3] == 3 else None


def fixed_shape_of(spec: TensorSpec, planar: bool) -> tuple[int, int] | None:
    """(H, W) of an input that takes one size only."""
    height, width = spec.shape[2:] if planar else spec.shape[1:3]
    return None if height is None or width is None else (height, width)


def refuse_logits(scores: NDArray[np.float32], label: str, output: str) -> None:
    """``ModelError`` unless all are probabilities."""
    if not (scores.min() >= 0 and scores.max() <= 1):
        raise ModelError(
            f"{label}: output {output} holds scores from {scores.min():.2f} to {scores.max():.2f}; "
            "expected probabilities (export with the sigmoid applied)"
        )


def _may_be_grid(spec: TensorSpec, class_count: int) -> bool:
    """A dynamic export may leave the last length open; the trial run then decides."""
    return spec.dtype == "float32" and len(spec.shape) == 3 and spec.shape[2] in (CLASS_COLUMN + class_count, None)


STRIDES_PX = (8, 16, 32)
OBJECTNESS_COLUMN = 4
"""after x, y, w, h"""
CLASS_COLUMN = 5
"""first class column"""
MAX_LOG_SIZE = 7.0
"""exp(7) cells is 8,773 px at stride 8: larger than any network input; beyond it a size is noise and may overflow"""


@lru_cache(maxsize=16)
def grid_cells(height_px: int, width_px: int) -> NDArray[np.float32]:
    """(A, 3): column, row and stride in pixels of each grid row of a network input of height_px x width_px."""
    levels = []
    for stride in STRIDES_PX:
        rows, columns = np.mgrid[: height_px // stride, : width_px // stride]
        levels.append(np.stack((columns.ravel(), rows.ravel(), np.full(rows.size, stride)), axis=1))
    cells = np.concatenate(levels).astype(np.float32)
    cells.setflags(write=False)
    return cells


def decode_grid(
    grid: NDArray[np.float32], network_hw_px: tuple[int, int], threshold: float, decoded: bool = False
) -> Candidates:
    """Candidates of one picture from its grid (A, 5 + O).

    Every cell gets its best class, with objectness times its probability as score; cells below ``threshold`` are left
    out. ``decoded``: the grid already holds network pixels.
    """
    rows, scores, class_ids = _confident_rows(grid, threshold)
    cells = None if decoded else grid_cells(*network_hw_px)[rows]
    return Candidates(_corners(grid[rows, :OBJECTNESS_COLUMN], cells), scores, class_ids)


def _confident_rows(
    grid: NDArray[np.float32], threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    """Grid rows at or above the threshold, with score and class; objectness alone rules most rows out cheaply."""
    objectness = grid[:, OBJECTNESS_COLUMN]
    rows = np.flatnonzero(objectness >= threshold)
    classes = grid[rows, CLASS_COLUMN:]
    class_ids = classes.argmax(axis=1)
    scores = objectness[rows] * classes[np.arange(len(rows)), class_ids]
    sure = scores >= threshold
    return rows[sure], scores[sure], class_ids[sure].astype(np.int64)


def _corners(values: NDArray[np.float32], cells: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """(N, 4) corners in network pixels; ``cells`` (N, 3) decode a raw grid, None takes centre and size as they are."""
    centre, size = values[:, :2], values[:, 2:]
    if cells is not None:
        stride = cells[:, 2:]
        centre = (centre + cells[:, :2]) * stride
        size = np.exp(np.minimum(size, MAX_LOG_SIZE)) * stride
    return np.concatenate((centre - size / 2, centre + size / 2), axis=1)
