"""The rows of a frame a tracker can work with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.structures import Detections


@dataclass(frozen=True)
class Rows:
    """R usable rows of a frame, parallel arrays, in an order that depends on their content alone (best score first)."""

    sources: NDArray[np.int64]
    """(R,) rows of the ``Detections`` they come from"""
    boxes: NDArray[np.float64]
    """(R, 4) corners px, finite, with area"""
    scores: NDArray[np.float64]
    """(R,)"""
    class_ids: NDArray[np.int64]
    """(R,)"""
    humans: NDArray[np.bool_]
    """(R,)"""

    def __len__(self) -> int:
        return len(self.scores)

    def select(self, rows: NDArray[np.int64]) -> Rows:
        """The given rows."""
        return Rows(self.sources[rows], self.boxes[rows], self.scores[rows], self.class_ids[rows], self.humans[rows])


def usable_rows(detections: Detections, low_score: float, human_class_id: int) -> Rows:
    """The rows with a finite box of some area and a score of at least ``low_score``."""
    boxes, scores, class_ids = detections.boxes_xyxy_px, detections.scores, detections.class_ids
    solid = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]) & np.isfinite(boxes).all(axis=1)
    usable = np.flatnonzero(solid & (scores >= low_score) & np.isfinite(scores))
    order = np.lexsort((*boxes[usable].T, class_ids[usable], -scores[usable]))
    sources = usable[order]
    return Rows(
        sources,
        boxes[sources].astype(np.float64),
        scores[sources].astype(np.float64),
        class_ids[sources],
        class_ids[sources] == human_class_id,
    )
