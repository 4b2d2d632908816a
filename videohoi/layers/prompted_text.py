"""Text vectors of sentences that begin with learned vectors (CoOp, arXiv 2109.01134), as LAIN's weights hold them.

Unlike in ``clip.TextTower`` the sentences' embeddings are stored and the table of all embeddings is not, and the
transformer runs without a causal mask: so does the public code (OreoChocolate/LAIN, MIT; CLIP/clip.py builds the mask
but hands each block none), and its weights were trained that way.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from videohoi.errors import UsageError
from videohoi.layers.clip import ClipConfig, TextTower, tokenize
from videohoi.layers.pair_padding import take_rows

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
