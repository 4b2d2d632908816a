"""Two boxes on one body are not two people.

Detectors sometimes return a second box for the upper half of a body, or for its legs. Such a **part** is a slice of the
whole: it lies inside the other box, is nearly as wide, shares its top or bottom edge, is clearly less tall, and has a
lower score. The boxes of two people differ. A child in somebody's arms, or in front of their legs, is narrower. The
boxes of people who embrace stick out of each other or are equally tall. A person who sits in front of another hides
them, and has the higher score.

For a few frames detectors also return a second box as tall as the first, one inside the other: a **double**. A single
frame cannot separate it from a person who stands close behind, but time can, since doubles come and go. Where no other
person was tracked before, the box with the lower score must stay for half a second before it becomes a person.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry.boxes import pairwise_iou
from videohoi.structures import Detections, Tracks

LEAST_WIDTH_SHARE = 0.7
"""of the whole; a child carried by an adult, or a head alone, is narrower"""
MOST_HEIGHT_SHARE = 0.85
"""of the whole; a taller box is another person, since suppression leaves no two boxes of one body that similar"""
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
    humans = np.flatnonzero(detections.class_ids == human_class_id)
    result = np.ones(len(detections), np.bool_)
    boxes = detections.boxes_xyxy_px[humans].astype(np.float64)
    inside = _covers(boxes) >= least_cover if len(humans) > 1 else np.zeros((0, 0), np.bool_)
    if inside.any():
        result[humans] = ~_is_part(boxes, detections.scores[humans], inside)
    return result


def _is_part(boxes: NDArray[np.float64], scores: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n,) boxes that are a slice of another; ``inside`` (n, n): the first lies inside the second."""
    sides = boxes[:, 2:] - boxes[:, :2]
    shares = sides[:, None] / np.maximum(sides[None], 1e-9)
    ends = np.abs(boxes[:, None, [1, 3]] - boxes[None, :, [1, 3]]).min(axis=2) <= EDGE_SHARE * sides[None, :, 1]
    is_part = inside & ends & (scores[:, None] < scores[None])
    is_part &= (shares[..., 0] >= LEAST_WIDTH_SHARE) & (shares[..., 1] <= MOST_HEIGHT_SHARE)
    return np.asarray(is_part.any(axis=1))


def _covers(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, n) share of the first box that lies inside the second; 0 for a box and itself."""
    inside = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    inside = np.maximum(inside, 0)
    sides = boxes[:, 2:] - boxes[:, :2]
    result: NDArray[np.float64] = inside[..., 0] * inside[..., 1] / np.maximum(sides[:, 0] * sides[:, 1], 1e-9)[:, None]
    np.fill_diagonal(result, 0)
    return result


@dataclass
class _Waiting:
    """A second box on a body that may turn out to be another person."""

    box: NDArray[np.float64]
    first_seconds: float
    last_seconds: float


class Doubles:
    """Second boxes on the bodies of one source, until they have been there for long enough."""

    def __init__(self, human_class_id: int, least_cover: float, remember_seconds: float) -> None:
        """``remember_seconds``: how long a person who is not seen counts as present."""
        self._human_class_id = human_class_id
        self._least_cover = least_cover
        self._remember_seconds = remember_seconds
        self._known: dict[int, tuple[NDArray[np.float64], float]] = {}
        self._waiting: list[_Waiting] = []

    def remember(self, tracks: Tracks, boxes_xyxy_px: NDArray[np.float64], pts_seconds: float) -> None:
        """Where the humans with an id are."""
        for row in np.flatnonzero((tracks.track_ids >= 0) & (tracks.class_ids == self._human_class_id)).tolist():
            self._known[int(tracks.track_ids[row])] = boxes_xyxy_px[row], pts_seconds
        gone = [
            track for track, (_, seen) in self._known.items() if not 0 <= pts_seconds - seen <= self._remember_seconds
        ]
        for track in gone:
            del self._known[track]

    def singles(self, detections: Detections, pts_seconds: float) -> NDArray[np.bool_]:
        """(N,) False for humans that must wait."""
        result = np.ones(len(detections), np.bool_)
        self._waiting = [w for w in self._waiting if 0 <= pts_seconds - w.last_seconds <= DOUBLE_PAUSE_SECONDS]
        humans = np.flatnonzero(detections.class_ids == self._human_class_id)
        if len(humans) < 2:
            return result
        boxes = detections.boxes_xyxy_px[humans].astype(np.float64)
        inside = _covers(boxes) >= self._least_cover
        if inside.any():
            for place in self._doubles(boxes, detections.scores[humans], inside | inside.T):
                result[humans[place]] = self._has_waited(boxes[place], pts_seconds)
        return result

    def _doubles(self, boxes: NDArray[np.float64], scores: NDArray[np.float32], nested: NDArray[np.bool_]) -> list[int]:
        """Boxes as tall as one with a higher score, one of the two inside the other, where no other person is known."""
        heights = boxes[:, 3] - boxes[:, 1]
        as_tall = heights[:, None] > MOST_HEIGHT_SHARE * heights[None]
        alike = nested & as_tall & as_tall.T
        if not alike.any():
            return []
        free, surer, doubles = [box for box, _ in self._known.values()], list[int](), list[int]()
        for place in np.argsort(-scores, kind="stable").tolist():
            owner = _best(boxes[place], free)
            if owner >= 0:
                del free[owner]
            elif alike[place, surer].any():
                doubles.append(place)
            surer.append(place)
        return doubles

    def _has_waited(self, box: NDArray[np.float64], pts_seconds: float) -> bool:
        place = _best(box, [waiting.box for waiting in self._waiting])
        if place < 0:
            self._waiting.append(_Waiting(box, pts_seconds, pts_seconds))
            return False
        waiting = self._waiting[place]
        waiting.box, waiting.last_seconds = box, pts_seconds
        return pts_seconds - waiting.first_seconds >= DOUBLE_SECONDS


def _best(box: NDArray[np.float64], others: list[NDArray[np.float64]]) -> int:
    """Place of the box in ``others`` that ``box`` continues best; -1: none."""
    if not others:
        return -1
    overlaps = pairwise_iou(box[None], np.stack(others))[0]
    return int(overlaps.argmax()) if overlaps.max() >= SAME_IOU else -1
