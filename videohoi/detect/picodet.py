"""PicoDet-style ONNX graphs without post-processing: their inputs and outputs, and the decoding of their maps.

PP-PicoDet (arXiv 2111.00902) has the head of Generalized Focal Loss (arXiv 2006.04388, section 3.2) on the strides 8,
16, 32 and 64: of each cell one probability per class, and for each of the four sides a distribution over the distances
0..R in cells from the cell's centre; the distance is its mean. The outputs are two for each stride.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.compile.engine import Engine, TensorSpec
from videohoi.detect.box_selection import Candidates
from videohoi.detect.letterbox import PAD_VALUE
from videohoi.detect.yolox import fixed_shape_of, is_planar, refuse_logits
from videohoi.errors import ModelError

MEAN_RGB = np.array([123.675, 116.28, 103.53], np.float32)
DEVIATION_RGB = np.array([58.395, 57.12, 57.375], np.float32)
"""ImageNet's, in 0-255, as PaddleDetection's configuration of PicoDet has them. In that order: the public 416 px file
loses 0.024 AP50 on this project's COCO pictures when it is fed BGR"""


@dataclass(frozen=True)
class PicodetGraph:
    """The form of one loaded graph; see ``onnx_detector.GraphForm``."""

    fixed_shape: tuple[int, int] | None
    outputs: tuple[tuple[str, str], ...]
    """names of scores and distances of each level; in graph order until tried, then finest stride first"""
    features_output: str | None = None
    feature_channels: int = 0

    def feed(self, canvas_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The canvas (H, W, 3), as normalised RGB planes."""
        pixels = (canvas_bgr[:, :, ::-1] - MEAN_RGB) / DEVIATION_RGB
        return np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32)[None]

    def tried(self, engine: Engine, shape: tuple[int, int], label: str, class_count: int) -> PicodetGraph:
        """Find out which outputs belong to which stride.

        Raises:
            ModelError: the outputs do not have the rows of strides 8, 16, 32 and 64, or scores are no probabilities.
        """
        outputs = engine.run(self.feed(np.full((*shape, 3), PAD_VALUE, np.uint8)))
        by_rows = [{outputs[pair[kind]].shape[1]: pair[kind] for pair in self.outputs} for kind in (0, 1)]
        row_counts = [cell_count(*shape, stride) for stride in STRIDES_PX]
        if any(sorted(names, reverse=True) != row_counts for names in by_rows):
            shapes = "; ".join(f"{name} {outputs[name].shape}" for pair in self.outputs for name in pair)
            raise ModelError(
                f"{label}: outputs {shapes} for a picture of {shape[1]}x{shape[0]} px; expected {row_counts} rows of "
                f"strides {STRIDES_PX}"
            )
        for name in by_rows[0].values():
            refuse_logits(outputs[name], label, name)
        return replace(self, outputs=tuple((by_rows[0][rows], by_rows[1][rows]) for rows in row_counts))

    def candidates(
        self, outputs: Mapping[str, NDArray[Any]], network_hw_px: tuple[int, int], threshold: float
    ) -> Candidates:
        """The first picture's boxes with a score of at least ``threshold``."""
        levels = [
            PicodetLevel(stride, outputs[scores][0], outputs[distances][0])
            for stride, (scores, distances) in zip(STRIDES_PX, self.outputs, strict=True)
        ]
        return decode_levels(levels, network_hw_px, threshold)


def read_picodet(engine: Engine, class_count: int) -> PicodetGraph | None:
    """The form of a loaded graph with one input; None if it is not PicoDet-style."""
    if not is_planar(engine.inputs[0]):
        return None
    scores = [spec.name for spec in engine.outputs if _last_length(spec) == class_count]
    others = [spec for spec in engine.outputs if spec.name not in scores]
    lengths = {_last_length(spec) for spec in others}
    bins = lengths.pop() if len(lengths) == 1 else None
    if bins is None or bins % SIDES or bins < 2 * SIDES or not len(scores) == len(others) == len(STRIDES_PX):
        return None
    pairs = tuple(zip(scores, (spec.name for spec in others), strict=True))
    return PicodetGraph(fixed_shape_of(engine.inputs[0], planar=True), pairs)


def _last_length(spec: TensorSpec) -> int | None:
    return spec.shape[2] if spec.dtype == "float32" and len(spec.shape) == 3 else None


STRIDES_PX = (8, 16, 32, 64)
SIDES = 4
"""left, top, right, bottom"""


@dataclass(frozen=True, repr=False)
class PicodetLevel:
    """Maps of one stride."""

    stride_px: int
    scores: NDArray[np.float32]
    """(A, O) probabilities"""
    distances: NDArray[np.float32]
    """(A, 4 (R + 1)) logits over the distances, side by side"""


def cell_count(height_px: int, width_px: int, stride_px: int) -> int:
    """Cells of a level, those that reach beyond the picture included."""
    return -(-height_px // stride_px) * -(-width_px // stride_px)


@lru_cache(maxsize=64)
def cell_centres(height_px: int, width_px: int, stride_px: int) -> NDArray[np.float32]:
    """(A, 2) x and y in network pixels, row by row."""
    rows, columns = np.mgrid[: -(-height_px // stride_px), : -(-width_px // stride_px)]
    cells: NDArray[np.float32] = np.stack((columns.ravel(), rows.ravel()), axis=1).astype(np.float32)
    centres: NDArray[np.float32] = (cells + np.float32(0.5)) * np.float32(stride_px)
    centres.setflags(write=False)
    return centres


def decode_levels(levels: Sequence[PicodetLevel], network_hw_px: tuple[int, int], threshold: float) -> Candidates:
    """Candidates of one picture, finest level first; every cell gets its best class."""
    decoded = [_decode_level(level, network_hw_px, threshold) for level in levels]
    return Candidates(
        np.concatenate([level.boxes_xyxy_px for level in decoded]),
        np.concatenate([level.scores for level in decoded]),
        np.concatenate([level.class_ids for level in decoded]),
    )


def _decode_level(level: PicodetLevel, network_hw_px: tuple[int, int], threshold: float) -> Candidates:
    best = level.scores.max(axis=1)
    rows = np.flatnonzero(best >= threshold)
    centres = cell_centres(*network_hw_px, level.stride_px)[rows]
    left_top, right_bottom = np.split(_mean_distances(level.distances[rows]) * np.float32(level.stride_px), 2, axis=1)
    boxes = np.concatenate((centres - left_top, centres + right_bottom), axis=1)
    return Candidates(boxes, best[rows], level.scores[rows].argmax(axis=1).astype(np.int64))


def _mean_distances(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 4 (R + 1)) logits to (N, 4) mean distances in cells."""
    bins = logits.shape[1] // SIDES
    sides = logits.reshape(-1, SIDES, bins)
    weights = np.exp(sides - sides.max(axis=2, keepdims=True))
    return np.asarray((weights / weights.sum(axis=2, keepdims=True)) @ np.arange(bins, dtype=np.float32), np.float32)
