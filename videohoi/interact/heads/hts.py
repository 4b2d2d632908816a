"""HTS-style student: CLIP's image tower with one row a class that begins as the class's text, trained with LSE-Sign.

Paper: HTS (Jin, Chen, Wang, Wang, Hwang, Liu, ICIP 2023); only its abstract could be read. Its loss and student follow
DEFR of the same first authors (arXiv 2112.06392 and 2203.05676).
Public code: "Code is available", says the abstract; none was found, so there is no reference and no licence.
Weights: none are published.

What is known: the student is a CLIP ViT whose linear classifier is initialised from text embeddings of the classes; the
loss is LSE-Sign (``videohoi.train.hts``); a captioner over regions teaches it. It classifies whole pictures.

Choices of this project (the abstract leaves them open):
- in video a pair's picture is its union crop, so scores are of pairs; HTS itself finds no boxes;
- logits = exp(scale) cos(image, row) + bias with one scale and one bias for all classes, so that rows stay text-like
  and a row of another word can take a trained row's place (``--vocab``); scale starts at CLIP's log(1 / .07), bias at
  -10 as in SigLIP (arXiv 2303.15343, section 3), so that at first no class is predicted for any picture;
- ViT-B/16 and the prompts of ``gen-vlkt``; scores are sigmoids, since several classes may hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from videohoi.errors import ModelError
from videohoi.files import known_sha256
from videohoi.interact.classes import refuse_other_classes, reported_rows, text_classes
from videohoi.interact.heads.union_crops import LoadedModel, UnionCropHead
from videohoi.interact.imported import load_imported
from videohoi.interact.protocol import ModelOptions
from videohoi.interact.scoring import ClassRows, ScoreRule
from videohoi.interact.torch_engine import fill, load_clip
from videohoi.layers.clip import LOGIT_SCALE, ClipConfig, ImageTower, clip_config
from videohoi.layers.padded_pairs import take_rows
from videohoi.structures.interactions import HOIOutput

PROMPTS = "gen-vlkt"
_NOTE = "CLIP student on union crops"
BIAS = -10.0
"""as in SigLIP (arXiv 2303.15343, section 3)"""
KEY_MAP: tuple[tuple[str, str], ...] = ((r"", ""),)
"""weights are trained here, under our own names"""
IGNORED_KEYS: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class HtsConfig:
    """Sizes of the student."""

    clip: str = "ViT-B/16"
    """a name of ``layers.clip.CLIP_MODELS``"""
    classes: int = 600
    """K, a row for each interaction of HICO-DET, in its order"""
    exact_gelu: bool = False
    """for students of weights trained with it (LAION's, DataComp's); OpenAI's have QuickGELU"""

    def sizes(self) -> ClipConfig:
        """Of CLIP; ``UsageError`` where there is no such model."""
        return replace(clip_config(self.clip), quick_gelu=not self.exact_gelu)


class Hts(nn.Module):
    """Image tower and classifier rows; the rows are zero before weights are loaded."""

    def __init__(self, config: HtsConfig | None = None, sizes: ClipConfig | None = None) -> None:
        """``sizes`` overrides those of ``config.clip``, for tests."""
        super().__init__()
        config = config or HtsConfig()
        self.tower = ImageTower(sizes or config.sizes())
        self.rows = nn.Parameter(torch.zeros(config.classes, self.tower.config.embed_dim))
        self.scale = nn.Parameter(torch.tensor(LOGIT_SCALE))
        self.bias = nn.Parameter(torch.tensor(BIAS))

    def classify(self, pictures: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (N, 3, S, S) and class rows (K, E) to logits (N, K) and unit features (N, E)."""
        features = functional.normalize(self.tower(pictures).pooled, dim=-1)
        return self.scale.exp() * features @ functional.normalize(rows, dim=-1).T + self.bias, features

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
        """Crops (B, C, 3, S, S) normalised, class rows (K, E) - ``self.rows`` or text -, the rest as ``PairInputs``.

        Returns logits (B, P, K) of interactions and features (B, P, E) of length 1.
        """
        logits, features = (
            take_rows(values.reshape(*crops.shape[:2], values.shape[-1]), crop_rows)
            for values in self.classify(crops.flatten(0, 1), text_rows)
        )
        return HOIOutput(
            boxes_cxcywh, pair_rows, pair_mask, logits, scores=scores, class_ids=class_ids, truncated=truncated,
            features=features,
        )  # fmt: skip


class HtsHead(UnionCropHead):
    """The method in a pipeline."""

    name = "hts"

    def load(self, options: ModelOptions) -> LoadedModel:
        """Trained weights; for words of the user's own also CLIP's text tower."""
        if options.weights is None:
            raise ModelError(
                "hts needs weights and none are published: train the student with the loss of videohoi.train.hts, "
                "save it with videohoi.interact.imported.save_imported, and give the file with --weights"
            )
        imported = load_imported(options.weights, self.name)
        config: HtsConfig = options.config or HtsConfig()
        if reported_rows(options) is not None:
            refuse_other_classes(options.weights, imported.origin, config)
        model = self._build(config)
        fill(model, imported.state_dict, str(options.weights))
        rows, classes, note = self._classes(model, config, options)
        rule = ScoreRule(options.vocabulary, "fusion", classes, options.box_lambda, options.calibration)
        size_px = model.tower.config.image_size_px
        return LoadedModel(model, rows, rule, size_px, known_sha256(options.weights), note)

    def _build(self, config: HtsConfig) -> Hts:
        try:
            return Hts(config, self.sizes)
        except RuntimeError as error:  # torch's of a negative size
            raise ModelError(f"hts: a model of classes={config.classes} cannot be built; expected 1 or more") from error

    def _classes(self, model: Hts, config: HtsConfig, options: ModelOptions) -> tuple[Tensor, ClassRows, str]:
        """Rows, their meaning, and the note on the scores for the report."""
        trained = reported_rows(options)
        if trained is not None:
            return model.rows.detach(), trained, _NOTE
        loaded = load_clip(self.sizes or config.sizes(), options.clip_weights, f"{self.name} --vocab with new words")
        classes = text_classes(options.vocabulary, PROMPTS)
        embeddings = loaded.text.bank(classes.names, classes.sentences).embeddings
        return torch.from_numpy(embeddings), classes.rows, loaded.note or _NOTE
