"""Verb scores of pairs: per frame, and per pair of tracks over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.structures.checks import require_shape
from videohoi.structures.pairs import HumanObjectPairs


@dataclass(frozen=True, repr=False)
class Interactions:
    """One frame's pairs with their verb scores (before smoothing)."""

    pairs: HumanObjectPairs
    verb_scores: NDArray[np.float32]
    """(P, V) in [0, 1]; 0 where the (verb, object) pair is not valid"""
    rescore: Callable[[NDArray[np.int64]], Interactions] | None = None
    """the same model's scores under other classes (N,) of the frame's detections, as tracks vote for them; only between
    a method that finds its own boxes and the tracker"""

    def __post_init__(self) -> None:
        require_shape("Interactions", "verb_scores", self.verb_scores, (len(self.pairs), None))

    def __len__(self) -> int:
        return len(self.pairs)

    def __repr__(self) -> str:
        return f"Interactions(verb_scores.shape={self.verb_scores.shape}, truncated={self.pairs.truncated})"


@dataclass(frozen=True, repr=False)
class TrackedInteractions:
    """P pairs of tracks at one time, smoothed. An unobserved pair has a memory but no invented box."""

    human_ids: NDArray[np.int64]
    """(P,) track ids"""
    object_ids: NDArray[np.int64]
    """(P,) track ids"""
    object_class_ids: NDArray[np.int64]
    """(P,) rows of Vocabulary.objects, the object track's voted class"""
    verb_scores: NDArray[np.float32]
    """(P, V) smoothed, in [0, 1]"""
    observed: NDArray[np.bool_]
    """(P,) both boxes were seen in this frame"""
    active: NDArray[np.bool_]
    """(P, V) the verb is on: past its hysteresis, in a segment that is or will be reported"""
    age_seconds: NDArray[np.float32]
    """(P,) since the pair was first seen"""

    def __post_init__(self) -> None:
        count = len(self.human_ids)
        for name in ("human_ids", "object_ids", "object_class_ids", "observed", "age_seconds"):
            require_shape("TrackedInteractions", name, getattr(self, name), (count,))
        require_shape("TrackedInteractions", "verb_scores", self.verb_scores, (count, None))
        require_shape("TrackedInteractions", "active", self.active, self.verb_scores.shape)

    def __len__(self) -> int:
        return len(self.human_ids)

    def __repr__(self) -> str:
        return f"TrackedInteractions(pairs={len(self)}, active={int(self.active.sum())})"

    @staticmethod
    def empty(verb_count: int) -> TrackedInteractions:
        """No pair."""
        ids = np.zeros(0, np.int64)
        return TrackedInteractions(
            ids, ids, ids, np.zeros((0, verb_count), np.float32), np.zeros(0, np.bool_),
            np.zeros((0, verb_count), np.bool_), np.zeros(0, np.float32),
        )  # fmt: skip
