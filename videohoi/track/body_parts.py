"""A box of a part of a body inside the box of the whole body is no second person.

Detectors give the upper half of a body, or its legs, a box of its own. Such a part is a slice of the whole: it lies
inside, is nearly as wide, ends at the same top or the same bottom, is clearly less tall, and the detector is less sure
of it. Two people look different. A child in somebody's arms or before their legs is narrower. People who embrace stick
out of each other's boxes or are equally tall. Somebody who sits before another hides them, and is the surer one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.structures import Detections

LEAST_WIDTH_SHARE = 0.7
"""of the whole; a child carried by an adult, or a head alone, is narrower"""
MOST_HEIGHT_SHARE = 0.85
"""of the whole; a box more like it is another person, as suppression leaves no two boxes of one body that like"""
EDGE_SHARE = 0.1
"""of the whole's height, by which the tops or bottoms may differ"""


def whole_bodies(detections: Detections, human_class_id: int, least_cover: float) -> NDArray[np.bool_]:
    """(N,) False for humans that are a part of another one's body, of which ``least_cover`` lies inside the other."""
    result = np.ones(len(detections), np.bool_)
    humans = np.flatnonzero(detections.class_ids == human_class_id)
    if len(humans) < 2:
        return result
    boxes = detections.boxes_xyxy_px[humans].astype(np.float64)
    sides = boxes[:, 2:] - boxes[:, :2]
    inside = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    cover = np.maximum(inside, 0).prod(axis=2) / np.maximum(sides.prod(axis=1), 1e-9)[:, None]  # (part, whole)
    shares = sides[:, None] / np.maximum(sides[None], 1e-9)
    ends = np.abs(boxes[:, None, [1, 3]] - boxes[None, :, [1, 3]]).min(axis=2) <= EDGE_SHARE * sides[None, :, 1]
    scores = detections.scores[humans]
    is_part = (cover >= least_cover) & ends & (scores[:, None] < scores[None])
    is_part &= (shares[..., 0] >= LEAST_WIDTH_SHARE) & (shares[..., 1] <= MOST_HEIGHT_SHARE)
    result[humans[is_part.any(axis=1)]] = False
    return result
