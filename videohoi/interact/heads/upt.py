"""UPT: unary-pairwise transformer on a detector's boxes (Zhang, Campbell, Gould; CVPR 2022, arXiv 2112.01838).

Public code: fredzzhang/upt, BSD-3 (its transformer layers are in fredzzhang/pocket, BSD-3). Written from the paper's
formulas and the code's behaviour; with its weights the logits are those of its ``InteractionHead``. What differs:

- pictures are padded to N boxes and ``max_pairs`` pairs and run as one batch; the code loops over pictures. The default
  435 are all pairs of 15 humans and 15 objects, the most that the paper's choice of detections gives
  (``detr_pairs``). With a smaller cap the pairs of lowest box scores are left out and counted; as pairs compete,
  the logits of the others then change.
- the linear map of a message follows the sum over senders instead of preceding it: the attention sums to 1, so this is
  the same, for 1 / N of the work. The branches of a fusion are one matrix product.
- the logits leave before the prior of the box scores; ``interact.scoring`` has it.
- an image without a pair gives masked rows, not a missing entry; boxes without area have an IoU of 0 with each other
  and themselves, where one makes all logits of its picture NaN in the code.
- the global feature is the mean over the whole map of a padded batch, padding included, as in the code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from videohoi.errors import UsageError
from videohoi.layers.box_head import corners_px
from videohoi.layers.padded_pairs import (
    SPATIAL_FEATURES,
    PaddedDetections,
    PaddedPairs,
    padded_pairs,
    spatial_features,
    take_rows,
)
from videohoi.structures.interactions import HOIOutput

_POST_NORM_EPSILON = 1e-12
"""of the norms in pocket's transformer layers"""

KEY_MAP: tuple[tuple[str, str], ...] = (
    (r"interaction_head\.box_pair_predictor\.", "classifier."),
    (r"interaction_head\.spatial_head\.", "spatial."),
    (r"interaction_head\.coop_layer\.mod_enc\.(\d+)\.attn\.", r"cooperative.\1.attention."),
    (r"interaction_head\.coop_layer\.mod_enc\.(\d+)\.ffn\.ffn\.0\.", r"cooperative.\1.feedforward.expand."),
    (r"interaction_head\.coop_layer\.mod_enc\.(\d+)\.ffn\.ffn\.2\.", r"cooperative.\1.feedforward.contract."),
    (r"interaction_head\.coop_layer\.mod_enc\.(\d+)\.ffn\.norm\.", r"cooperative.\1.feedforward.norm."),
    (r"interaction_head\.coop_layer\.mod_enc\.(\d+)\.(unary|pairwise|message|aggregate|norm)\.", r"cooperative.\1.\2."),
    (r"interaction_head\.comp_layer\.attention\.attention\.(query|key|value)\.", r"competitive.\1."),
    (r"interaction_head\.comp_layer\.attention\.output\.(aggregate|norm)\.", r"competitive.\1."),
    (r"interaction_head\.comp_layer\.ffn\.ffn\.0\.", "competitive.feedforward.expand."),
    (r"interaction_head\.comp_layer\.ffn\.ffn\.2\.", "competitive.feedforward.contract."),
    (r"interaction_head\.comp_layer\.ffn\.norm\.", "competitive.feedforward.norm."),
    (r"interaction_head\.mbf\.fc_1\.", "fusion.appearance."),
    (r"interaction_head\.mbf\.fc_2\.", "fusion.spatial."),
    (r"interaction_head\.mbf\.fc_3\.", "fusion.output."),
    (r"interaction_head\.mbf_g\.fc_1\.", "global_fusion.appearance."),
    (r"interaction_head\.mbf_g\.fc_2\.", "global_fusion.spatial."),
    (r"interaction_head\.mbf_g\.fc_3\.", "global_fusion.output."),
)
"""(regex of the published key, replacement)"""
IGNORED_KEYS: tuple[tuple[str, str], ...] = (
    (r"detector\.", "weights of the DETR inside the checkpoint; the detector is a part of its own (detect/detr.py)"),
)
"""(regex of the published key, reason)"""


@dataclass(frozen=True)
class UptConfig:
    """Sizes; the defaults are those of UPT-R50 on HICO-DET."""

    verbs: int = 117
    """V"""
    detector_width: int = 256
    """D, of the detector's features"""
    picture_width: int = 2048
    """C, channels of the backbone's last map (ResNet: C5)"""
    width: int = 512
    """R, of spatial features; pairs have 2 R"""
    spatial_widths: tuple[int, int] = (128, 256)
    """hidden layers on the 36 spatial numbers"""
    heads: int = 8
    cooperative_layers: int = 2
    branches: int = 16
    """of each fusion, in which ``width`` is divided"""
    pair_feedforward: int = 2048
    dropout: float = 0.1
    person_id: int = 0
    """class id of a human"""
    max_pairs: int = 435
    """P; 15 humans with 29 others"""

    def __post_init__(self) -> None:
        if self.max_pairs < 1:
            raise UsageError(f"upt: max_pairs={self.max_pairs}: expected 1 or more")


