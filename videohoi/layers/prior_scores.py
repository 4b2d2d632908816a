"""The weight of the box scores in UPT's score of an interaction (arXiv 2112.01838, section 3.4), as a table look-up."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

TRAINING_POWER = 1.0
INFERENCE_POWER = 2.8
"""lambda of UPT and LAIN: exponent of the box scores in training and for ranking"""


def compute_prior_scores(
    human_scores: Tensor, object_scores: Tensor, object_class_ids: Tensor, valid: Tensor, *, power: float
) -> Tensor:
    """(..., P, V): (human score * object score) ** power where the verb goes with the object's class, else 0.

    Equals the product of the two tensors that ``compute_prior_scores`` of the public code fills pair by pair.

    Shapes: ``human_scores``, ``object_scores`` (..., P) float, ``object_class_ids`` (..., P) int64, ``valid`` (O, V) of
    the scores' dtype, 1 where the verb goes with the class (rows of unseen interactions are 0 in zero-shot training).
    """
    box = (human_scores * object_scores).pow(power)
    return functional.embedding(object_class_ids, valid) * box.unsqueeze(-1)
