"""From a YOLOX output grid to boxes in the picture: threshold, decode, class-aware suppression, clip.

The grid (YOLOX, arXiv 2107.08430, section 2.1) has one row per cell of the strides 8, 16 and 32, row by row:
x, y, w, h, objectness, one probability per class. A raw grid stores the centre as an offset in cells and the size as
a logarithm of cells; ``decode_in_inference`` exports store both in network pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry.nms import class_aware_nms

STRIDES_PX = (8, 16, 32)
PERSON_CLASS = 0
"""of the COCO classes these graphs have"""
OBJECTNESS_COLUMN = 4
"""after x, y, w, h"""
CLASS_COLUMN = 5
"""first class column"""
MAX_LOG_SIZE = 7.0
"""exp(7) cells is 8,773 px at stride 8: larger than any network input; beyond it a size is noise and may overflow"""
MIN_SIDE_PX = 1.0
"""a clipped box thinner than one source pixel shows nothing"""


@dataclass(frozen=True)
class DecodeSettings:
    """How a grid becomes boxes."""

    score_threshold: float = 0.1
    """lowest score; BYTE (arXiv 2110.06864) uses boxes down to 0.1"""
    nms_iou: float = 0.6
    """two boxes of one class that overlap more are one object"""
    max_detections: int = 100
    """the best so many are kept, as in COCO's evaluation"""
    score_exponent: float = 1.0
    """a box's score is (objectness * class probability) ** this, see ``train.calibrate_detector``"""
    cross_class_iou: float = 1.0
    """of two objects of different classes that overlap more, the surer one stays; humans are not objects here"""
    decoded: bool = False
    """the grid already holds network pixels"""
    compiled: bool = True
    """suppress with the compiled kernel; False while it is being compiled"""


@dataclass(frozen=True)
class GridBoxes:
    """What a grid says of one picture, best first."""

    boxes_xyxy_px: NDArray[np.float32]
    """(N, 4) corners in source pixels, inside the picture"""
    scores: NDArray[np.float32]
    """(N,) in [0, 1]"""
    class_ids: NDArray[np.int64]
    """(N,)"""


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
    grid: NDArray[np.float32],
    network_hw_px: tuple[int, int],
    scale_xy: tuple[float, float],
    picture_hw_px: tuple[int, int],
    settings: DecodeSettings,
) -> GridBoxes:
    """Boxes of one picture from its grid (A, 5 + O).

    ``scale_xy`` is network pixels per source pixel, as the letterbox tells. Every cell gets its best class; ties in
    the score keep grid order, so the result is the same on every run. Rows with a number that is not finite are left
    out.
    """
    exponent = settings.score_exponent
    rows, raw_scores, class_ids = _confident_rows(grid, settings.score_threshold ** (1 / exponent))
    scores: NDArray[np.float32] = raw_scores ** np.float32(exponent)
    cells = None if settings.decoded else grid_cells(*network_hw_px)[rows]
    scales: NDArray[np.float32] = np.array((*scale_xy, *scale_xy), np.float32)
    boxes: NDArray[np.float32] = _corners(grid[rows, :OBJECTNESS_COLUMN], cells) / scales
    kept = class_aware_nms(
        boxes,
        scores,
        class_ids,
        iou_threshold=settings.nms_iou,
        limit=settings.max_detections,
        compiled=settings.compiled,
    )
    if settings.cross_class_iou < 1.0:
        kept = kept[_one_name_each(boxes[kept], scores[kept], class_ids[kept], settings)]
    boxes = _clip(boxes[kept], picture_hw_px)
    solid = ((boxes[:, 2:] - boxes[:, :2]) >= MIN_SIDE_PX).all(axis=1)
    return GridBoxes(boxes[solid], scores[kept][solid], class_ids[kept][solid])


def _one_name_each(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], class_ids: NDArray[np.int64], settings: DecodeSettings
) -> NDArray[np.int64]:
    """Rows left when objects suppress each other whatever their classes."""
    is_object = (class_ids != PERSON_CLASS).astype(np.int64)
    return class_aware_nms(boxes, scores, is_object, iou_threshold=settings.cross_class_iou, compiled=settings.compiled)


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


def _clip(boxes: NDArray[np.float32], picture_hw_px: tuple[int, int]) -> NDArray[np.float32]:
    height, width = picture_hw_px
    return np.clip(boxes, np.float32(0), np.array((width, height) * 2, np.float32))
