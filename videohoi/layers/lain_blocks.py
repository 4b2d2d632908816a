"""Parts of LAIN (arXiv 2505.19503; public code: OreoChocolate/LAIN, MIT): text, CLIP's block taken apart, two adapters.

- The sentences begin with learned vectors (CoOp, arXiv 2109.01134). Unlike in ``clip.TextTower`` their embeddings are
  stored and the table of all embeddings is not, and the transformer runs without a causal mask: so does the public code
  (it builds the mask but hands each block none), and its weights were trained that way.
- The locality adapter teaches patches where boxes are and what their neighbours see (``get_prior`` of models/LAIN.py
  and the first half of models/adapters.py).
- With the interaction adapter (the second half) a pair's token reads what human and object show of each other. Pooling
  is linear, so patches are narrowed before it instead of after: the same numbers for a twenty-fourth of the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from videohoi.errors import UsageError
from videohoi.layers.box_head import MLP
from videohoi.layers.clip import ClipConfig, TextTower, tokenize
from videohoi.layers.padded_pairs import take_rows
from videohoi.layers.roi_align import RoiWeights, pool
from videohoi.layers.transformer import Attention, FeedForward, TransformerConfig

_CONTEXT_STD = 0.02
"""of the learned vectors at the start (CoOp's code)"""


def encode_unmasked(tower: TextTower | PromptedText, embeddings: Tensor, end: Tensor) -> Tensor:
    """(N, E) of token embeddings (N, L, W), read at the positions ``end`` (N,); every token sees every other."""
    tokens = embeddings + tower.positional_embedding
    for block in tower.blocks:
        tokens = block(tokens)
    read = take_rows(tower.ln_final(tokens), end[:, None])[:, 0]
    return read @ tower.text_projection


def _require_room(longest: int, count: int, length: int) -> None:
    if longest > length:
        raise UsageError(f"{count} context vectors give {longest} tokens, CLIP reads {length}; use fewer")


class PromptedText(nn.Module):
    """[start, learned context, sentence, end] of V sentences, and the text transformer that reads them."""

    prefix: Tensor
    suffix: Tensor
    end: Tensor

    def __init__(
        self, config: ClipConfig, sentences: Sequence[str], count: int, *, class_specific: bool = True
    ) -> None:
        """Randomly initialised.

        Args:
            config: of the text transformer.
            sentences: V of them, without context.
            count: context vectors.
            class_specific: one context per sentence; else one for all.

        Raises:
            UsageError: a sentence with its context is longer than the transformer reads.
        """
        super().__init__()
        tower = TextTower(config)
        with torch.device("cpu"):  # facts, not values: they exist on the meta device too
            tokens = tokenize(sentences, config.context_length)
            end = tokens.argmax(-1) + count
        _require_room(int(end.max()) + 1, count, config.context_length)
        self.positional_embedding, self.blocks = tower.positional_embedding, tower.blocks
        self.ln_final, self.text_projection = tower.ln_final, tower.text_projection
        shape = (len(sentences), count, config.text_width) if class_specific else (count, config.text_width)
        self.context = nn.Parameter(nn.init.normal_(torch.empty(shape), std=_CONTEXT_STD))
        with torch.no_grad():
            embeddings = tower.token_embedding(tokens.to(tower.positional_embedding.device))
        self.register_buffer("prefix", embeddings[:, :1].clone())
        self.register_buffer("suffix", embeddings[:, 1 : config.context_length - count].clone())
        self.register_buffer("end", end, persistent=False)

    def forward(self) -> Tensor:
        """(V, E) of unit length."""
        context = self.context.expand(len(self.prefix), -1, -1)
        embeddings = torch.cat((self.prefix, context, self.suffix), dim=1)
        return functional.normalize(encode_unmasked(self, embeddings, self.end), dim=-1)


def projected(block: Any, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value (B, heads, L, W / heads) of a CLIP block."""
    attention = block.attn
    joint = functional.linear(block.ln_1(tokens), attention.in_proj_weight, attention.in_proj_bias)
    query, key, value = (
        part.reshape(*part.shape[:2], attention.num_heads, -1).transpose(1, 2) for part in joint.chunk(3, dim=-1)
    )
    return query, key, value


def finished(block: Any, tokens: Tensor, mixed: Tensor) -> Tensor:
    """The rest of a CLIP block, from tokens (B, L, W) and the output of their attention (B, heads, L, W / heads)."""
    tokens = tokens + block.attn.out_proj(mixed.transpose(1, 2).flatten(2))
    out: Tensor = tokens + block.mlp(block.ln_2(tokens))
    return out


def see_self_and(keys: Tensor, values: Tensor, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """(B, heads, L, D): each token attends to itself and to given keys and values (B, heads, T, D), no other token."""
    query = query * query.shape[-1] ** -0.5
    own = (query * key).sum(-1, keepdim=True)
    weights = torch.cat((own, query @ keys.transpose(-1, -2)), dim=-1).softmax(-1)
    return weights[..., :1] * value + weights[..., 1:] @ values


_BOX_NUMBERS = 5
"""score and four corners"""
_ROUNDING = 0.5
"""added to a box's far corner before it is rounded to cells, so that a narrow box still covers one"""


class LayoutMap(nn.Module):
    """A vector of D numbers for each patch: score, box and word of the last box that covers it.

    Later rows are drawn over earlier ones, so the order of the detections matters: humans then objects, best first.

    Args:
        words: E, of the object classes' text vectors.
        hidden: of the MLP.
        narrow: D.
        grid: patches along a side.
        wrap: cells of negative coordinates are counted from the far side, as Python's slices in the public code do,
            so that a box which sticks out of the picture by more than half a patch covers other cells; False clips it.
    """

    def __init__(self, words: int, hidden: int, narrow: int, grid: int, *, wrap: bool = True) -> None:
        super().__init__()
        self.grid, self.wrap = grid, wrap
        self.mlp = MLP(words + _BOX_NUMBERS, hidden, narrow, depth=3)

    def forward(
        self, boxes_xyxy_px: Tensor, scores: Tensor, words: Tensor, nothing: Tensor, mask: Tensor, size_px: int
    ) -> Tensor:
        """(B, grid, grid, D).

        Args:
            boxes_xyxy_px: (B, N, 4) in the square picture of ``size_px``.
            scores: (B, N).
            words: (B, N, E) text vector of each box's class.
            nothing: (E,) text vector of cells without a box.
            mask: (B, N) bool.
            size_px: side of the picture.
        """
        corners = boxes_xyxy_px * (self.grid / size_px)
        corners = torch.cat((corners[..., :2], corners[..., 2:] + _ROUNDING), dim=-1)
        boxes = torch.cat((scores[..., None], corners, words), dim=-1)
        none = torch.cat((nothing.new_full((_BOX_NUMBERS,), -1.0), nothing)).expand(len(boxes), 1, -1)
        vectors = self.mlp(torch.cat((boxes, none), dim=1))
        return take_rows(vectors, self._owner(corners, mask))

    def _owner(self, corners: Tensor, mask: Tensor) -> Tensor:
        """(B, grid, grid) row of the last box over each cell, N where there is none."""
        bounds = corners.round()
        bounds = torch.where(bounds < 0, bounds + self.grid, bounds).clamp(min=0) if self.wrap else bounds
        x1, y1, x2, y2 = bounds[..., None].unbind(-2)
        cell = torch.arange(self.grid, dtype=corners.dtype, device=corners.device)
        inside_y, inside_x = (y1 <= cell) & (cell < y2), (x1 <= cell) & (cell < x2)
        covers = inside_y[..., :, None] & inside_x[..., None, :] & mask[..., None, None]
        count = mask.shape[1]
        row = torch.arange(count, device=mask.device)[:, None, None]
        last = torch.where(covers, row, -1).amax(1)
        return torch.where(last < 0, count, last)


class LocalityAdapter(nn.Module):
    """Patches, narrowed and with the layout added, mix with their neighbours in several window sizes.

    Args:
        width: W, of patches.
        narrow: D.
        kernels: odd window sizes in cells, one convolution each; they are summed.
        strength: weight of the patches against the layout (alpha of the public code).
    """

    def __init__(self, width: int, narrow: int, kernels: tuple[int, ...] = (3, 5), strength: float = 1.0) -> None:
        super().__init__()
        self.strength = strength
        self.down = nn.Linear(width, narrow)
        self.mix_norm = nn.LayerNorm(narrow)
        self.mix = nn.Linear(narrow, narrow)
        self.convolutions = nn.ModuleList([nn.Conv2d(narrow, narrow, size, padding=size // 2) for size in kernels])
        self.norm = nn.LayerNorm(narrow)
        self.up = nn.Linear(narrow, width)
        self.scale = nn.Parameter(torch.full((width,), 1e-9))  # gamma: CLIP is left as it is at the start

    def forward(self, patches: Tensor, layout: Tensor) -> Tensor:
        """(B, T, W): what to add to patches (B, T, W), given the layout (B, h, w, D), h w = T."""
        seen = self.down(patches).relu().unflatten(1, layout.shape[1:3])
        mixed = self.mix(self.mix_norm(self.strength * seen + layout)).permute(0, 3, 1, 2)
        near = torch.stack([convolution(mixed) for convolution in self.convolutions]).sum(0)
        near = self.norm(functional.leaky_relu(near).permute(0, 2, 3, 1))
        change: Tensor = self.up(near).flatten(1, 2) * self.scale
        return change


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
    """Regions are summarised in a few contexts, those of two boxes attend to each other, the pair's token reads them.

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
        """(B, R, Q, D) of R regions, from patches (B, T, W) and each region's weights over them."""
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
