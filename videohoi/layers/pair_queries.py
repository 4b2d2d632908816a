"""One-stage methods answer with Q human-object pairs: two boxes each, row q and row Q + q of the output's boxes."""

from __future__ import annotations

import torch
from torch import Tensor

from videohoi.structures.hoi_output import HOIOutput


def paired_output(
    human_boxes: Tensor, object_boxes: Tensor, logits: Tensor, object_logits: Tensor, features: Tensor
) -> HOIOutput[Tensor]:
    """The output of Q queries, none masked.

    Args:
        human_boxes: (B, Q, 4) cxcywh in fractions of the picture.
        object_boxes: (B, Q, 4) the same of the objects.
        logits: (B, Q, V) verbs or (B, Q, K) interactions.
        object_logits: (B, Q, O + 1), last = nothing.
        features: (B, Q, D) what the verbs were read from.
    """
    batch, queries = logits.shape[:2]
    human = torch.arange(queries, device=logits.device)
    rows = torch.stack((human, human + queries), dim=1).expand(batch, -1, -1).contiguous()
    return HOIOutput(
        boxes_cxcywh=torch.cat((human_boxes, object_boxes), dim=1),
        pair_rows=rows,
        pair_mask=torch.ones((batch, queries), dtype=torch.bool, device=logits.device),
        logits=logits,
        object_logits=object_logits,
        features=features,
    )
