"""LSE-Sign, the loss of HTS and DEFR (arXiv 2112.06392; the name from HTS, ICIP 2023).

For a picture with scores s_i and labels y_i of +1 or -1 over all classes:

    L = log(1 + sum_i exp(-y_i s_i)),    dL/ds_i = -y_i exp(-y_i s_i) / (1 + sum_j exp(-y_j s_j))

The gradient is a softmax over the classes' errors and a 0: the worst errors take most of it, whether they are positives
or negatives; a class that is right by a wide margin takes none. This "dynamic gradient re-weighting" lets a class with
few positives learn among hundreds of negatives.
"""

from __future__ import annotations

import torch
from torch import Tensor

from videohoi.errors import UsageError


def lse_sign_loss(logits: Tensor, positive: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean LSE-Sign of N pictures, a scalar.

    Args:
        logits: (N, K) scores of K classes.
        positive: (N, K) bool, True where the class holds.
        weight: (N, K) in [0, 1], how much a label counts (a teacher's certainty; 0 leaves the class out); a factor on
            the class's term of the sum. None: 1 everywhere, the published loss.

    Raises:
        UsageError: shapes that differ, or labels that are not bool: +1/-1 or probabilities would be misread.
    """
    if logits.shape != positive.shape or logits.ndim != 2 or (weight is not None and weight.shape != logits.shape):
        raise UsageError(
            f"LSE-Sign: expected (N, K) logits, labels and weights, got {tuple(logits.shape)}, {tuple(positive.shape)}"
            + ("" if weight is None else f" and {tuple(weight.shape)}")
        )
    if positive.dtype != torch.bool:
        raise UsageError(f"LSE-Sign: expected bool labels, True where a class holds, got {positive.dtype}")
    errors = torch.where(positive, -logits, logits)
    if weight is not None:
        errors = errors + weight.clamp_min(torch.finfo(weight.dtype).tiny).log()
    return torch.logsumexp(torch.cat((torch.zeros_like(errors[:, :1]), errors), dim=1), dim=1).mean()
