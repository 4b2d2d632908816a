"""Multi-head attention, batch first, on PyTorch's fused kernel."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """``softmax(q k' / sqrt(d)) v`` in ``heads`` heads ("Attention is all you need", equation 1).

    The three projections share one matrix, so that the weights of ``nn.MultiheadAttention`` load by renaming:
    ``attention_keys`` has the table.

    Args:
        width: D of query, key, value and output, a multiple of ``heads``.
        heads: number of heads.
        dropout: share of attention weights dropped in training.
    """

    def __init__(self, width: int, heads: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.projection_weight = nn.Parameter(torch.empty(3 * width, width))
        self.projection_bias = nn.Parameter(torch.zeros(3 * width))
        self.output = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.projection_weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, Q, D) from query (B, Q, D), key and value (B, L, D).

        ``mask``: None, or what ``padding_to_attention`` gives, or any bool tensor that broadcasts to
        (B, heads, Q, L), True where a query may look. A query that may look nowhere gives NaN.
        """
        weights, biases = self.projection_weight.chunk(3), self.projection_bias.chunk(3)
        q, k, v = (
            self._split(functional.linear(tokens, weight, bias))
            for tokens, weight, bias in zip((query, key, value), weights, biases, strict=True)
        )
        dropout = self.dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout)
        out: Tensor = self.output(mixed.transpose(1, 2).flatten(2))
        return out

    def _split(self, tokens: Tensor) -> Tensor:
        """(B, L, D) to (B, heads, L, D / heads)."""
        batch, length, width = tokens.shape
        return tokens.reshape(batch, length, self.heads, width // self.heads).transpose(1, 2)


def padding_to_attention(padding_mask: Tensor) -> Tensor:
    """(B, 1, 1, L) attention mask from a padding mask (B, L), True where padding: nobody looks at padding."""
    return ~padding_mask[:, None, None, :]


def attention_keys(published: str, ours: str) -> tuple[tuple[str, str], ...]:
    """Key map rows from an ``nn.MultiheadAttention`` called ``published`` (a regex) to an ``Attention`` ``ours``."""
    return (
        (rf"{published}\.in_proj_", f"{ours}.projection_"),
        (rf"{published}\.out_proj\.", f"{ours}.output."),
    )
