"""DETR's encoder and decoder (arXiv 2005.12872, section A.3) with attention and positions; post-norm, batch first.

Positions are added to queries and keys at every attention; the decoder gives the output of every layer through one
shared final norm. The decoder's query position may differ from layer to layer, as GEN-VLKT's interaction decoder needs
(arXiv 2203.13954, section 3.2). ``encoder_keys`` and ``decoder_keys`` rename the weights of facebookresearch/detr and
of the code that descends from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from videohoi.errors import UsageError


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
        (B, heads, Q, L), True where a query may attend. A query that may attend to nothing gives NaN.
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
    """(B, 1, 1, L) attention mask from a padding mask (B, L), True where padding, which is not attended to."""
    return ~padding_mask[:, None, None, :]


def attention_keys(published: str, ours: str) -> tuple[tuple[str, str], ...]:
    """Key map rows from an ``nn.MultiheadAttention`` called ``published`` (a regex) to an ``Attention`` ``ours``."""
    return (
        (rf"{published}\.in_proj_", f"{ours}.projection_"),
        (rf"{published}\.out_proj\.", f"{ours}.output."),
    )


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes of one encoder or decoder; defaults are DETR's."""

    width: int = 256
    heads: int = 8
    feedforward: int = 2048
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if min(self.width, self.heads, self.feedforward) < 1 or self.width % self.heads:
            raise UsageError(
                f"transformer of width {self.width} with {self.heads} heads and feedforward {self.feedforward}: "
                "expected numbers of 1 or more, and a width that the heads divide"
            )


class FeedForward(nn.Module):
    """Linear, ReLU, linear with the residual and its norm: tokens (B, L, D) to the same shape."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.expand = nn.Linear(config.width, config.feedforward)
        self.contract = nn.Linear(config.feedforward, config.width)
        self.norm = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """See the class."""
        change = self.contract(self.dropout(self.expand(tokens).relu()))
        out: Tensor = self.norm(tokens + self.dropout(change))
        return out


class EncoderLayer(nn.Module):
    """Self-attention over image tokens, then feed-forward."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.attention = Attention(config.width, config.heads, dropout=config.dropout)
        self.norm = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.feedforward = FeedForward(config)

    def forward(self, tokens: Tensor, position: Tensor, mask: Tensor | None) -> Tensor:
        """Tokens and position (B, L, D), attention mask (B, 1, 1, L) -> (B, L, D)."""
        placed = tokens + position
        tokens = self.norm(tokens + self.dropout(self.attention(placed, placed, tokens, mask)))
        out: Tensor = self.feedforward(tokens)
        return out


class Encoder(nn.Module):
    """``depth`` encoder layers without a final norm."""

    def __init__(self, config: TransformerConfig, depth: int = 6) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(depth))
        xavier(self)

    def forward(self, tokens: Tensor, position: Tensor, padding_mask: Tensor | None = None) -> Tensor:
        """Tokens (B, L, D), position (B, L, D), padding (B, L) bool -> memory (B, L, D)."""
        mask = None if padding_mask is None else padding_to_attention(padding_mask)
        for layer in self.layers:
            tokens = layer(tokens, position, mask)
        return tokens


class DecoderLayer(nn.Module):
    """Self-attention over queries, attention to the memory, feed-forward."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.self_attention = Attention(config.width, config.heads, dropout=config.dropout)
        self.self_norm = nn.LayerNorm(config.width)
        self.cross_attention = Attention(config.width, config.heads, dropout=config.dropout)
        self.cross_norm = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.feedforward = FeedForward(config)

    def forward(
        self, target: Tensor, query_position: Tensor, memory: Tensor, placed_memory: Tensor, mask: Tensor | None
    ) -> Tensor:
        """Target and its position (B, Q, D); memory without and with position (B, L, D) -> (B, Q, D)."""
        placed = target + query_position
        target = self.self_norm(target + self.dropout(self.self_attention(placed, placed, target)))
        seen = self.cross_attention(target + query_position, placed_memory, memory, mask)
        out: Tensor = self.feedforward(self.cross_norm(target + self.dropout(seen)))
        return out


class Decoder(nn.Module):
    """``depth`` decoder layers, each one's output given through the shared final norm."""

    def __init__(self, config: TransformerConfig, depth: int = 6) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(depth))
        self.norm = nn.LayerNorm(config.width)
        xavier(self)

    def forward(
        self,
        query_position: Tensor,
        memory: Tensor,
        memory_position: Tensor,
        padding_mask: Tensor | None = None,
        target: Tensor | None = None,
    ) -> Tensor:
        """Outputs of all layers.

        Args:
            query_position: (B, Q, D) for every layer, or (depth, B, Q, D) with one for each layer.
            memory: (B, L, D) image tokens.
            memory_position: (B, L, D) added to the keys.
            padding_mask: (B, L) bool, True where the memory is padding.
            target: (B, Q, D) input of the first layer; zeros when None.

        Returns:
            (depth, B, Q, D); the last one is the decoder's answer.
        """
        mask = None if padding_mask is None else padding_to_attention(padding_mask)
        placed_memory = memory + memory_position
        positions = query_position if query_position.dim() == 4 else query_position.expand(len(self.layers), -1, -1, -1)
        state = torch.zeros_like(positions[0]) if target is None else target
        outputs = []
        for layer, position in zip(self.layers, positions.unbind(0), strict=True):
            state = layer(state, position, memory, placed_memory, mask)
            outputs.append(self.norm(state))
        return torch.stack(outputs)


