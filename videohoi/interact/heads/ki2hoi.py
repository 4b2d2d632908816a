"""KI2HOI: HOICLIP behind a SwiftFormer prefix, with verb queries that read the picture.

Paper: "Towards Zero-shot Human-Object Interaction Detection via Vision-Language Integration", arXiv 2403.07246.
Public code: xwyscut/K2HOI. It states no licence, so that this file is written from the paper's formulas and from facts
about that code (shapes, order of operations, key names).

``verb_branch`` chooses between two models with the same weights:

- ``"released"``: what the public code computes. Its verb branch is dead (``verb_hs2 * 0``, and no loss trains it), so
  that it is HOICLIP with the SwiftFormer prefix. The branch's weights load, and do nothing.
- ``"paper"``: the branch works. Weights of the public code were never trained for it.

Deviations from the paper, in which both follow the public code:

- The SwiftFormer blocks see the whole C5 map, not 7 x 7 crops of it (section III-B), and stand before DETR's encoder of
  6 layers (section IV-A: 3). They have SwiftFormer's residuals and scales, and batch norm after the depthwise
  convolution (equations 1 to 3 have it before, and one residual).
- In the verb extraction decoder the verb queries attend to each other, as in Query2Label; equation 4 has the picture's
  features do so. It has the one layer of table VI; section III-C says two.
- V_verb is not concatenated to anything in the interaction decoder (figure 4; equation 11 does not either).

Deviations of ``paper`` from equations 12 to 15, which need a verb vector of each pair but have one of each verb:

- C_verb is an MLP of the pair's logits of all V verbs: the pair's vector, with what lies in its boxes, against V_verb
  plus learned rows. So is the public code's, but for its factor 0. D_verb is an MLP of the pair's vector.
- C_verb and D_verb are added, as the public code would. Equation 14 concatenates them, which does not fit the E-wide
  verb rows of equation 15.
- V_verb plus learned rows is normalised over its features, which makes the product a cosine. The public code
  normalises over the V verbs.
- Features in the boxes come from ROIAlign (the paper's word, section III-B); the public code uses ROI max pooling.

In the pipeline both are scored as probabilities; neither the paper's S_h + S_o + S_verb (equation 18) nor the public
code's sigmoid(interaction) + sigmoid(object)^2 is one (``interact.scoring``). The notes of
``hoiclip`` on text, layers and enhancement apply here too; there is no idle decoder, since this public code has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from videohoi.interact.heads.hoiclip import (
    DEFAULT_IGNORED_ROWS,
    DEFAULT_ROWS,
    SHARED_IGNORED_KEYS,
    SHARED_KEYS,
    ZERO_SHOT_IGNORED_ROWS,
    ZERO_SHOT_ROWS,
    ClipFusionConfig,
    ClipFusionModel,
    Picture,
)
from videohoi.layers.box_head import MLP, corners_px, mlp_keys
from videohoi.layers.image_encoder import ImageEncoder, ImageTokens, image_encoder_keys
from videohoi.layers.ki2hoi_blocks import (
    LocalBlock,
    SwiftFormerEncoder,
    VerbExtractionDecoder,
    local_block_keys,
    swiftformer_keys,
)
from videohoi.layers.roi_align import roi_align
from videohoi.layers.transformer import TransformerConfig, decoder_keys, sine_position

STRIDE_PX = 32
"""of C5: a map's cell in input pixels"""
_ROI_BINS = 7
"""section III-B"""
_ROI_SAMPLES = 2
"""a bin and axis (Mask R-CNN, arXiv 1703.06870, section 3: four a bin)"""
_VERB_FEATURE_SCALE = 1 / 32
"""of the decoder's verb features, relative to the learned verb weights (public code)"""


IMPORT_ADVICE = {
    "verb_branch": "verb branch: the paper's, unless --set verb_branch=released; weights trained with the public code, "
    "in which that branch is dead, need the latter",
}
"""advice of ``videohoi models import`` where a setting was not given"""


