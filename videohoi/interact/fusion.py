"""The one scoring formula: from verb logits and box scores to the score of a (human, verb, object) triplet.

    score = sigmoid(logit) * (human score * object score) ** lambda,  0 where the verb does not go with the object

This is UPT's fusion (arXiv 2112.01838), shared by PViC, CMMP and LAIN. ``lambda`` says how much doubt about the boxes
weighs against doubt about the verb.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.vocabulary import Vocabulary

STREAMING_LAMBDA = 0.5
"""Geometric mean of the two box scores: keeps the score near a probability, so that thresholds over time make sense."""
_LARGEST_LOGIT = 80.0
"""keeps exp finite in float32; sigmoid(-80) is 2e-35"""


def allowed_verbs(vocabulary: Vocabulary, object_class_ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(P, V) verbs that go with each pair's object class, without "no interaction"."""
    return np.asarray(vocabulary.valid[object_class_ids] & vocabulary.acting_verbs)


def probability(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sigmoid of logits of any shape."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -_LARGEST_LOGIT, _LARGEST_LOGIT))), np.float32)


def certainty(box_scores: NDArray[np.float32], box_lambda: float) -> NDArray[np.float32]:
    """(P, 1) weight of the boxes from the products (P,) of their scores."""
    return np.asarray(box_scores ** np.float32(box_lambda), np.float32)[:, None]


def fuse(
    verb_logits: NDArray[np.float32],
    human_scores: NDArray[np.float32],
    object_scores: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    box_lambda: float,
) -> NDArray[np.float32]:
    """(P, V) triplet scores in [0, 1] from logits (P, V), box scores (P,), (P,) and the mask (P, V)."""
    scores = probability(verb_logits) * certainty(human_scores * object_scores, box_lambda)
    return np.asarray(np.where(allowed, scores, 0), np.float32)
