"""EoID: the one-stage student that inference needs; CLIP teaches it in training and is absent here.

Paper: Wu et al., "End-to-End Zero-Shot HOI Detection via Vision and Language Knowledge Distillation", AAAI 2023
(arXiv 2204.03541). The student is CDN-S (Zhang et al., NeurIPS 2021, arXiv 2108.05077) with an interactive-score head.
Code: github.com/mrwu-mac/EoID (Apache-2.0). Written from the papers' formulas, same outputs on the same weights.

Deviations:
- The interactive score chooses training pairs; inference does not read it, as in the public code (its product is
  commented out there). Its weights are kept, so that a published checkpoint stays whole.
- CDN's optional matching head is left out; EoID was trained and evaluated without it.
- No auxiliary outputs.
- Attention runs on PyTorch's fused kernel, batch first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from videohoi.layers.box_head import BoxHead, mlp_keys, paired_output
from videohoi.layers.image_encoder import IMAGE_ENCODER_IGNORED_KEYS, ImageEncoder, image_encoder_keys
from videohoi.layers.transformer import Decoder, TransformerConfig, decoder_keys
from videohoi.structures.interactions import HOIOutput


@dataclass(frozen=True)
class EoIDConfig:
    """Sizes; the defaults are the paper's (section 5.1) on HICO-DET. V-COCO's has 29 verbs and 81 objects."""

    verb_classes: int = 117
    object_classes: int = 80
    queries: int = 64
    width: int = 256
    heads: int = 8
    feedforward: int = 2048
    dropout: float = 0.1
    encoder_layers: int = 6
    pair_layers: int = 3
    interaction_layers: int = 3
    backbone: str = "resnet50"
    dilated: bool = False
    detach_queries: bool = True
    """the interaction decoder's gradient stops at its queries (``--vdetach`` of the published training)"""


class EoID(nn.Module):
    """Pixels to Q pairs with verb logits.

    A pair decoder finds human and object together; its last output is the query position of the interaction decoder,
    which starts from zeros (CDN, section 3.2). Score of the public evaluation: ``sigmoid(verb) * max softmax(object)``.
    """

    classes: ClassVar[Literal["verbs", "interactions"]] = "verbs"

    def __init__(self, config: EoIDConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or EoIDConfig()
        sizes = TransformerConfig(config.width, config.heads, config.feedforward, config.dropout)
        self.image = ImageEncoder(sizes, config.encoder_layers, backbone=config.backbone, dilated=config.dilated)
        self.queries = nn.Parameter(torch.randn(config.queries, config.width))
        self.pair_decoder = Decoder(sizes, config.pair_layers)
        self.interaction_decoder = Decoder(sizes, config.interaction_layers)
        self.human_box = BoxHead(config.width)
        self.object_box = BoxHead(config.width)
        self.object_class = nn.Linear(config.width, config.object_classes + 1)
        self.verb_class = nn.Linear(config.width, config.verb_classes)
        self.interactive_score = nn.Linear(config.width, 2)

    def forward(self, pixels: Tensor, padding_mask: Tensor) -> HOIOutput[Tensor]:
        """The last layer's answer.

        Args:
            pixels: (B, 3, H, W) float, normalised with ImageNet's mean and deviation, zeros in the padding.
            padding_mask: (B, H, W) bool, True where padding.

        Returns:
            2 Q boxes, Q pairs, verb logits (B, Q, V), object logits (B, Q, O + 1), features (B, Q, D) of the
            interaction decoder. Boxes are fractions of the unpadded picture.
        """
        image = self.image(pixels, padding_mask)
        around = (image.memory, image.position, image.padding_mask)
        pairs = self.pair_decoder(self.queries.expand(len(pixels), -1, -1), *around)[-1]
        queries = pairs.detach() if self.config.detach_queries else pairs
        interactions = self.interaction_decoder(queries, *around)[-1]
        boxes = self.human_box(pairs), self.object_box(pairs)
        return paired_output(*boxes, self.verb_class(interactions), self.object_class(pairs), interactions)


KEY_MAP: tuple[tuple[str, str], ...] = (
    *image_encoder_keys(),
    *decoder_keys(r"transformer\.decoder", "pair_decoder"),
    *decoder_keys(r"transformer\.interaction_decoder", "interaction_decoder"),
    (r"query_embed\.weight", "queries"),
    *mlp_keys(r"sub_bbox_embed", "human_box.mlp"),
    *mlp_keys(r"obj_bbox_embed", "object_box.mlp"),
    (r"obj_class_embed\.", "object_class."),
    (r"verb_class_embed\.", "verb_class."),
    (r"is_embed\.", "interactive_score."),
)
"""from the published names to ours"""

IGNORED_KEYS: tuple[tuple[str, str], ...] = (
    *IMAGE_ENCODER_IGNORED_KEYS,
    (r"transformer\.stage2_decoder\.", "the converter's copy of DETR's decoder under a name no model has"),
    (r"(class|bbox)_embed\.", "DETR's own heads, copied into the object and box heads by the converter"),
    (r"matching_embed\.", "CDN's optional matching head; EoID was trained and evaluated without it"),
    (r"(criterion\.)?(empty_weight|clip\.)", "part of the training loss: class weights and the CLIP teacher"),
    (r"text_features", "the CLIP teacher's text; the student reads none"),
)
"""published keys that are not needed, and why"""