@dataclass(frozen=True)
class Ki2hoiConfig(ClipFusionConfig):
    """Sizes and choices; defaults are those of the public train script for HICO-DET."""

    verb_branch: Literal["paper", "released"] = "paper"
    """see the head of the file; published weights answer as published with ``released``"""
    verb_layers: int = 1
    """of the verb extraction decoder (table VI), which is E wide"""


class HoPairEncoder(ImageEncoder):
    """DETR's image encoder with a convolutional encoder and a SwiftFormer encoder before it (figure 3)."""

    def __init__(self, config: TransformerConfig, depth: int, *, backbone: str) -> None:
        super().__init__(config, depth, backbone=backbone)
        self.local = LocalBlock(config.width, config.feedforward)
        self.context = SwiftFormerEncoder(config.width)

    def forward(self, pixels: Tensor, padding_mask: Tensor) -> ImageTokens:
        """As ``ImageEncoder``; ``feature_map`` is (B, D, h, w), after the projection."""
        features, map_padding = self.backbone(pixels, padding_mask)
        projected = self.projection(features)
        tokens = self.context(self.local(projected)).flatten(2).transpose(1, 2)
        position = sine_position(map_padding, self.width).flatten(1, 2).to(tokens.dtype)
        padding = map_padding.flatten(1)
        return ImageTokens(self.encoder(tokens, position, padding), position, padding, projected, map_padding)


class VerbBranch(nn.Module):
    """Verb logits of pairs: their vectors, refined by what lies in their boxes, against verb weights of the picture."""

    def __init__(self, config: Ki2hoiConfig) -> None:
        super().__init__()
        width = config.clip.embed_dim
        self.map_projection = nn.Conv2d(2 * config.width, config.width, 1)
        self.box_projection = nn.Linear(2 * config.width, width)
        self.dropout = nn.Dropout(config.dropout)
        self.pair_norm = nn.LayerNorm(width)
        self.pair_projection = nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width))
        self.extraction = VerbExtractionDecoder(
            config.verbs, config.width, config.transformer(width), config.verb_layers
        )
        bound = 1 / width**0.5  # Kaiming's uniform bound with slope sqrt(5), as the public code initialises them
        self.verb_weights = nn.Parameter(torch.empty(config.verbs, width).uniform_(-bound, bound))

    def forward(self, interactions: Tensor, boxes_cxcywh: Tensor, image: ImageTokens, extent_px: Tensor) -> Tensor:
        """(B, Q, V) cosines.

        Args:
            interactions: (B, Q, E).
            boxes_cxcywh: (B, 2 Q, 4) humans, then objects, in fractions of the unpadded picture.
            image: of the encoder.
            extent_px: (B, 2) width and height of the unpadded pictures.
        """
        in_boxes = self.dropout(self.box_projection(self._in_boxes(boxes_cxcywh, image, extent_px)))
        pairs = self.pair_projection(self.pair_norm(interactions + in_boxes))
        verbs = self.extraction(image.memory, image.position, image.padding_mask)
        weights = verbs * _VERB_FEATURE_SCALE + self.verb_weights
        return functional.normalize(pairs, dim=-1) @ functional.normalize(weights, dim=-1).transpose(1, 2)

    def _in_boxes(self, boxes_cxcywh: Tensor, image: ImageTokens, extent_px: Tensor) -> Tensor:
        """(B, Q, 2 D): mean feature in the human's box, then in the object's."""
        memory = image.memory_map()
        position = image.position.transpose(1, 2).reshape(memory.shape)
        features = self.map_projection(torch.cat((image.feature_map, memory), dim=1)) + position
        corners = corners_px(boxes_cxcywh, extent_px) / STRIDE_PX
        pooled = roi_align(features, corners, (_ROI_BINS, _ROI_BINS), sampling_ratio=_ROI_SAMPLES).mean(dim=(-2, -1))
        return torch.cat(pooled.chunk(2, dim=1), dim=-1)


