"""From a network's candidate boxes to a picture's detections: class-aware suppression, cut off, clipped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry.boxes import class_aware_nms, pairwise_iou

PERSON_CLASS = 0
"""of the COCO classes these graphs have"""
MIN_SIDE_PX = 1.0
"""clipped boxes thinner than one source pixel are dropped"""


@dataclass(frozen=True)
class SelectionSettings:
    """Which boxes of a picture are kept."""

    score_threshold: float = 0.1
    """lowest score; BYTE (arXiv 2110.06864) uses boxes down to 0.1"""
    nms_iou: float = 0.6
    """two boxes of one class that overlap more are one object"""
    max_detections: int = 100
    """at most this many are kept, best first, as in COCO's evaluation"""
    score_exponent: float = 1.0
    """a box's score is the network's score ** this, see ``train.calibrate_detector``"""
    cross_class_iou: float = 1.0
    """of two objects of different classes that overlap more, the better one is kept; not applied to humans"""
    human_object_iou: float = 1.0
    """of a human and an object that overlap more, the better one is kept: a dog is not also a person; 1 keeps both"""

    @property
    def network_threshold(self) -> float:
        """Lowest score before the exponent."""
        return float(self.score_threshold ** (1 / self.score_exponent))


@dataclass(frozen=True, repr=False)
class Candidates:
    """Boxes before suppression, in the network's own order, which decides between equal scores."""

    boxes_xyxy_px: NDArray[np.float32]
    """(N, 4) corners in network pixels"""
    scores: NDArray[np.float32]
    """(N,) in [0, 1], as the network gives them"""
    class_ids: NDArray[np.int64]
    """(N,)"""


@dataclass(frozen=True, repr=False)
class PictureBoxes:
    """The boxes of one picture after suppression, best first."""

    boxes_xyxy_px: NDArray[np.float32]
    """(N, 4) corners in source pixels, inside the picture"""
    scores: NDArray[np.float32]
    """(N,) in [0, 1]"""
    class_ids: NDArray[np.int64]
    """(N,)"""


def select_boxes(
    candidates: Candidates, scale_xy: tuple[float, float], picture_hw_px: tuple[int, int], settings: SelectionSettings
) -> PictureBoxes:
    """The boxes of one picture; ``scale_xy`` is network pixels per source pixel, from the letterbox.

    Boxes with a number that is not finite are left out.
    """
    scores: NDArray[np.float32] = candidates.scores ** np.float32(settings.score_exponent)
    scales: NDArray[np.float32] = np.array((*scale_xy, *scale_xy), np.float32)
    boxes: NDArray[np.float32] = candidates.boxes_xyxy_px / scales
    rows = class_aware_nms(
        boxes,
        scores,
        candidates.class_ids,
        iou_threshold=settings.nms_iou,
        limit=settings.max_detections,
    )
    if settings.cross_class_iou < 1.0:
        rows = rows[_one_name_each(boxes[rows], scores[rows], candidates.class_ids[rows], settings)]
    if settings.human_object_iou < 1.0:
        rows = rows[_human_or_object(boxes[rows], candidates.class_ids[rows], settings.human_object_iou)]
    boxes = _clip(boxes[rows], picture_hw_px)
    solid = ((boxes[:, 2:] - boxes[:, :2]) >= MIN_SIDE_PX).all(axis=1)
    return PictureBoxes(boxes[solid], scores[rows][solid], candidates.class_ids[rows][solid])


def _one_name_each(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], class_ids: NDArray[np.int64], settings: SelectionSettings
) -> NDArray[np.int64]:
    """Rows left when objects suppress each other whatever their classes."""
    is_object = (class_ids != PERSON_CLASS).astype(np.int64)
    return class_aware_nms(boxes, scores, is_object, iou_threshold=settings.cross_class_iou)


def _human_or_object(
    boxes: NDArray[np.float32], class_ids: NDArray[np.int64], iou_threshold: float
) -> NDArray[np.int64]:
    """Rows left, best first, when humans and objects suppress each other."""
    is_object = class_ids != PERSON_CLASS
    overlapping = (pairwise_iou(boxes, boxes) > iou_threshold) & (is_object[:, None] != is_object)
    is_kept = np.ones(len(boxes), np.bool_)
    for row in np.flatnonzero(overlapping.any(axis=1)):
        if is_kept[row]:
            is_kept[row + 1 :] &= ~overlapping[row, row + 1 :]
    return np.flatnonzero(is_kept)


def _clip(boxes: NDArray[np.float32], picture_hw_px: tuple[int, int]) -> NDArray[np.float32]:
    height, width = picture_hw_px
    return np.clip(boxes, np.float32(0), np.array((width, height) * 2, np.float32))
