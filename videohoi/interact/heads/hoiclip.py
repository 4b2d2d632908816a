"""HOICLIP: GEN-VLKT's pair decoder, and interactions read from CLIP's visual tokens ("HOICLIP", arXiv 2303.15786).

Public code: Artanic30/HOICLIP. It states no licence, so that this file is written from the paper's formulas and from
facts about that code (shapes, order of operations, key names).

Deviations from the public code:

- CLIP's text tower, which the public model carries along and reads once, to begin its rows, is kept (``clip_text``)
  for other words; ``forward`` does not run it. Text rows and the verb-to-interaction matrix are parameters of the
  trained vocabulary, or inputs of ``forward`` for any other (open vocabulary).
- No auxiliary outputs.
- Training-free enhancement. The public code adds sigmoid(cosine of CLIP's image vector and the interaction) to the
  interaction *scores* of the ``enhancement_top`` interactions of a picture and sigmoid(0) = 0.5 to all others; as
  released it multiplies matrices that do not fit (``spatial_cls @ hoi_cls`` for (B, E) and (K, E)) and zeroes the same
  tensor again in every round of its search for the best number. Here the constant 0.5 is left out, and the sum
  goes back into a logit, capped below 1, so that ``HOIOutput.logits`` are logits; below the cap the order is
  the same. The
  cosines are with the model's rows; the public code keeps CLIP's text as it was before training, which is in no
  checkpoint (the evaluation rows of the zero-shot settings are that text).
- GEN-VLKT's interaction decoder, whose call the public forward has commented out, is built and loaded all the same
  (``idle_decoder``), so that a published checkpoint is kept whole but for small parts that ``IGNORED_KEYS`` names.
- In the pipeline scores are probabilities, sigmoid(interaction) times the object's; the public evaluation ranks by
  sigmoid(interaction) + sigmoid(object logit of that interaction's object) ** 2 (``interact.scoring``).
- Kept: padded tokens of DETR's memory are read by the fusion decoder (no mask there), and the untrained random bias
  of the interaction rows outside the zero-shot setting is loaded like any other weight.

``ClipFusionModel`` is what HOICLIP and KI2HOI share; what KI2HOI adds, leaves out and deviates in is in its own file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple

from torch import Tensor, nn

from videohoi.layers.box_head import MLP, BoxHead, mlp_keys, paired_output
from videohoi.layers.clip import ClipConfig, ImageFeatures, ImageTower, TextTower
from videohoi.layers.clip_fusion import (
    ClipFusion,
    InteractionClassifier,
    PairDecoder,
    TextRows,
    VocabularySizes,
    enhance,
    fusion_decoder_keys,
)
from videohoi.layers.image_encoder import ImageEncoder, ImageTokens, image_encoder_keys
from videohoi.layers.transformer import Decoder, TransformerConfig, decoder_keys
from videohoi.structures.interactions import HOIOutput


@dataclass(frozen=True)
class ClipFusionConfig:
    """Sizes and choices; the defaults are those of both public train scripts for HICO-DET."""

    interactions: int = 600
    """K, text rows of (verb, object) classes"""
    objects: int = 80
    """O, object classes; one more row stands for nothing"""
    verbs: int = 117
    """V, verb prototypes"""
    queries: int = 64
    """Q, pairs"""
    width: int = 256
    """D, of DETR's tokens"""
    heads: int = 8
    feedforward: int = 2048
    dropout: float = 0.1
    encoder_layers: int = 6
    instance_layers: int = 3
    fusion_layers: int = 3
    backbone: str = "resnet50"
    clip: ClipConfig = field(default_factory=ClipConfig)
    verb_weight: float = 0.5
    """of the verb adapter's logits, relative to the interaction's own"""
    zero_shot: bool = False
    """the interaction rows have no bias, as the public evaluation rows of the zero-shot settings"""
    enhancement_top: int = 0
    """interactions of a picture that training-free enhancement raises (HOICLIP's paper: 10); 0 = off"""
    enhancement_weight: float = 1.0

    def transformer(self, width: int) -> TransformerConfig:
        """Sizes of an encoder or decoder of ``width``."""
        return TransformerConfig(width, self.heads, self.feedforward, self.dropout)

    def sizes(self) -> VocabularySizes:
        """Of the trained vocabulary."""
        return VocabularySizes(self.interactions, self.verbs, self.objects, self.clip.embed_dim)


