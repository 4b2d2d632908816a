"""Seeded inputs of the steps after the network: boxes, scores of a frame, doubled triplets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry.triplet_nms import Triplets
from videohoi.vocabulary import hico_det

WIDTH_PX, HEIGHT_PX = 1920.0, 1080.0
RATE_HZ = 30.0
VERBS = 117


def boxes_of(count: int, seed: int) -> NDArray[np.float32]:
    """(N, 4) boxes of 40 to 400 px anywhere in a 1080p picture."""
    rng = np.random.default_rng(seed)
    sides = rng.uniform(40.0, 400.0, (count, 2))
    corners = rng.random((count, 2)) * (np.array([WIDTH_PX, HEIGHT_PX]) - sides)
    return np.concatenate([corners, corners + sides], axis=1).astype(np.float32)


@dataclass(frozen=True, repr=False)
class PairScores:
    """Scores of every human with every object of a frame."""

    humans: NDArray[np.float32]
    """(N,)"""
    objects: NDArray[np.float32]
    """(M,)"""
    object_classes: NDArray[np.int64]
    """(M,) HICO-DET's"""
    verbs: NDArray[np.float32]
    """(N, M, 117)"""

    @property
    def parts(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
        """In the order ``TripletRanker.rank`` takes them."""
        return self.humans, self.objects, self.object_classes, self.verbs


def pair_scores(humans: int, objects: int, seed: int = 0) -> PairScores:
    """Uniform scores: the hardest case, as every pair has verbs near 1."""
    rng = np.random.default_rng(seed)
    return PairScores(
        rng.random(humans, dtype=np.float32),
        rng.random(objects, dtype=np.float32),
        rng.integers(0, len(hico_det().objects), objects),
        rng.random((humans, objects, VERBS), dtype=np.float32),
    )


def doubled_triplets(count: int, seed: int = 0) -> Triplets:
    """Triplets as a network of queries gives them: each thing found by several queries, each with its own boxes."""
    rng = np.random.default_rng(seed)
    things, queries = 12, 64
    places, kinds = boxes_of(2 * things, seed).astype(np.float64), rng.integers(1, 80, things)
    which = rng.integers(0, things, queries)
    boxes = np.concatenate([places[which], places[which + things]]) + rng.normal(0, 6, (2 * queries, 4))
    rows = rng.integers(0, queries, count)
    scores = np.sort((rng.permutation(count) + 1) / (count + 1))[::-1]  # all different: ties have no order of their own
    classes = np.concatenate([np.zeros(queries, np.int64), kinds[which]])
    return Triplets(boxes, classes, rows, rows + queries, rng.integers(0, 8, count), scores.copy())
