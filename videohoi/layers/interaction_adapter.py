"""LAIN's interaction adapter (arXiv 2505.19503): a pair's token reads what human and object show of each other.

Public code: OreoChocolate/LAIN (MIT), second half of models/adapters.py. Pooling is linear, so patches are narrowed
before it instead of after: the same numbers for a twenty-fourth of the work.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from videohoi.layers.attention import Attention
from videohoi.layers.roi_align import RoiWeights, pool
from videohoi.layers.transformer import FeedForward, TransformerConfig


class CrossReading(nn.Module):
    """A decoder layer without self-attention: cross-attention and feed-forward, post-norm."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.attention = Attention(config.width, config.heads, dropout=config.dropout)
        self.norm = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.feedforward = FeedForward(config)

    def forward(self, queries: Tensor, memory: Tensor) -> Tensor:
        """(S, Q, D) from queries (S, Q, D) and memory (S, L, D)."""
        queries = self.norm(queries + self.dropout(self.attention(queries, memory, memory)))
        out: Tensor = self.feedforward(queries)
        return out


class InteractionAdapter(nn.Module):
    """Regions are summed up in a few contexts, contexts of two boxes attend to each other, the pair's token reads them.

    Args:
        width: W, of tokens and patches.
        narrow: D.
        heads: of every attention.
        queries: Q, contexts of a region.
        dropout: in training.
    """

    def __init__(self, width: int, narrow: int, heads: int = 2, queries: int = 10, dropout: float = 0.1) -> None:
        super().__init__()
        config = TransformerConfig(narrow, heads, 2 * narrow, dropout)
        self.token_down = nn.Linear(width, narrow)
        self.region_down = nn.Linear(width, narrow)
        self.region_norm = nn.LayerNorm(narrow)
        self.queries = nn.Parameter(torch.randn(queries, narrow))
        self.context = CrossReading(config)
        self.mutual = CrossReading(config)
        self.reading = CrossReading(config)
        self.up = nn.Linear(2 * narrow, width)
        self.scale = nn.Parameter(torch.full((width,), 1e-9))  # gamma: CLIP is left as it is at the start

    def contexts(self, patches: Tensor, regions: RoiWeights) -> Tensor:
        """(B, R, Q, D) of R regions, from patches (B, T, W) and what each region takes from them."""
        height, width = regions.rows.shape[-1], regions.columns.shape[-1]
        narrow = functional.linear(patches, self.region_down.weight).reshape(len(patches), height, width, -1)
        seen = self.region_norm(pool(narrow, regions) + self.region_down.bias)
        batch, count = seen.shape[:2]
        memory = seen.flatten(0, 1).flatten(1, 2)
        out: Tensor = self.context(self.queries.expand(len(memory), -1, -1), memory)
        return out.reshape(batch, count, *out.shape[1:])

    def forward(self, tokens: Tensor, human: Tensor, other: Tensor) -> Tensor:
        """(B, P, W): what to add to tokens (B, P, W), given the contexts (B, P, Q, D) of the pair's two boxes."""
        batch, count = tokens.shape[:2]
        asking, answering = torch.stack((human, other)).flatten(0, 2), torch.stack((other, human)).flatten(0, 2)
        patterns = self.mutual(asking, answering)
        narrow = functional.leaky_relu(self.token_down(tokens)).flatten(0, 1)[None, :, None]
        read = self.reading(narrow.expand(2, -1, -1, -1).flatten(0, 1), patterns)
        human_read, other_read = read[:, 0].unflatten(0, (2, batch, count)).unbind(0)
        change: Tensor = self.up(torch.cat((human_read, other_read), dim=-1)) * self.scale
        return change
