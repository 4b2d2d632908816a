"""Padded detections of all kinds for the heads that take a detector's boxes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from videohoi.layers.padded_pairs import PaddedDetections

PERSON = 0
KINDS = {
    "crowd": (0, 0, 0, 5, 17, 79),
    "one human": (0, 3, 3, 40),
    "one pair": (0, 56),
    "two humans, no object": (0, 0),
    "one human, no object": (0,),
    "no human": (7, 8, 9),
    "nothing": (),
}
"""class ids of a picture's detections, humans first"""


def detections(pictures: Sequence[tuple[int, ...]], *, rows: int, width: int, seed: int = 0) -> PaddedDetections:
    """Random boxes, scores and features of the given classes; the padding holds NaN and wild class ids."""
    generator = torch.Generator().manual_seed(seed)
    batch = len(pictures)
    centre = 0.15 + 0.7 * torch.rand(batch, rows, 2, generator=generator)
    side = 0.1 + 0.4 * torch.rand(batch, rows, 2, generator=generator)
    scores = 0.2 + 0.79 * torch.rand(batch, rows, generator=generator)
    features = torch.randn(batch, rows, width, generator=generator)
    class_ids = torch.full((batch, rows), 12345)
    mask = torch.zeros(batch, rows, dtype=torch.bool)
    for picture, classes in enumerate(pictures):
        class_ids[picture, : len(classes)] = torch.tensor(classes, dtype=torch.long)
        mask[picture, : len(classes)] = True
    boxes = torch.cat((centre, side), dim=-1).masked_fill(~mask[..., None], float("nan"))
    return PaddedDetections(
        boxes,
        scores.masked_fill(~mask, float("nan")),
        class_ids,
        mask,
        features.masked_fill(~mask[..., None], float("nan")),
    )


def randomised(model: nn.Module, seed: int = 0, deviation: float = 0.1) -> nn.Module:
    """``model`` in eval mode with every vector and scalar random too, so that no branch stays at its tiny start."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() < 2:
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.copy_(parameter + deviation * noise)
    return model.eval()


def count_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
