"""Pairs of humans and objects and their verb scores: of a model, of a frame, and of tracks over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from videohoi.structures.checks import require_dtype, require_shape, short


@dataclass(frozen=True, repr=False)
class HumanObjectPairs:
    """P candidate pairs of one frame."""

    human_rows: NDArray[np.int64]
    """(P,) detection rows of the humans"""
    object_rows: NDArray[np.int64]
    """(P,) detection rows of the objects (another human counts as an object)"""
    truncated: int = 0
    """pairs that the cap cut; always reported"""

    def __post_init__(self) -> None:
        require_shape("HumanObjectPairs", "human_rows", self.human_rows, (None,))
        require_shape("HumanObjectPairs", "object_rows", self.object_rows, (len(self.human_rows),))
        require_dtype("HumanObjectPairs", "human_rows", self.human_rows, np.int64)
        require_dtype("HumanObjectPairs", "object_rows", self.object_rows, np.int64)

    def __len__(self) -> int:
        return len(self.human_rows)

    def __repr__(self) -> str:
        rows = f"human_rows={short(self.human_rows)}, object_rows={short(self.object_rows)}"
        return f"HumanObjectPairs(n={len(self)}, {rows}, truncated={self.truncated})"


@dataclass(frozen=True, repr=False)
class Interactions:
    """One frame's pairs with their verb scores, before smoothing."""

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


ArrayT = TypeVar("ArrayT")
"""torch.Tensor inside models, numpy arrays from ONNX and OpenVINO engines"""


@dataclass(frozen=True)
class HOIOutput(Generic[ArrayT]):
    """Scores of B images with N box rows, P pair rows and V verbs (or K interactions); padded and masked.

    Logits are raw: no sigmoid, no box score, no validity mask. ``interact.scoring`` turns them into scores.
    """

    boxes_cxcywh: ArrayT
    """(B, N, 4) centre and size, in fractions of the picture's width and height"""
    pair_rows: ArrayT
    """(B, P, 2) int64 rows of ``boxes_cxcywh``: human, object; 0 where masked"""
    pair_mask: ArrayT
    """(B, P) bool, True where there is a pair"""
    logits: ArrayT
    """(B, P, V) verb logits or (B, P, K) interaction logits; the head's ``classes`` says which"""
    object_logits: ArrayT | None = None
    """(B, P, O + 1) object class logits of one-stage methods, last = nothing; None where a detector named the boxes"""
    scores: ArrayT | None = None
    """(B, N) box scores of the detector; None for one-stage methods"""
    class_ids: ArrayT | None = None
    """(B, N) int64 object classes of the boxes; None for one-stage methods"""
    truncated: ArrayT | None = None
    """(B,) int64 pairs that the cap cut; None where the number of pairs is fixed by the queries"""
    features: ArrayT | None = None
    """(B, P, D) pair embedding before the classifier, for losses and open vocabularies; None where not asked for"""
