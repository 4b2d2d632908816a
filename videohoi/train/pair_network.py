"""The starter's pair head (torch, for training and export only; it runs from ONNX without torch).

Every pair is a token: its geometry (``geometry.pair_features``) and object class. Three mixing layers let a token see
its picture: attention pooling over the pairs of the same human, of the same object and of the whole picture. The
pooling's queries are learned, not per pair, so the cost is linear in pairs; that suffices for "is another human nearer
to this bicycle". Tokens end in verb logits: a row per verb plus a row per (verb, object) class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from videohoi.geometry.pair_features import FEATURE_COUNT
from videohoi.vocabulary import Vocabulary

GroupSum = Callable[[Tensor], Tensor]
"""(P, D) -> (P, D): each row becomes the sum over the rows of its group."""

ATTENTION_LIMIT = 8.0
"""pooling logits are softly limited to +- this, so that their exponentials cannot overflow"""
FEATURE_LIMIT = 5.0
"""Standardised features are clipped at this many deviations."""
STANDARD_DEVIATION_FLOOR = 0.05
"""keeps a feature that hardly varies in training from being amplified at run time"""


@dataclass(frozen=True)
class PairNetworkSize:
    """Widths of the network."""

    width: int = 128
    layers: int = 3
    hidden: int = 192
    pooled: int = 64
    heads: int = 8
    appearance_hidden: int = 64
    feature_channels: int = 128
    """C of the detector's feature map"""
    dropout: float = 0.1