class Ki2hoi(ClipFusionModel):
    """See ``ClipFusionModel``. Both variants hold the verb branch, so that the same weights fit both."""

    config: Ki2hoiConfig

    def __init__(self, config: Ki2hoiConfig | None = None) -> None:
        """Randomly initialised, CLIP too; ``KEY_MAP`` maps published weights."""
        config = Ki2hoiConfig() if config is None else config
        detr, embed = config.transformer(config.width), config.clip.embed_dim
        super().__init__(config, HoPairEncoder(detr, config.encoder_layers, backbone=config.backbone))
        self.verb_branch = VerbBranch(config)
        self.branch_adapter = MLP(config.verbs, embed // 2, embed, depth=3)

    def verb_vectors(self, interactions: Tensor, human_boxes: Tensor, object_boxes: Tensor, picture: Picture) -> Tensor:
        """With the branch's vector of the pair, in the paper's variant.

        The branch keeps its trained verbs in any vocabulary: their logits are a description of the pair.
        """
        vectors = super().verb_vectors(interactions, human_boxes, object_boxes, picture)
        if self.config.verb_branch == "released":
            return vectors
        boxes, extent_px = torch.cat((human_boxes, object_boxes), dim=1), extent(picture.padding_mask)
        cosines = self.verb_branch(interactions, boxes, picture.tokens, extent_px.to(interactions.dtype))
        added: Tensor = self.branch_adapter(self.classifier.logit_scale.exp() * cosines)
        return vectors + added


def extent(padding_mask: Tensor) -> Tensor:
    """(B, 2) float width and height of the area without padding, from a mask (B, H, W)."""
    real = ~padding_mask
    return torch.stack((real[:, 0, :].sum(dim=-1), real[:, :, 0].sum(dim=-1)), dim=-1).float()


_OWN_KEYS: tuple[tuple[str, str], ...] = (
    *image_encoder_keys(),
    *local_block_keys(r"transformer\.covencoder", "image.local"),
    *swiftformer_keys(r"transformer\.swiftormerencder", "image.context"),
    (r"conv_feature_map\.", "verb_branch.map_projection."),
    (r"roi_ho_downsample\.", "verb_branch.box_projection."),
    (r"ho_feat_norm\.", "verb_branch.pair_norm."),
    (r"verb_class_embed\.", "verb_branch.pair_projection."),
    (r"verb_class_weight$", "verb_branch.verb_weights"),
    (r"interaction_feature_proj\.", "verb_branch.extraction.memory_projection."),
    (r"interaction_pos_proj\.", "verb_branch.extraction.position_projection."),
    (r"interaction_tgt_embed\.weight$", "verb_branch.extraction.target"),
    (r"interaction_query_embed\.weight$", "verb_branch.extraction.query_position"),
    *decoder_keys(r"interaction_decoder\.decoder", "verb_branch.extraction.decoder"),
    (r"interaction_class_embed\.0\.linear1\.", "verb_branch.extraction.class_feedforward.expand."),
    (r"interaction_class_embed\.0\.linear2\.", "verb_branch.extraction.class_feedforward.contract."),
    (r"interaction_class_embed\.0\.norm\.", "verb_branch.extraction.class_feedforward.norm."),
    (r"interaction_class_embed\.1\.W$", "verb_branch.extraction.class_weights.weight"),
    (r"interaction_class_embed\.1\.b$", "verb_branch.extraction.class_weights.bias"),
    *mlp_keys("verb2inter", "branch_adapter"),
    *SHARED_KEYS,
)
KEY_MAP: tuple[tuple[str, str], ...] = (*_OWN_KEYS, *DEFAULT_ROWS)
IGNORED_KEYS: tuple[tuple[str, str], ...] = (*SHARED_IGNORED_KEYS, *DEFAULT_IGNORED_ROWS)
"""published keys of the default setting and of V-COCO"""
ZERO_SHOT_KEY_MAP: tuple[tuple[str, str], ...] = (*_OWN_KEYS, *ZERO_SHOT_ROWS)
ZERO_SHOT_IGNORED_KEYS: tuple[tuple[str, str], ...] = (*SHARED_IGNORED_KEYS, *ZERO_SHOT_IGNORED_ROWS)
"""published keys of the zero-shot settings (``zero_shot: true``)"""
