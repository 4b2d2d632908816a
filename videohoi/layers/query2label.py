"""One learned query per verb that reads the picture (Query2Label, arXiv 2107.10834), as in KI2HOI's section III-C."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from videohoi.layers.transformer import Decoder, FeedForward, TransformerConfig


class GroupWiseLinear(nn.Module):
    """Weights of a linear classifier for each of V queries of D numbers (Query2Label); loaded, not run.

    A loss of the published training reads it.
    """

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(width)
        self.weight = nn.Parameter(torch.empty(1, classes, width).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(1, classes).uniform_(-bound, bound))


class VerbExtractionDecoder(nn.Module):
    """V verb queries attend to each other and to the encoder's memory (KI2HOI, section III-C; Query2Label).

    Args:
        verbs: V.
        memory_width: D of memory and positions.
        config: sizes of the decoder, W = ``config.width``.
        depth: decoder layers; the paper's table VI is best with 1.
    """

    def __init__(self, verbs: int, memory_width: int, config: TransformerConfig, depth: int = 1) -> None:
        super().__init__()
        self.memory_projection = nn.Conv2d(memory_width, config.width, 1)
        self.position_projection = nn.Conv2d(memory_width, config.width, 1)
        self.target = nn.Parameter(torch.randn(verbs, config.width))
        self.query_position = nn.Parameter(torch.randn(verbs, config.width))
        self.decoder = Decoder(config, depth)
        self.class_feedforward = FeedForward(config)
        self.class_weights = GroupWiseLinear(verbs, config.width)

    def forward(self, memory: Tensor, position: Tensor, padding_mask: Tensor | None = None) -> Tensor:
        """Verb features (B, V, W) from memory and position (B, L, D) and padding (B, L) bool, True where padding."""
        batch = memory.shape[0]
        outputs: Tensor = self.decoder(
            self.query_position.expand(batch, -1, -1),
            _per_token(self.memory_projection, memory),
            _per_token(self.position_projection, position),
            padding_mask,
            self.target.expand(batch, -1, -1),
        )
        return outputs[-1]


def _per_token(convolution: nn.Conv2d, tokens: Tensor) -> Tensor:
    """A 1x1 convolution, which the published weights are, on tokens (B, L, D)."""
    out: Tensor = convolution(tokens.transpose(1, 2).unsqueeze(-1)).squeeze(-1).transpose(1, 2)
    return out
