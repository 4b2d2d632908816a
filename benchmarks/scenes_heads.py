"""Seeded detections for heads that take a detector's boxes; plain numpy, so that no torch is needed to import this."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.vocabulary import hico_det


@dataclass(frozen=True, repr=False)
class Boxes:
    """N detections of one picture, humans first."""

    boxes_cxcywh: NDArray[np.float32]
    """(1, N, 4) in fractions of the picture"""
    scores: NDArray[np.float32]
    """(1, N)"""
    class_ids: NDArray[np.int64]
    """(1, N)"""
    features: NDArray[np.float32]
    """(1, N, D)"""

    @property
    def pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of every human with every other detection."""
        rows = np.arange(self.class_ids.shape[1])
        human = self.class_ids[0] == hico_det().person_id
        humans, others = np.nonzero(human[:, None] & (rows[:, None] != rows))
        return humans, others


def boxes_of(humans: int, objects: int, width: int, seed: int = 0) -> Boxes:
    """``humans`` people and ``objects`` things of any class, inside the picture, with features of ``width`` numbers."""
    rng = np.random.default_rng(seed)
    count, kinds = humans + objects, hico_det()
    side = rng.uniform(0.1, 0.4, (1, count, 2))
    centre = side / 2 + rng.random((1, count, 2)) * (1 - side)
    things = [row for row in range(len(kinds.objects)) if row != kinds.person_id]
    classes = np.concatenate((np.full(humans, kinds.person_id), rng.choice(things, objects)))
    return Boxes(
        np.concatenate((centre, side), axis=-1).astype(np.float32),
        rng.uniform(0.2, 1.0, (1, count)).astype(np.float32),
        classes[None].astype(np.int64),
        rng.standard_normal((1, count, width)).astype(np.float32),
    )
