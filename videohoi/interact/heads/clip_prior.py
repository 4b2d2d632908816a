"""clip_prior: no training at all. CLIP on the box around a pair, among the interactions that its object allows.

Paper: EoID (Wu et al., AAAI 2023, arXiv 2204.03541), section 4.3 (equation 6) and table 2: its CLIP teacher alone.
Public code: mrwu-mac/EoID models/EoID.py (Apache-2.0); CLIP: openai/CLIP (MIT).

For each pair: cut the union box out of the picture, make it square with black, resize to CLIP's size; logits = gamma
cos(image, text) with the sentences "a picture of person {verb-ing} {object}"; softmax over the interactions of the
detected object without "no interaction"; each goes to its verb. In video the box scores enter as in ``fusion``.

Deviations:
- CLIP ViT-B/32 by default instead of RN50x16, since ``layers/clip.py`` builds ViT towers only; ViT-B/16 and
  ViT-L/14 by ``clip``. EoID's figures belong to RN50x16.
- The object's class comes from the detector; EoID's teacher is given the annotated one.
- The teacher labels pairs that are known to interact, so its softmax always finds an interaction. In video most pairs
  do nothing most of the time: "a picture of person and {object}" competes here, as many times as there are sentences
  with a verb, so that CLIP decides from even odds (``nothing``).
- With words of the user's own, HICO-DET's interactions of the same object compete in the softmax without being
  reported: among one word alone every picture would be certain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from videohoi.errors import UsageError
from videohoi.interact.classes import text_classes
from videohoi.interact.heads.union_crops import LoadedModel, UnionCropHead
from videohoi.interact.protocol import ModelOptions
from videohoi.interact.scoring import ScoreRule
from videohoi.interact.torch_engine import largest_gamma, load_clip
from videohoi.layers.clip import ClipConfig, ImageTower, clip_config
from videohoi.layers.padded_pairs import take_rows
from videohoi.structures.interactions import HOIOutput
from videohoi.vocabulary import hico_det


@dataclass(frozen=True)
class ClipPriorConfig:
    """Settings of the method."""

    clip: str = "ViT-B/32"
    """a name of ``layers.clip.CLIP_MODELS``"""
    gamma: float | None = None
    """factor on cosines; None: the one CLIP was trained to, 100 in OpenAI's weights (so EoID, section 5.1)"""
    nothing: bool = True
    """"a picture of person and cup" competes as well; False: EoID's softmax, in which something is always done"""
    exact_gelu: bool = False
    """for weights trained with it (LAION's, DataComp's); OpenAI's have QuickGELU"""

    def __post_init__(self) -> None:
        if self.gamma is not None and not 0 < self.gamma < float("inf"):
            raise UsageError(f"clip_prior: gamma={self.gamma}: expected a factor above 0, or null for CLIP's own")

    def sizes(self) -> ClipConfig:
        """Of CLIP; ``UsageError`` where there is no such model."""
        return replace(clip_config(self.clip), quick_gelu=not self.exact_gelu)


class ClipPrior(nn.Module):
    """Cosines of union crops with sentences, times gamma."""

    def __init__(self, tower: ImageTower, gamma: float) -> None:
        super().__init__()
        self.tower = tower
        self.gamma = gamma

    def forward(
        self,
        crops: Tensor,
        text_rows: Tensor,
        boxes_cxcywh: Tensor,
        pair_rows: Tensor,
        pair_mask: Tensor,
        scores: Tensor,
        class_ids: Tensor,
        truncated: Tensor,
        crop_rows: Tensor,
    ) -> HOIOutput[Tensor]:
        """Crops (B, C, 3, S, S) normalised, text rows (K, E) of length 1, the rest as ``PairInputs``.

        Returns logits (B, P, K) of interactions and features (B, P, E) of length 1.
        """
        pooled = self.tower(crops.flatten(0, 1)).pooled
        seen = functional.normalize(pooled, dim=-1).reshape(*crops.shape[:2], pooled.shape[-1])
        features = take_rows(seen, crop_rows)
        return HOIOutput(
            boxes_cxcywh, pair_rows, pair_mask, self.gamma * features @ text_rows.T,
            scores=scores, class_ids=class_ids, truncated=truncated, features=features,
        )  # fmt: skip


class ClipPriorHead(UnionCropHead):
    """The method in a pipeline."""

    name = "clip_prior"

    def load(self, options: ModelOptions) -> LoadedModel:
        """CLIP's image tower and the sentences of the vocabulary."""
        config: ClipPriorConfig = options.config or ClipPriorConfig()
        loaded = load_clip(self.sizes or config.sizes(), options.clip_weights, self.name)
        rivals = hico_det() if options.own_words else None
        classes = text_classes(options.vocabulary, "eoid", rivals, nothing=config.nothing)
        bank = loaded.text.bank(classes.names, classes.sentences)
        gamma = largest_gamma(loaded.clip.logit_scale) if config.gamma is None else config.gamma
        rule = ScoreRule(options.vocabulary, "prior", classes.rows, options.box_lambda, options.calibration)
        note = loaded.note or f"CLIP {config.clip} compares pairs with words; nothing was trained for this"
        model, rows = ClipPrior(loaded.clip.image, gamma), torch.from_numpy(bank.embeddings)
        return LoadedModel(model, rows, rule, loaded.clip.image.config.image_size_px, loaded.sha256, note)
