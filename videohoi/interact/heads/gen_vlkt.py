"""GEN-VLKT: human and object queries in pairs, interactions compared with CLIP text.

Paper: Liao et al., "GEN-VLKT: Simplify Association and Enhance Interaction Understanding for HOI Detection", CVPR 2022
(arXiv 2203.13954). Code: github.com/YueLiao/gen-vlkt (MIT). Written from the paper's formulas, same outputs on the same
weights.

Deviations:
- The text rows may be given to ``forward``, so that the vocabulary changes without new weights:
  ``logits = exp(scale) * cos(feature, text)``. Without them the trained projections answer, including their bias.
- Published zero-shot checkpoints evaluate with a projection whose bias was never trained; it is loaded and used,
  because the published figures were obtained with it.
- A zero-shot model answers with all interactions; the classifier that it was trained with is loaded, not run.
- No auxiliary outputs.
- Only the CLIP-initialised classifiers are built, which all published models have.
- Attention runs on PyTorch's fused kernel, batch first.
- In the pipeline scores are probabilities, sigmoid(interaction) times the object's; the public evaluation ranks by
  sigmoid(interaction) + sigmoid(object logit of that interaction's object) ** 2 (``interact.scoring``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from videohoi.layers.box_head import BoxHead, mlp_keys, paired_output
from videohoi.layers.image_encoder import IMAGE_ENCODER_IGNORED_KEYS, ImageEncoder, image_encoder_keys
from videohoi.layers.transformer import Decoder, TransformerConfig, decoder_keys
from videohoi.structures.interactions import HOIOutput

INITIAL_LOGIT_SCALE = math.log(1 / 0.07)
"""CLIP's own start of the learned temperature (arXiv 2103.00020, section 2.4)"""


@dataclass(frozen=True)
class GenVlktConfig:
    """Sizes; the defaults are the paper's GEN-VLKT-S on HICO-DET (section 4.1).

    M has ``resnet101``, L also 6 decoder layers. V-COCO has 263 interactions and 81 objects.
    """

    interaction_classes: int = 600
    object_classes: int = 80
    seen_classes: int | None = None
    """rows of a zero-shot model's training classifier (480 with RF-UC); None where training saw every interaction"""
    text_width: int = 512
    """CLIP ViT-B/32's"""
    queries: int = 64
    width: int = 256
    heads: int = 8
    feedforward: int = 2048
    dropout: float = 0.1
    encoder_layers: int = 6
    decoder_layers: int = 3
    backbone: str = "resnet50"
    dilated: bool = False


class TextClassifier(nn.Module):
    """Logits of tokens against unit text rows: the cosine times a learned temperature (section 3.3).

    Args:
        width: D of the tokens.
        text_width: E of the text rows.
        classes: rows of the trained projection that answers when no text is given.
    """

    def __init__(self, width: int, text_width: int, classes: int) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(width, text_width), nn.LayerNorm(text_width))
        self.projection = nn.Linear(text_width, classes)
        self.logit_scale = nn.Parameter(torch.tensor(INITIAL_LOGIT_SCALE))

    def logits(self, embedded: Tensor, text: Tensor | None = None, projection: nn.Linear | None = None) -> Tensor:
        """(B, Q, K) of embedded tokens (B, Q, E).

        Against ``text`` (K, E), rows of any length; without it through ``projection`` and its bias; without that
        through the trained projection and its bias.
        """
        unit = functional.normalize(embedded, dim=-1)
        if text is not None:
            compared = unit @ functional.normalize(text, dim=-1).T
        else:
            compared = (projection or self.projection)(unit)
        return self.logit_scale.exp() * compared


