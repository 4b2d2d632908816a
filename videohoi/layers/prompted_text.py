"""Text vectors of sentences that begin with learned vectors (CoOp, arXiv 2109.01134), as LAIN's weights hold them.

Unlike ``clip.LearnableContext`` with ``clip.TextTower`` the sentences' embeddings are stored and the table of all
embeddings is not, and the transformer runs without a causal mask: so does the public code (OreoChocolate/LAIN, MIT;
CLIP/clip.py builds the mask but hands each block none), and its weights were trained that way.
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
    tokens: Tensor

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
        with torch.device("cpu"):  # facts, not values: they are there on the meta device too
            tokens = tokenize(sentences, config.context_length)
            end = tokens.argmax(-1) + count
        _require_room(int(end.max()) + 1, count, config.context_length)
        self.positional_embedding, self.blocks = tower.positional_embedding, tower.blocks
        self.ln_final, self.text_projection = tower.ln_final, tower.text_projection
        shape = (len(sentences), count, config.text_width) if class_specific else (count, config.text_width)
        self.context = nn.Parameter(nn.init.normal_(torch.empty(shape), std=_CONTEXT_STD))
        self.register_buffer("tokens", tokens, persistent=False)
        prefix, suffix = self._parts(tower)
        self.register_buffer("prefix", prefix)
        self.register_buffer("suffix", suffix)
        self.register_buffer("end", end, persistent=False)

    def forward(self) -> Tensor:
        """(V, E) of unit length."""
        context = self.context.expand(len(self.prefix), -1, -1)
        embeddings = torch.cat((self.prefix, context, self.suffix), dim=1)
        return functional.normalize(encode_unmasked(self, embeddings, self.end), dim=-1)

    def start_from(self, tower: TextTower) -> None:
        """Take over the weights of ``tower`` and its embeddings of the sentences; the context stays."""
        own = self.state_dict()
        weights = {key: value for key, value in tower.state_dict().items() if key in own}
        weights["prefix"], weights["suffix"] = self._parts(tower)
        self.load_state_dict({**own, **weights})

    def _parts(self, tower: TextTower) -> tuple[Tensor, Tensor]:
        """Embeddings (V, 1, W) of the start and (V, L - 1 - count, W) of the sentence with its padding."""
        with torch.no_grad():
            embeddings = tower.token_embedding(self.tokens.to(tower.positional_embedding.device))
        kept = embeddings.shape[1] - self.context.shape[-2]
        return embeddings[:, :1].clone(), embeddings[:, 1:kept].clone()
