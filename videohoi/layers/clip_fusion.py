"""What HOICLIP and KI2HOI share: tied human and object queries, fusion with CLIP's tokens, rows of text as classifiers.

Formulas: GEN-VLKT (arXiv 2203.13954, section 3.2) for the pairs, HOICLIP (arXiv 2303.15786) for the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from videohoi.errors import UsageError
from videohoi.layers.clip import LOGIT_SCALE
from videohoi.layers.image_encoder import ImageTokens
from videohoi.layers.transformer import Attention, Decoder, FeedForward, TransformerConfig, attention_keys, xavier


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


_SURE = 1e-6
"""distance from 0 and 1 that an enhanced score keeps, so that its logit is finite in fp32"""


@dataclass(frozen=True)
class VocabularySizes:
    """Of the trained vocabulary and of CLIP's space."""

    interactions: int
    """K"""
    verbs: int
    """V"""
    objects: int
    """O; the rows are one more, the last stands for nothing"""
    embed_dim: int
    """E"""


class PairTokens(NamedTuple):
    """Q pairs of B pictures."""

    humans: Tensor
    """(B, Q, D)"""
    objects: Tensor
    """(B, Q, D)"""


class TextRows(NamedTuple):
    """A vocabulary in CLIP's space; None = the trained one. ``checked`` before use."""

    interactions: Tensor | None = None
    """(K, E)"""
    verb_to_interaction: Tensor | None = None
    """(V, K) 1 where interaction k is of verb v; needed with ``interactions``"""
    objects: Tensor | None = None
    """(O + 1, E), last = nothing"""
    verbs: Tensor | None = None
    """(V, E)"""

    def checked(self, sizes: VocabularySizes) -> TextRows:
        """Itself.

        Raises:
            UsageError: the shapes do not fit each other or CLIP's space.
        """
        rows = {"text": self.interactions, "object_text": self.objects, "verb_text": self.verbs}
        for name, given in rows.items():
            if given is not None and (given.dim() != 2 or given.shape[1] != sizes.embed_dim):
                raise UsageError(f"{name} has shape {tuple(given.shape)}, expected (classes, {sizes.embed_dim})")
        verbs = sizes.verbs if self.verbs is None else self.verbs.shape[0]
        interactions = sizes.interactions if self.interactions is None else self.interactions.shape[0]
        trained = (sizes.verbs, sizes.interactions)
        matrix = trained if self.verb_to_interaction is None else tuple(self.verb_to_interaction.shape)
        if matrix != (verbs, interactions):
            raise UsageError(
                f"verb_to_interaction has shape {matrix} (verbs, interactions), the text rows need "
                f"{(verbs, interactions)}; give the matrix of the same vocabulary"
            )
        return self


class PairDecoder(nn.Module):
    """Human and object queries in one decoder, tied by a shared position per pair (GEN-VLKT, section 3.2)."""

    def __init__(self, queries: int, config: TransformerConfig, depth: int) -> None:
        super().__init__()
        self.human_queries = nn.Parameter(torch.randn(queries, config.width))
        self.object_queries = nn.Parameter(torch.randn(queries, config.width))
        self.pair_position = nn.Parameter(torch.rand(queries, config.width))
        self.decoder = Decoder(config, depth)

    def forward(self, image: ImageTokens) -> PairTokens:
        """See the class."""
        queries = torch.cat((self.human_queries + self.pair_position, self.object_queries + self.pair_position))
        position = queries.expand(image.memory.shape[0], -1, -1)
        states = self.decoder(position, image.memory, image.position, image.padding_mask)
        return PairTokens(*states[-1].chunk(2, dim=1))


class ClipFusion(nn.Module):
    """Interaction queries from the pairs, decoded over CLIP's tokens and DETR's memory."""

    def __init__(self, pair_width: int, config: TransformerConfig, depth: int) -> None:
        """``config.width`` is W, the width of CLIP's visual tokens."""
        super().__init__()
        self.query_projection = nn.Sequential(nn.Linear(pair_width, config.width), nn.LayerNorm(config.width))
        self.memory_projection = nn.Sequential(nn.Linear(pair_width, config.width), nn.LayerNorm(config.width))
        self.decoder = FusionDecoder(config, depth)

    def forward(self, pairs: PairTokens, clip_tokens: Tensor, memory: Tensor) -> Tensor:
        """Clip tokens (B, T, W) and memory (B, L, D) to interactions (B, Q, W)."""
        queries = self.query_projection((pairs.humans + pairs.objects) / 2)
        interactions: Tensor = self.decoder(queries, clip_tokens, self.memory_projection(memory))
        return interactions