def xavier(module: nn.Module) -> None:
    """Initialise every matrix of ``module`` uniformly after Glorot, as DETR does."""
    for parameter in module.parameters():
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)


def encoder_keys(published: str, ours: str) -> tuple[tuple[str, str], ...]:
    """Key map rows from DETR's encoder called ``published`` (a regex without groups) to an ``Encoder`` ``ours``."""
    theirs, mine = rf"{published}\.layers\.(\d+)", rf"{ours}.layers.\1"
    return (
        *attention_keys(rf"{theirs}\.self_attn", rf"{mine}.attention"),
        *_named(theirs, mine, (("norm1", "norm"), *_feedforward_names("norm2"))),
    )


def decoder_keys(published: str, ours: str) -> tuple[tuple[str, str], ...]:
    """Key map rows from DETR's decoder called ``published`` (a regex without groups) to a ``Decoder`` ``ours``."""
    theirs, mine = rf"{published}\.layers\.(\d+)", rf"{ours}.layers.\1"
    names = (("norm1", "self_norm"), ("norm2", "cross_norm"), *_feedforward_names("norm3"))
    return (
        *attention_keys(rf"{theirs}\.self_attn", rf"{mine}.self_attention"),
        *attention_keys(rf"{theirs}\.multihead_attn", rf"{mine}.cross_attention"),
        *_named(theirs, mine, names),
        *_named(published, ours, (("norm", "norm"),)),
    )


def _feedforward_names(norm: str) -> tuple[tuple[str, str], ...]:
    return ("linear1", "feedforward.expand"), ("linear2", "feedforward.contract"), (norm, "feedforward.norm")


def _named(published: str, ours: str, names: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((rf"{published}\.{theirs}\.", f"{ours}.{mine}.") for theirs, mine in names)


TEMPERATURE = 10000.0
"""base of the wavelengths ("Attention is all you need", section 3.5)"""
EPSILON = 1e-6
"""keeps rows and columns of padding alone finite (facebookresearch/detr)"""


def sine_position(padding_mask: Tensor, width: int) -> Tensor:
    """Positions counted over the real pixels only and normalised to 2 pi, so that padding does not shift them.

    Args:
        padding_mask: (B, H, W) bool, True where the map is padding.
        width: D, a multiple of 4; the first half encodes y, the second x, sine and cosine interleaved.

    Returns:
        (B, H, W, D) float32.
    """
    real = (~padding_mask).to(torch.float32)
    rows, columns = real.cumsum(1), real.cumsum(2)
    y = rows / (rows[:, -1:, :] + EPSILON) * (2 * math.pi)
    x = columns / (columns[:, :, -1:] + EPSILON) * (2 * math.pi)
    return torch.cat((_waves(y, width // 2), _waves(x, width // 2)), dim=-1)


def _waves(angle: Tensor, width: int) -> Tensor:
    """(..., ) to (..., width): sine at even places, cosine at odd ones, one wavelength for each two places."""
    exponent = torch.arange(0, width, 2, dtype=torch.float32, device=angle.device) / width
    scaled = angle[..., None] / TEMPERATURE**exponent
    return torch.stack((scaled.sin(), scaled.cos()), dim=-1).flatten(-2)
