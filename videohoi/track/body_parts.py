"""Two boxes on one body are not two people.

Detectors give the upper half of a body, or its legs, a box of its own. Such a **part** is a slice of the whole: it lies
inside, is nearly as wide, ends at the same top or the same bottom, is clearly less tall, and the detector is less sure
of it. Two people look different. A child in somebody's arms or before their legs is narrower. People who embrace stick
out of each other's boxes or are equally tall. Somebody who sits before another hides them, and is the surer one.

For some frames detectors also give one body a second box as tall as the first, one inside the other: a **double**. One
look does not tell it from somebody who stands close behind. Time does: doubles come and go. Where nobody else was known
to be, the less sure of two such boxes must be there for half a second before it may be somebody.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry.boxes import pairwise_iou
from videohoi.structures import Detections

LEAST_WIDTH_SHARE = 0.7
"""of the whole; a child carried by an adult, or a head alone, is narrower"""
MOST_HEIGHT_SHARE = 0.85
"""of the whole; a box more like it is another person, as suppression leaves no two boxes of one body that like"""
EDGE_SHARE = 0.1
"""of the whole's height, by which the tops or bottoms may differ"""
DOUBLE_SECONDS = 0.5
"""a second box on a body that stays for longer is a second person"""
DOUBLE_PAUSE_SECONDS = 0.2
"""... with pauses of up to this"""
SAME_IOU = 0.5
"""boxes of two frames that overlap by more are of one thing"""


def whole_bodies(detections: Detections, human_class_id: int, least_cover: float) -> NDArray[np.bool_]:
    """(N,) False for humans that are a part of another one's body, of which ``least_cover`` lies inside the other."""
    result = np.ones(len(detections), np.bool_)
    humans = np.flatnonzero(detections.class_ids == human_class_id)
    if len(humans) < 2:
        return result
    boxes = detections.boxes_xyxy_px[humans].astype(np.float64)
    cover = _covers(boxes)
    sides = boxes[:, 2:] - boxes[:, :2]
    shares = sides[:, None] / np.maximum(sides[None], 1e-9)
    ends = np.abs(boxes[:, None, [1, 3]] - boxes[None, :, [1, 3]]).min(axis=2) <= EDGE_SHARE * sides[None, :, 1]
    scores = detections.scores[humans]
    is_part = (cover >= least_cover) & ends & (scores[:, None] < scores[None])
    is_part &= (shares[..., 0] >= LEAST_WIDTH_SHARE) & (shares[..., 1] <= MOST_HEIGHT_SHARE)
    result[humans[is_part.any(axis=1)]] = False
    return result


def _covers(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, n) share of the first box that lies inside the second."""
    inside = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    result: NDArray[np.float64] = np.maximum(inside, 0).prod(axis=2) / np.maximum(areas, 1e-9)[:, None]
    return result


@dataclass
class _Waiting:
    """A second box on a body that may turn out to be somebody."""

    box: NDArray[np.float64]
    first_seconds: float
    last_seconds: float


class Doubles:
    """Second boxes on the bodies of one source, until they have been there for long enough."""

    def __init__(self, human_class_id: int, least_cover: float) -> None:
        self._human_class_id = human_class_id
        self._least_cover = least_cover
        self._waiting: list[_Waiting] = []

    def singles(self, detections: Detections, known: NDArray[np.float64], pts_seconds: float) -> NDArray[np.bool_]:
        """(N,) False for humans that must wait; ``known`` (K, 4): where the humans with an id were a moment ago."""
        result = np.ones(len(detections), np.bool_)
        self._waiting = [w for w in self._waiting if 0 <= pts_seconds - w.last_seconds <= DOUBLE_PAUSE_SECONDS]
        humans = np.flatnonzero(detections.class_ids == self._human_class_id)
        if len(humans) < 2:
            return result
        boxes = detections.boxes_xyxy_px[humans].astype(np.float64)
        for place in self._less_sure(boxes, detections.scores[humans], _owners(boxes, known)):
            result[humans[place]] = self._has_waited(boxes[place], pts_seconds)
        return result

    def _less_sure(
        self, boxes: NDArray[np.float64], scores: NDArray[np.float32], owners: NDArray[np.int64]
    ) -> list[int]:
        """Boxes as tall as a surer one, one of the two inside the other, where nobody else is known to be."""
        covers, heights = _covers(boxes), boxes[:, 3] - boxes[:, 1]
        nested = np.maximum(covers, covers.T) >= self._least_cover
        as_tall = heights[:, None] > MOST_HEIGHT_SHARE * heights[None]
        earlier = np.tri(len(boxes), k=-1, dtype=np.bool_)
        surer = (scores[None] > scores[:, None]) | ((scores[None] == scores[:, None]) & earlier)
        doubles = nested & surer & as_tall & as_tall.T & (owners[:, None] == owners[None])
        return [int(place) for place in np.flatnonzero(doubles.any(axis=1))]

    def _has_waited(self, box: NDArray[np.float64], pts_seconds: float) -> bool:
        for waiting in self._waiting:
            if pairwise_iou(waiting.box[None], box[None])[0, 0] >= SAME_IOU:
                waiting.box, waiting.last_seconds = box, pts_seconds
                return pts_seconds - waiting.first_seconds >= DOUBLE_SECONDS
        self._waiting.append(_Waiting(box, pts_seconds, pts_seconds))
        return False


def _owners(boxes: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) which of the ``known`` boxes (K, 4) each box continues best; -1: none."""
    if not len(known):
        return np.full(len(boxes), -1, np.int64)
    overlaps = pairwise_iou(boxes, known)
    return np.where(overlaps.max(axis=1) >= SAME_IOU, overlaps.argmax(axis=1), -1)