class FeedForward(nn.Module):
    """Linear, GELU, linear with the residual, then the norm: (..., D) to the same shape."""

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.expand = nn.Linear(width, hidden)
        self.contract = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(width, eps=_POST_NORM_EPSILON)

    def forward(self, tokens: Tensor) -> Tensor:
        """See the class."""
        change = self.contract(functional.gelu(self.expand(tokens)))
        out: Tensor = self.norm(tokens + self.dropout(change))
        return out


def _joined(layers: Iterable[Any]) -> tuple[Tensor, Tensor]:
    """Weights (L, out, in) and biases (L, out) of L equal linear layers."""
    return torch.stack([layer.weight for layer in layers]), torch.stack([layer.bias for layer in layers])


class CooperativeLayer(nn.Module):
    """Unary tokens exchange messages that depend on both boxes (section 3.2, "modified encoder layer")."""

    def __init__(self, config: UptConfig) -> None:
        super().__init__()
        width, share = config.width, config.width // config.heads
        self.heads = config.heads
        self.unary = nn.Linear(config.detector_width, width)
        self.pairwise = nn.Linear(width, width)
        self.attention = nn.ModuleList([nn.Linear(3 * share, 1) for _ in range(config.heads)])
        self.message = nn.ModuleList([nn.Linear(share, share) for _ in range(config.heads)])
        self.aggregate = nn.Linear(width, config.detector_width)
        self.norm = nn.LayerNorm(config.detector_width)
        self.dropout = nn.Dropout(config.dropout)
        self.feedforward = FeedForward(config.detector_width, 4 * config.detector_width, config.dropout)

    def forward(self, tokens: Tensor, between: Tensor, mask: Tensor) -> Tensor:
        """(B, N, D) from tokens (B, N, D), pairwise features (B, N sender, N receiver, R) and the mask (B, N)."""
        nodes = self.unary(tokens).relu().unflatten(-1, (self.heads, -1))
        edges = self.pairwise(between).relu().unflatten(-1, (self.heads, -1))
        attention = self._attention(nodes, edges).masked_fill(~mask[:, :, None, None], torch.finfo(nodes.dtype).min)
        mixed = (attention.softmax(1)[..., None] * nodes[:, :, None] * edges).sum(1)
        weight, bias = _joined(self.message)
        messages = (torch.einsum("bjhl,hml->bjhm", mixed, weight) + bias).relu().flatten(2)
        tokens = self.norm(tokens + self.dropout(self.aggregate(messages)))
        out: Tensor = self.feedforward(tokens)
        return out

    def _attention(self, nodes: Tensor, edges: Tensor) -> Tensor:
        """(B, N, N, heads) logits of [sender, receiver, what is between]."""
        weight, bias = _joined(self.attention)
        sender, receiver, edge = weight[:, 0].chunk(3, dim=1)
        logits = (nodes * sender).sum(-1)[:, :, None] + (nodes * receiver).sum(-1)[:, None]
        return logits + torch.einsum("bijhl,hl->bijh", edges, edge) + bias[:, 0]


class BranchFusion(nn.Module):
    """Multi-branch fusion: elementwise products of appearance and position in several subspaces (SCG, equation 9)."""

    def __init__(self, appearance: int, spatial: int, width: int, branches: int) -> None:
        super().__init__()
        share = width // branches
        self.appearance = nn.ModuleList([nn.Linear(appearance, share) for _ in range(branches)])
        self.spatial = nn.ModuleList([nn.Linear(spatial, share) for _ in range(branches)])
        self.output = nn.ModuleList([nn.Linear(share, width) for _ in range(branches)])

    def forward(self, appearance: Tensor, spatial: Tensor) -> Tensor:
        """(..., R) from (..., A) and (..., S); they broadcast."""
        (seen, seen_bias), (placed, placed_bias), (out, out_bias) = map(
            _joined, (self.appearance, self.spatial, self.output)
        )
        what = functional.linear(appearance, seen.flatten(0, 1), seen_bias.flatten())
        where = functional.linear(spatial, placed.flatten(0, 1), placed_bias.flatten())
        return functional.linear((what * where).relu(), out.transpose(0, 1).flatten(1), out_bias.sum(0)).relu()