class GenVlkt(nn.Module):
    """Pixels to Q pairs with interaction logits.

    Human and object queries share a position-guided embedding, which makes them pairs; one instance decoder answers
    both. Layer k of the interaction decoder has the mean of the pair's layer k as query position (section 3.2).
    """

    classes: ClassVar[Literal["verbs", "interactions"]] = "interactions"

    def __init__(self, config: GenVlktConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or GenVlktConfig()
        sizes = TransformerConfig(config.width, config.heads, config.feedforward, config.dropout)
        self.image = ImageEncoder(sizes, config.encoder_layers, backbone=config.backbone, dilated=config.dilated)
        self.human_queries = nn.Parameter(torch.randn(config.queries, config.width))
        self.object_queries = nn.Parameter(torch.randn(config.queries, config.width))
        self.pair_position = nn.Parameter(torch.rand(config.queries, config.width))
        self.instance_decoder = Decoder(sizes, config.decoder_layers)
        self.interaction_decoder = Decoder(sizes, config.decoder_layers)
        self.human_box = BoxHead(config.width)
        self.object_box = BoxHead(config.width)
        trained = config.interaction_classes if config.seen_classes is None else config.seen_classes
        self.interaction_class = TextClassifier(config.width, config.text_width, trained)
        self.object_class = TextClassifier(config.width, config.text_width, config.object_classes + 1)
        self.evaluation_projection: nn.Linear | None = None
        if config.seen_classes is not None:
            self.evaluation_projection = nn.Linear(config.text_width, config.interaction_classes)

    def forward(
        self, pixels: Tensor, padding_mask: Tensor, text: Tensor | None = None, object_text: Tensor | None = None
    ) -> HOIOutput[Tensor]:
        """The last layer's answer.

        Args:
            pixels: (B, 3, H, W) float, normalised with ImageNet's mean and deviation, zeros in the padding.
            padding_mask: (B, H, W) bool, True where padding.
            text: (K, E) CLIP text vectors of the interactions, of any length; None uses the trained projection.
            object_text: (O + 1, E) the same of the objects, last = nothing.

        Returns:
            2 Q boxes, Q pairs, interaction logits (B, Q, K), object logits (B, Q, O + 1), features (B, Q, E) to
            compare with text. Boxes are fractions of the unpadded picture.
        """
        image = self.image(pixels, padding_mask)
        around = (image.memory, image.position, image.padding_mask)
        queries = torch.cat((self.human_queries + self.pair_position, self.object_queries + self.pair_position))
        pairs = self.instance_decoder(queries.expand(len(pixels), -1, -1), *around)
        humans, objects = pairs.chunk(2, dim=2)
        interactions = self.interaction_decoder((humans + objects) / 2, *around)[-1]
        features = self.interaction_class.embed(interactions)
        logits = self.interaction_class.logits(features, text, self.evaluation_projection)
        object_logits = self.object_class.logits(self.object_class.embed(objects[-1]), object_text)
        boxes = self.human_box(humans[-1]), self.object_box(objects[-1])
        return paired_output(*boxes, logits, object_logits, features)


KEY_MAP: tuple[tuple[str, str], ...] = (
    *image_encoder_keys(),
    *decoder_keys(r"transformer\.instance_decoder", "instance_decoder"),
    *decoder_keys(r"transformer\.interaction_decoder", "interaction_decoder"),
    (r"query_embed_h\.weight", "human_queries"),
    (r"query_embed_o\.weight", "object_queries"),
    (r"pos_guided_embedd\.weight", "pair_position"),
    *mlp_keys(r"hum_bbox_embed", "human_box.mlp"),
    *mlp_keys(r"obj_bbox_embed", "object_box.mlp"),
    (r"hoi_class_fc\.", "interaction_class.embed."),
    (r"visual_projection\.", "interaction_class.projection."),
    (r"eval_visual_projection\.", "evaluation_projection."),
    (r"logit_scale", "interaction_class.logit_scale"),
    (r"obj_class_fc\.", "object_class.embed."),
    (r"obj_visual_projection\.", "object_class.projection."),
    (r"obj_logit_scale", "object_class.logit_scale"),
)
"""from the published names to ours; ``eval_visual_projection`` is in zero-shot checkpoints only"""

IGNORED_KEYS: tuple[tuple[str, str], ...] = (
    *IMAGE_ENCODER_IGNORED_KEYS,
    (r"(query_embed|class_embed|bbox_embed)\.", "DETR's own queries and heads, copied by the converter"),
    (r"obj_class_embed\.", "the converter's object classifier; CLIP's text classifies objects"),
    (r"(criterion\.)?(empty_weight|clip_model\.)", "part of the training loss: class weights and the CLIP teacher"),
)
"""published keys that are not needed, and why"""
