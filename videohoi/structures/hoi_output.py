"""What a human-object interaction model gives back: the boundary of compilation, fixed sizes only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

ArrayT = TypeVar("ArrayT")
"""torch.Tensor inside models, numpy arrays from ONNX and OpenVINO engines"""


@dataclass(frozen=True)
class HOIOutput(Generic[ArrayT]):
    """Scores of B images with N box rows, P pair rows and V verbs (or K interactions); padded and masked.

    Logits are raw: no sigmoid, no box score, no validity mask. One scoring formula makes scores of them.
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