class CompetitiveLayer(nn.Module):
    """Self-attention among the pairs of a picture (section 3.3): a post-norm encoder layer without positions."""

    def __init__(self, width: int, config: UptConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.aggregate = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=_POST_NORM_EPSILON)
        self.dropout = nn.Dropout(config.dropout)
        self.feedforward = FeedForward(width, config.pair_feedforward, config.dropout)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """(B, P, 2 R) from tokens of the same shape and the mask (B, P)."""
        query, key, value = (
            layer(tokens).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        look = mask | ~mask.any(1, keepdim=True)  # attention without any key would be NaN
        share = self.dropout.p if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(query, key, value, look[:, None, None], dropout_p=share)
        tokens = self.norm(tokens + self.dropout(self.aggregate(mixed.transpose(1, 2).flatten(2))))
        out: Tensor = self.feedforward(tokens)
        return out


class UptHead(nn.Module):
    """Verb logits of the human-object pairs among given detections."""

    def __init__(self, config: UptConfig | None = None) -> None:
        """Randomly initialised."""
        super().__init__()
        self.config = config = UptConfig() if config is None else config
        width, (first, second) = config.width, config.spatial_widths
        self.spatial = nn.Sequential(
            nn.Linear(SPATIAL_FEATURES, first), nn.ReLU(), nn.Linear(first, second), nn.ReLU(),
            nn.Linear(second, width), nn.ReLU(),
        )  # fmt: skip
        self.cooperative = nn.ModuleList([CooperativeLayer(config) for _ in range(config.cooperative_layers)])
        self.fusion = BranchFusion(2 * config.detector_width, width, width, config.branches)
        self.global_fusion = BranchFusion(config.picture_width, width, width, config.branches)
        self.competitive = CompetitiveLayer(2 * width, config)
        self.classifier = nn.Linear(2 * width, config.verbs)

    def forward(
        self,
        boxes_cxcywh: Tensor,
        scores: Tensor,
        class_ids: Tensor,
        mask: Tensor,
        features: Tensor,
        picture_map: Tensor,
        picture_sizes_px: Tensor,
        max_pairs: int | None = None,
    ) -> HOIOutput[Tensor]:
        """Logits (B, P, V) of the pairs of padded detections.

        Args:
            boxes_cxcywh: (B, N, 4), fractions of the picture; this and the next four are ``PaddedDetections``.
            scores: (B, N).
            class_ids: (B, N) int64.
            mask: (B, N) bool.
            features: (B, N, D).
            picture_map: (B, C, h, w), the backbone's last map.
            picture_sizes_px: (B, 2) float width and height of the picture that the detector saw.
            max_pairs: P; None: the config's.
        """
        detections = PaddedDetections(boxes_cxcywh, scores, class_ids, mask, features).neutral()
        config = self.config
        pairs = padded_pairs(
            detections.scores, detections.class_ids, detections.mask,
            person_id=config.person_id, max_pairs=config.max_pairs if max_pairs is None else max_pairs,
        )  # fmt: skip
        between = self._between(detections.boxes_cxcywh, picture_sizes_px)
        tokens = detections.features
        for layer in self.cooperative:
            tokens = layer(tokens, between, detections.mask)
        competing = self.competitive(self._pair_tokens(tokens, between, pairs, picture_map), pairs.mask)
        logits = self.classifier(competing).masked_fill(~pairs.mask[..., None], 0)
        return HOIOutput(
            boxes_cxcywh, pairs.rows, pairs.mask, logits, scores=scores, class_ids=class_ids, truncated=pairs.truncated
        )

    def _between(self, boxes_cxcywh: Tensor, picture_sizes_px: Tensor) -> Tensor:
        """(B, N, N, R) of each box against each."""
        boxes = corners_px(boxes_cxcywh, picture_sizes_px)
        numbers = spatial_features(boxes[:, :, None], boxes[:, None], picture_sizes_px[:, None, None])
        out: Tensor = self.spatial(numbers)
        return out

    def _pair_tokens(self, tokens: Tensor, between: Tensor, pairs: PaddedPairs, picture_map: Tensor) -> Tensor:
        """(B, P, 2 R): the pair's appearance and the picture's, each fused with the pair's geometry."""
        human, other = pairs.rows.unbind(-1)
        spatial = take_rows(between.flatten(1, 2), human * between.shape[1] + other)
        appearance = torch.cat((take_rows(tokens, human), take_rows(tokens, other)), dim=-1)
        picture = picture_map.mean((2, 3))[:, None]
        return torch.cat((self.fusion(appearance, spatial), self.global_fusion(picture, spatial)), dim=-1)
