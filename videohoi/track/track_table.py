"""Rows of a frame that a tracker can use, and the state of all tracks of a source: parallel arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from videohoi.structures import Detections
from videohoi.track.kalman import MotionModel, first_motion
from videohoi.track.memory import CLASS_SLOTS


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


@dataclass
class TrackTable:
    """T tracks, oldest first. All arrays have T rows; only ``keep`` and ``extend`` change T."""

    ids: NDArray[np.int64]
    """-1 until confirmed"""
    motion: NDArray[np.float64]
    """see ``kalman``"""
    last_boxes: NDArray[np.float64]
    """(T, 4) corners px where last seen"""
    humans: NDArray[np.bool_]
    """a human; never changes"""
    born_seconds: NDArray[np.float64]
    seen_seconds: NDArray[np.float64]
    """the tracker's clock when last seen"""
    hits: NDArray[np.int64]
    """rows so far"""
    classes: NDArray[np.int64]
    """voted class first; see ``memory.vote``"""
    votes: NDArray[np.float64]
    carrier_ids: NDArray[np.int64]
    """id of the human an object was last seen at; -1 none"""
    carrier_offsets: NDArray[np.float64]
    """(T, 2) px from that human's centre to the object's"""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def confirmed(self) -> NDArray[np.bool_]:
        """(T,) has an id."""
        return self.ids >= 0

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Forget the tracks outside ``mask`` (T,)."""
        if not mask.all():
            for column in fields(self):
                setattr(self, column.name, getattr(self, column.name)[mask])

    def extend(self, new: TrackTable) -> None:
        """Append the tracks of ``new``."""
        for column in fields(self):
            setattr(self, column.name, np.concatenate([getattr(self, column.name), getattr(new, column.name)]))


def seen_once(rows: Rows, now_seconds: float, model: MotionModel) -> TrackTable:
    """A table of unconfirmed tracks, one for each of ``rows``, first seen now."""
    count = len(rows)
    classes = np.full((count, CLASS_SLOTS), -1, np.int64)
    votes = np.zeros((count, CLASS_SLOTS))
    classes[:, 0], votes[:, 0] = rows.class_ids, rows.scores
    return TrackTable(
        ids=np.full(count, -1, np.int64),
        motion=first_motion(rows.boxes, rows.humans, model),
        last_boxes=rows.boxes,
        humans=rows.humans,
        born_seconds=np.full(count, now_seconds),
        seen_seconds=np.full(count, now_seconds),
        hits=np.ones(count, np.int64),
        classes=classes,
        votes=votes,
        carrier_ids=np.full(count, -1, np.int64),
        carrier_offsets=np.zeros((count, 2)),
    )


def empty_table(model: MotionModel) -> TrackTable:
    """No track."""
    return seen_once(usable_rows(Detections.empty(), 0.0, 0), 0.0, model)
