"""Boxes of queries: the head that predicts them, the two ways to write them, and pairs of them as an output.

A box is centre and size (DETR, arXiv 2005.12872, section 3.2) or two corners, in any unit.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from videohoi.structures.interactions import HOIOutput


class MLP(nn.Sequential):
    """Linear layers with ReLU between them; DETR's box head is ``MLP(256, 256, 4, depth=3)`` (section A.4).

    Args:
        width_in: size of the last axis of the input.
        hidden: width of the layers between.
        width_out: size of the last axis of the output.
        depth: number of linear layers, at least 1.
    """

    def __init__(self, width_in: int, hidden: int, width_out: int, *, depth: int = 3) -> None:
        widths = [width_in, *[hidden] * (depth - 1), width_out]
        layers: list[nn.Module] = []
        for narrow, wide in pairwise(widths):
            layers += [nn.Linear(narrow, wide), nn.ReLU()]
        super().__init__(*layers[:-1])


class BoxHead(nn.Module):
    """Boxes (..., 4) cxcywh in fractions of the picture from tokens (..., D)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp = MLP(width, width, 4, depth=3)

    def forward(self, tokens: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.mlp(tokens).sigmoid()
        return out


def mlp_keys(published: str, ours: str, *, depth: int = 3) -> tuple[tuple[str, str], ...]:
    """Key map rows from DETR's ``MLP`` (``layers.0``, ``layers.1``, ...) called ``published`` (a regex) to an MLP."""
    return tuple((rf"{published}\.layers\.{layer}\.", f"{ours}.{2 * layer}.") for layer in range(depth))


def corners(boxes_cxcywh: Tensor) -> Tensor:
    """(..., 4) centre x, centre y, width, height to (..., 4) left, top, right, bottom."""
    centre, half = boxes_cxcywh[..., :2], boxes_cxcywh[..., 2:] / 2
    return torch.cat((centre - half, centre + half), dim=-1)


def corners_px(boxes_cxcywh: Tensor, picture_sizes_px: Tensor) -> Tensor:
    """(B, N, 4) corners in pixels from boxes (B, N, 4) in fractions and sizes (B, 2) width, height."""
    return corners(boxes_cxcywh) * picture_sizes_px.repeat(1, 2)[:, None]


def centre_and_size(boxes_xyxy: Tensor) -> Tensor:
    """(..., 4) corners to (..., 4) centre x, centre y, width, height."""
    low, high = boxes_xyxy[..., :2], boxes_xyxy[..., 2:]
    return torch.cat(((low + high) / 2, high - low), dim=-1)


def paired_output(
    human_boxes: Tensor, object_boxes: Tensor, logits: Tensor, object_logits: Tensor, features: Tensor
) -> HOIOutput[Tensor]:
    """The output of Q queries, none masked.

    Args:
        human_boxes: (B, Q, 4) cxcywh in fractions of the picture.
        object_boxes: (B, Q, 4) the same of the objects.
        logits: (B, Q, V) verbs or (B, Q, K) interactions.
        object_logits: (B, Q, O + 1), last = nothing.
        features: (B, Q, D) the embeddings that the verbs were classified from.
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
