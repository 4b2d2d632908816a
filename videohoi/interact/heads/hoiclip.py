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
  goes back into a logit, capped below 1, so that ``HOIOutput.logits`` stays what it says; below the cap the order is
  the same. The
  cosines are with the model's rows; the public code keeps CLIP's text as it was before training, which is in no
  checkpoint (the evaluation rows of the zero-shot settings are that text).
- GEN-VLKT's interaction decoder, whose call the public forward has commented out, is built and loaded all the same
  (``idle_decoder``), so that a published checkpoint is kept whole but for small parts that ``IGNORED_KEYS`` names.
- In the pipeline scores are probabilities, sigmoid(interaction) times the object's; the public evaluation ranks by
  sigmoid(interaction) + sigmoid(object logit of that interaction's object) ** 2 (``interact.scoring``).
- Kept: padded tokens of DETR's memory are read by the fusion decoder (no mask there), and the untrained random bias
  of the interaction rows outside the zero-shot setting is loaded like any other weight.
"""

from __future__ import annotations

from dataclasses import dataclass

from videohoi.interact.heads.clip_fusion_model import (
    DEFAULT_IGNORED_ROWS,
    DEFAULT_ROWS,
    SHARED_IGNORED_KEYS,
    SHARED_KEYS,
    ZERO_SHOT_IGNORED_ROWS,
    ZERO_SHOT_ROWS,
    ClipFusionConfig,
    ClipFusionModel,
)
from videohoi.layers.image_encoder import ImageEncoder, image_encoder_keys
from videohoi.layers.transformer import Decoder, decoder_keys


@dataclass(frozen=True)
class HoiclipConfig(ClipFusionConfig):
    """Sizes and choices; defaults are those of the paper and of the public train script for HICO-DET."""


class Hoiclip(ClipFusionModel):
    """See ``ClipFusionModel``."""

    def __init__(self, config: HoiclipConfig | None = None) -> None:
        """Randomly initialised, CLIP too; ``KEY_MAP`` says how published weights load."""
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