class Picture(NamedTuple):
    """What the output is computed from besides the pairs."""

    tokens: ImageTokens
    padding_mask: Tensor
    """(B, H, W) of the pixels"""
    seen: ImageFeatures
    """by CLIP"""


class ClipFusionModel(nn.Module):
    """Pixels to Q pairs with interaction logits. CLIP's image tower is frozen and runs at inference.

    ``clip_text`` is CLIP's frozen text tower, for rows of other words; ``forward`` never runs it.
    """

    classes: ClassVar[Literal["verbs", "interactions"]] = "interactions"

    def __init__(self, config: ClipFusionConfig, image: ImageEncoder) -> None:
        """Randomly initialised, CLIP too."""
        super().__init__()
        self.config: ClipFusionConfig = config
        detr, embed = config.transformer(config.width), config.clip.embed_dim
        self.image = image
        self.pairs = PairDecoder(config.queries, detr, config.instance_layers)
        self.human_box, self.object_box = BoxHead(config.width), BoxHead(config.width)
        self.clip = ImageTower(config.clip).requires_grad_(False)
        self.fusion = ClipFusion(config.width, config.transformer(config.clip.image_width), config.fusion_layers)
        self.verb_adapter = MLP(embed, embed // 2, embed, depth=3)
        self.classifier = InteractionClassifier(
            config.sizes(), config.width, interaction_bias=not config.zero_shot, verb_weight=config.verb_weight
        )
        self.clip_text = TextTower(config.clip).requires_grad_(False)

    def forward(
        self,
        pixels: Tensor,
        padding_mask: Tensor,
        clip_pixels: Tensor,
        text: Tensor | None = None,
        object_text: Tensor | None = None,
        verb_to_interaction: Tensor | None = None,
        verb_text: Tensor | None = None,
    ) -> HOIOutput[Tensor]:
        """The last layer's answer; without text inputs for the trained vocabulary.

        Args:
            pixels: (B, 3, H, W) float, normalised with ImageNet's mean and deviation, zeros in the padding.
            padding_mask: (B, H, W) bool, True where padding.
            clip_pixels: (B, 3, S, S) the same pictures as CLIP wants them (``layers.clip``).
            text: (K, E) CLIP text vectors of other interactions, of any length; needs ``verb_to_interaction``.
            object_text: (O + 1, E) the same of other objects, last = nothing.
            verb_to_interaction: (V, K) 1 where interaction k is of verb v, else 0; a verb without a prototype may have
                no 1.
            verb_text: (V, E) rows of other verbs; text vectors where there are no visual prototypes.

        Returns:
            2 Q boxes in fractions of the unpadded picture, Q pairs, interaction logits (B, Q, K), object logits
            (B, Q, O + 1), features (B, Q, E) to compare with text.

        Raises:
            UsageError: the shapes of the text inputs do not fit each other or CLIP.
        """
        rows = TextRows(text, verb_to_interaction, object_text, verb_text).checked(self.config.sizes())
        tokens = self.image(pixels, padding_mask)
        pairs, picture = self.pairs(tokens), Picture(tokens, padding_mask, self.clip(clip_pixels))
        interactions = self.fusion(pairs, picture.seen.tokens, tokens.memory) @ self.clip.proj
        boxes = self.human_box(pairs.humans), self.object_box(pairs.objects)
        logits = self.classifier(interactions, self.verb_vectors(interactions, *boxes, picture), rows)
        cosines = self.classifier.image_cosines(picture.seen.pooled, rows)
        logits = enhance(logits, cosines, self.config.enhancement_top, self.config.enhancement_weight)
        return paired_output(*boxes, logits, self.classifier.object_logits(pairs.objects, rows), interactions)

    def verb_vectors(self, interactions: Tensor, human_boxes: Tensor, object_boxes: Tensor, picture: Picture) -> Tensor:
        """(B, Q, E) to compare with verb rows, from interactions (B, Q, E) and boxes (B, Q, 4)."""
        del human_boxes, object_boxes, picture
        vectors: Tensor = self.verb_adapter(interactions)
        return vectors


Rows = tuple[tuple[str, str], ...]
SHARED_KEYS: Rows = (
    (r"clip_model\.visual\.transformer\.resblocks\.", "clip.blocks."),
    (r"clip_model\.visual\.", "clip."),
    (r"clip_model\.transformer\.resblocks\.", "clip_text.blocks."),
    (r"clip_model\.(token_embedding\.|positional_embedding$|ln_final\.|text_projection$)", r"clip_text.\1"),
    *decoder_keys(r"transformer\.instance_decoder", "pairs.decoder"),
    (r"query_embed_h\.weight$", "pairs.human_queries"),
    (r"query_embed_o\.weight$", "pairs.object_queries"),
    (r"pos_guided_embedd\.weight$", "pairs.pair_position"),
    *mlp_keys("hum_bbox_embed", "human_box.mlp"),
    *mlp_keys("obj_bbox_embed", "object_box.mlp"),
    *fusion_decoder_keys(r"transformer\.clip_interaction_decoder", "fusion.decoder"),
    (r"transformer\.queries2spacial_proj\.", "fusion.query_projection.0."),
    (r"transformer\.queries2spacial_proj_norm\.", "fusion.query_projection.1."),
    (r"transformer\.obj_class_fc\.", "fusion.memory_projection.0."),
    (r"transformer\.obj_class_ln\.", "fusion.memory_projection.1."),
    *mlp_keys("inter2verb", "verb_adapter"),
    (r"logit_scale$", "classifier.logit_scale"),
    (r"obj_logit_scale$", "classifier.object_logit_scale"),
    (r"obj_class_fc\.", "classifier.object_projection."),
    (r"obj_visual_projection\.", "classifier.objects."),
    (r"verb_projection\.", "classifier.verbs."),
)
SHARED_IGNORED_KEYS: Rows = (
    (r"backbone\..*\.num_batches_tracked$", "counter of training steps; frozen batch norm has none"),
    (r"backbone\.0\.body\.fc\.", "ImageNet classifier, not part of the feature map"),
    (r"clip_model\.logit_scale$", "CLIP's own factor; the model's logit_scale is the one that is read"),
    (r"transformer\.clip_interaction_decoder\.layers\.\d+\.norm4\.", "declared, never used in the public forward"),
    (r"transformer\.inter_guided_embedd\.", "declared, never used in the public forward"),
    (r"hoi_class_fc\.", "GEN-VLKT's projection; not used with CLIP's own projection"),
)
DEFAULT_ROWS: Rows = (
    (r"visual_projection\.", "classifier.interactions."),
    (r"verb2hoi_proj$", "classifier.verb_to_interaction"),
)
DEFAULT_IGNORED_ROWS: Rows = (
    (r"verb2hoi_proj_eval$", "the same matrix as verb2hoi_proj where all interactions are seen"),
)
ZERO_SHOT_ROWS: Rows = (
    (r"eval_visual_projection\.", "classifier.interactions."),
    (r"verb2hoi_proj_eval$", "classifier.verb_to_interaction"),
)
ZERO_SHOT_IGNORED_ROWS: Rows = (
    (r"visual_projection\.", "training rows of the seen interactions; the evaluation rows hold all"),
    (r"verb2hoi_proj$", "training matrix of the seen interactions; the evaluation matrix holds all"),
)


@dataclass(frozen=True)
class HoiclipConfig(ClipFusionConfig):
    """Sizes and choices; defaults are those of the paper and of the public train script for HICO-DET."""


class Hoiclip(ClipFusionModel):
    """See ``ClipFusionModel``."""

    def __init__(self, config: HoiclipConfig | None = None) -> None:
        """Randomly initialised, CLIP too; ``KEY_MAP`` maps published weights."""
        config = HoiclipConfig() if config is None else config
        detr = config.transformer(config.width)
        super().__init__(config, ImageEncoder(detr, config.encoder_layers, backbone=config.backbone))
        self.idle_decoder = Decoder(detr, config.instance_layers).requires_grad_(False)


_OWN_KEYS = (*image_encoder_keys(), *SHARED_KEYS, *decoder_keys(r"transformer\.interaction_decoder", "idle_decoder"))
KEY_MAP: tuple[tuple[str, str], ...] = (*_OWN_KEYS, *DEFAULT_ROWS)
IGNORED_KEYS: tuple[tuple[str, str], ...] = (*SHARED_IGNORED_KEYS, *DEFAULT_IGNORED_ROWS)
"""published keys of the default setting and of V-COCO"""
ZERO_SHOT_KEY_MAP: tuple[tuple[str, str], ...] = (*_OWN_KEYS, *ZERO_SHOT_ROWS)
ZERO_SHOT_IGNORED_KEYS: tuple[tuple[str, str], ...] = (*SHARED_IGNORED_KEYS, *ZERO_SHOT_IGNORED_ROWS)
"""published keys of the zero-shot settings (``zero_shot: true``)"""