class GroupMixing(nn.Module):
    """Residual layer: token and the attention-pooled tokens of its groups through a two-layer perceptron."""

    def __init__(self, size: PairNetworkSize, group_count: int) -> None:
        super().__init__()
        self.heads, self.pooled = size.heads, size.pooled
        self.norm = nn.LayerNorm(size.width)
        self.values = nn.Linear(size.width, size.pooled)
        self.scores = nn.Linear(size.width, size.heads * group_count)
        self.expand = nn.Linear(size.width + group_count * size.pooled, size.hidden)
        self.dropout = nn.Dropout(size.dropout)
        self.contract = nn.Linear(size.hidden, size.width)

    def forward(self, tokens: Tensor, groups: Sequence[GroupSum]) -> Tensor:
        """(P, width) from tokens (P, width) and one sum per kind of group."""
        normed = self.norm(tokens)
        values = self.values(normed).view(-1, self.heads, self.pooled // self.heads)
        scores = ATTENTION_LIMIT * torch.tanh(self.scores(normed) / ATTENTION_LIMIT)
        pooled = [normed]
        for group_sum, score in zip(groups, torch.split(scores, self.heads, dim=1), strict=True):
            weights = score.exp()
            total = group_sum((weights.unsqueeze(2) * values).reshape(-1, self.pooled))
            mean = total.view(-1, self.heads, self.pooled // self.heads) / group_sum(weights).unsqueeze(2)
            pooled.append(mean.reshape(-1, self.pooled))
        hidden = functional.gelu(self.expand(torch.cat(pooled, dim=1)))
        change: Tensor = self.contract(self.dropout(hidden))
        return tokens + change


class AppearanceBranch(nn.Module):
    """Pooled detector features of human, object and union box -> a correction of the verb logits, zero at first."""

    def __init__(self, size: PairNetworkSize, verb_count: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(3 * size.feature_channels)
        self.look = nn.Linear(3 * size.feature_channels, size.appearance_hidden)
        self.context = nn.Linear(size.width, size.appearance_hidden)
        self.verbs = nn.Linear(size.appearance_hidden, verb_count)
        nn.init.zeros_(self.verbs.weight)
        nn.init.zeros_(self.verbs.bias)

    def forward(self, tokens: Tensor, appearance: Tensor) -> Tensor:
        """(P, V) correction from tokens (P, width) and pooled features (P, 3C)."""
        hidden: Tensor = functional.gelu(self.look(self.norm(appearance)) + self.context(tokens.detach()))
        correction: Tensor = self.verbs(hidden)
        return correction


class PairNetwork(nn.Module):
    """Pairs of one or several pictures -> verb logits (P, V)."""

    def __init__(self, vocabulary: Vocabulary, size: PairNetworkSize | None = None) -> None:
        super().__init__()
        self.size = size = size or PairNetworkSize()
        object_count, verb_count = len(vocabulary.objects), len(vocabulary.verbs)
        self.register_buffer("feature_mean", torch.zeros(FEATURE_COUNT))
        self.register_buffer("feature_deviation", torch.ones(FEATURE_COUNT))
        self.register_buffer("class_column", _class_columns(vocabulary))
        self.register_buffer("calibration", torch.tensor([1.0, 0.0]))  # slope and offset of the logits
        self.geometry = nn.Linear(FEATURE_COUNT, size.width)
        self.kind = nn.Embedding(object_count, size.width)
        self.gate = nn.Embedding(object_count, size.width)
        self.lift = nn.Linear(size.width, size.width)
        self.layers = nn.ModuleList(GroupMixing(size, group_count=3) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)
        self.dropout = nn.Dropout(size.dropout)
        self.verbs = nn.Linear(size.width, verb_count)
        self.classes = nn.Linear(size.width, len(vocabulary.interactions) + 1)  # the last one: not a class
        self.appearance = AppearanceBranch(size, verb_count)
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.classes.weight)

    def standardise_with(self, features: Tensor) -> None:
        """Take mean and deviation of the training features (P, FEATURE_COUNT)."""
        self.get_buffer("feature_mean").copy_(features.mean(dim=0))
        self.get_buffer("feature_deviation").copy_(features.std(dim=0).clamp_min(STANDARD_DEVIATION_FLOOR))

    def tokens(self, features: Tensor, object_classes: Tensor, groups: Sequence[GroupSum]) -> Tensor:
        """(P, width) from features (P, F), class ids (P,) and the sums over same human, same object and picture."""
        scaled = (features - self.get_buffer("feature_mean")) / self.get_buffer("feature_deviation")
        start = self.geometry(scaled.clamp(-FEATURE_LIMIT, FEATURE_LIMIT)) + self.kind(object_classes)
        tokens: Tensor = self.lift(functional.gelu(start) * (1 + self.gate(object_classes))) + start
        for layer in self.layers:
            tokens = layer(tokens, groups)
        normed: Tensor = self.norm(tokens)
        return normed

    def logits(self, tokens: Tensor, object_classes: Tensor) -> Tensor:
        """(P, V) from geometry alone, not calibrated."""
        dropped = self.dropout(tokens)
        columns = self.get_buffer("class_column")[object_classes]
        by_verb: Tensor = self.verbs(dropped)
        by_class: Tensor = self.classes(dropped)
        return by_verb + by_class.gather(1, columns)

    def calibrated(self, logits: Tensor) -> Tensor:
        """Platt scaling: slope and offset fitted on held-out pictures."""
        line = self.get_buffer("calibration")
        return logits * line[0] + line[1]

    def forward(
        self,
        features: Tensor,
        object_classes: Tensor,
        groups: Sequence[GroupSum],
        appearance: Tensor | None = None,
        has_appearance: Tensor | None = None,
    ) -> Tensor:
        """(P, V) calibrated logits; ``appearance`` (P, 3C) counts where ``has_appearance`` (1,) is 1."""
        tokens = self.tokens(features, object_classes, groups)
        logits = self.calibrated(self.logits(tokens, object_classes))
        if appearance is not None and has_appearance is not None:
            correction: Tensor = self.appearance(tokens, appearance)
            logits = logits + has_appearance * correction
        return logits


def _class_columns(vocabulary: Vocabulary) -> Tensor:
    """(O, V) column of the (verb, object) class, K where there is none."""
    columns = torch.full((len(vocabulary.objects), len(vocabulary.verbs)), len(vocabulary.interactions))
    for index, (verb, obj) in enumerate(vocabulary.interactions):
        columns[obj, verb] = index
    return columns


def scattered_sum(groups: Tensor) -> GroupSum:
    """Sum over equal entries of ``groups`` (P,) by scatter: linear in pairs, for training."""
    count = int(groups.max()) + 1 if len(groups) else 0

    def group_sum(rows: Tensor) -> Tensor:
        return rows.new_zeros(count, rows.shape[1]).index_add(0, groups, rows)[groups]

    return group_sum


def multiplied_sum(groups: Tensor) -> GroupSum:
    """The same by a (P, P) product: fewer steps for the few pairs of a frame, and plain ONNX operators."""
    same = (groups.unsqueeze(0) == groups.unsqueeze(1)).to(torch.float32)
    return lambda rows: same @ rows


def parameter_count(network: nn.Module) -> int:
    """Trainable numbers."""
    return int(np.sum([parameter.numel() for parameter in network.parameters()]))
