"""Which humans and objects of a frame are scored together."""

from __future__ import annotations

import numpy as np

from videohoi.errors import UsageError
from videohoi.structures import Detections, HumanObjectPairs

PAIR_LIMIT = 64
"""Most pairs scored in a frame (EoID and GEN-VLKT decode 64 queries; here it bounds the time of a crowded frame)."""


def build_pairs(
    detections: Detections, person_id: int, *, human_score: float, object_score: float, limit: int = PAIR_LIMIT
) -> HumanObjectPairs:
    """Every human with every other detection, best score product first; at most ``limit``, the rest is counted.

    Humans need ``human_score``. Other detections need ``object_score``; a human as the object of another needs
    ``human_score`` too. Equal products keep the order of the rows.

    Raises:
        UsageError: ``limit`` is below 1.
    """
    if limit < 1:
        raise UsageError(f"limit of pairs is {limit}; expected 1 or more")
    is_human = detections.class_ids == person_id
    usable = detections.scores >= np.where(is_human, human_score, object_score)
    humans, objects = np.nonzero(is_human & usable)[0], np.nonzero(usable)[0]
    human_rows = np.repeat(humans, len(objects))
    object_rows = np.tile(objects, len(humans))
    apart = human_rows != object_rows
    human_rows, object_rows = human_rows[apart], object_rows[apart]
    product = detections.scores[human_rows] * detections.scores[object_rows]
    best = np.argsort(-product, kind="stable")[:limit]
    return HumanObjectPairs(human_rows[best], object_rows[best], truncated=max(0, len(product) - limit))