class RowClassifier(nn.Module):
    """Products with text rows; the vectors have unit length, the rows the length they were trained to."""

    def __init__(self, classes: int, width: int, *, bias: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(functional.normalize(torch.randn(classes, width), dim=-1))
        self.bias = nn.Parameter(torch.zeros(classes)) if bias else None

    def forward(self, vectors: Tensor, rows: Tensor | None = None) -> Tensor:
        """(B, Q, E) to (B, Q, C); other ``rows`` (C', E) are normalised and have no bias."""
        vectors = functional.normalize(vectors, dim=-1)
        if rows is not None:
            return vectors @ functional.normalize(rows, dim=-1).T
        return functional.linear(vectors, self.weight, self.bias)


class InteractionClassifier(nn.Module):
    """Interaction logits from the pair's vector and its verb vector, object logits from the object token."""

    verb_to_interaction: Tensor

    def __init__(self, sizes: VocabularySizes, pair_width: int, *, interaction_bias: bool, verb_weight: float) -> None:
        super().__init__()
        embed = sizes.embed_dim
        self.interactions = RowClassifier(sizes.interactions, embed, bias=interaction_bias)
        self.verbs = RowClassifier(sizes.verbs, embed, bias=False)
        self.objects = RowClassifier(sizes.objects + 1, embed, bias=True)
        self.object_projection = nn.Sequential(nn.Linear(pair_width, embed), nn.LayerNorm(embed))
        self.logit_scale = nn.Parameter(torch.tensor(LOGIT_SCALE))
        self.object_logit_scale = nn.Parameter(torch.tensor(LOGIT_SCALE))
        self.register_buffer("verb_to_interaction", torch.zeros(sizes.verbs, sizes.interactions))
        self.verb_weight = verb_weight

    def forward(self, interactions: Tensor, verbs: Tensor, text: TextRows) -> Tensor:
        """(B, Q, K) logits of pair vectors and verb vectors (B, Q, E)."""
        to_interaction = self.verb_to_interaction if text.verb_to_interaction is None else text.verb_to_interaction
        by_pair = self.interactions(interactions, text.interactions)
        by_verb = self.verbs(verbs, text.verbs) @ to_interaction
        logits: Tensor = self.logit_scale.exp() * (by_pair + self.verb_weight * by_verb)
        return logits

    def object_logits(self, objects: Tensor, text: TextRows) -> Tensor:
        """(B, Q, O + 1) of object tokens (B, Q, D)."""
        logits: Tensor = self.objects(self.object_projection(objects), text.objects)
        return self.object_logit_scale.exp() * logits

    def image_cosines(self, image_vector: Tensor, text: TextRows) -> Tensor:
        """(B, K) cosines of CLIP's image vector (B, E) with the interaction rows."""
        rows = self.interactions.weight if text.interactions is None else text.interactions
        return functional.normalize(image_vector, dim=-1) @ functional.normalize(rows, dim=-1).T


def enhance(logits: Tensor, image_cosines: Tensor, top: int, weight: float) -> Tensor:
    """HOICLIP's training-free enhancement: CLIP's view of the whole picture raises scores.

    Adds ``weight * (sigmoid(cosine) - 0.5)`` to the sigmoid of the ``top`` best interactions of a picture, for every
    pair, and gives logits again; the sum is capped below 1. ``top`` = 0 changes nothing.

    Args:
        logits: (B, Q, K).
        image_cosines: (B, K) of CLIP's image vector with the interaction rows.
        top: interactions of a picture that are raised.
        weight: factor on the bonus.
    """
    top = min(top, image_cosines.shape[-1])
    if top == 0:
        return logits
    dtype = logits.dtype
    wide = torch.promote_types(dtype, torch.float32)  # 1 - 1e-6 is 1 in half
    logits, image_cosines = logits.to(wide), image_cosines.to(wide)
    best = image_cosines.topk(top, dim=-1)
    bonus = weight * (best.values.sigmoid() - 0.5)
    added = torch.zeros_like(image_cosines).scatter(-1, best.indices, bonus)[:, None]
    chosen = torch.zeros_like(image_cosines).scatter(-1, best.indices, 1.0)[:, None] > 0
    raised = torch.logit((logits.sigmoid() + added).clamp(_SURE, 1 - _SURE))
    return torch.where(chosen, raised, logits).to(dtype)
