"""HOICLIP's fusion decoder (arXiv 2303.15786): queries read CLIP's tokens and DETR's memory.

The same cross-attention weights and the same norm serve both readings; KI2HOI uses the decoder unchanged (its
equations 8 to 11). Neither reading has positions or a padding mask: the public code has none here, so that padded
tokens of DETR's memory take part. ``fusion_decoder_keys`` renames the weights of the public code.
"""

from __future__ import annotations

from torch import Tensor, nn

from videohoi.layers.attention import Attention, attention_keys
from videohoi.layers.transformer import FeedForward, TransformerConfig, xavier


class FusionDecoderLayer(nn.Module):
    """Self-attention, one cross-attention applied to both memories and summed, feed-forward; post-norm."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.self_attention = Attention(config.width, config.heads, dropout=config.dropout)
        self.self_norm = nn.LayerNorm(config.width)
        self.cross_attention = Attention(config.width, config.heads, dropout=config.dropout)
        self.cross_norm = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.feedforward = FeedForward(config)

    def forward(self, queries: Tensor, clip_tokens: Tensor, memory: Tensor) -> Tensor:
        """Queries (B, Q, W), CLIP's tokens (B, T, W), DETR's memory (B, L, W) -> (B, Q, W)."""
        seen = self.self_attention(queries, queries, queries)
        queries = self.self_norm(queries + self.dropout(seen))
        out: Tensor = self.feedforward(self._read(queries, clip_tokens) + self._read(queries, memory))
        return out

    def _read(self, queries: Tensor, memory: Tensor) -> Tensor:
        out: Tensor = self.cross_norm(queries + self.dropout(self.cross_attention(queries, memory, memory)))
        return out


class FusionDecoder(nn.Module):
    """``depth`` fusion layers and a final norm."""

    def __init__(self, config: TransformerConfig, depth: int = 3) -> None:
        super().__init__()
        self.layers = nn.ModuleList(FusionDecoderLayer(config) for _ in range(depth))
        self.norm = nn.LayerNorm(config.width)
        xavier(self)

    def forward(self, queries: Tensor, clip_tokens: Tensor, memory: Tensor) -> Tensor:
        """As the layer."""
        for layer in self.layers:
            queries = layer(queries, clip_tokens, memory)
        out: Tensor = self.norm(queries)
        return out


def fusion_decoder_keys(published: str, ours: str) -> tuple[tuple[str, str], ...]:
    """Key map rows from the public decoder called ``published`` (a regex without groups) to a ``FusionDecoder``."""
    theirs, mine = rf"{published}\.layers\.(\d+)", rf"{ours}.layers.\1"
    names = (
        ("norm1", "self_norm"), ("norm2", "cross_norm"), ("norm3", "feedforward.norm"),
        ("linear1", "feedforward.expand"), ("linear2", "feedforward.contract"),
    )  # fmt: skip
    return (
        *attention_keys(rf"{theirs}\.self_attn", rf"{mine}.self_attention"),
        *attention_keys(rf"{theirs}\.multihead_attn", rf"{mine}.cross_attention"),
        *((rf"{theirs}\.{their_name}\.", f"{mine}.{name}.") for their_name, name in names),
        (rf"{published}\.norm\.", f"{ours}.norm."),
    )
