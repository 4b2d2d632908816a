"""LAIN: locality-aware zero-shot detection of interactions on CLIP (Kim et al., CVPR 2025, arXiv 2505.19503).

Public code: OreoChocolate/LAIN, MIT. Written from the paper's formulas and the code's behaviour; with its weights the
logits are those of its ``compute_sim_scores``. One token per human-object pair passes through CLIP's image tower beside
the class token and the patches. It attends to itself and the patches, and nothing attends to it. What differs:

- the picture's tokens therefore do not depend on the pairs: they run once per picture, and pairs follow in chunks of
  ``pair_chunk`` that read the kept keys and values. The public code runs all tokens together, with the same logits.
- patches are narrowed before regions are pooled from them, not after (``layers.lain_blocks``): the same
  numbers, since both are linear, for a fraction of the work.
- pictures are padded to N boxes and ``max_pairs`` pairs; a cap below the default 435 (all pairs of 15 humans and 15
  objects) leaves out the pairs of lowest box scores and counts them; 64 suits live video. The others stay as they are.
- the verbs' text vectors are an input; by default those of the learned prompts, computed at every call: compute
  ``verb_text()`` once and pass the result. The paper's 600 interaction prompts are 117 verb sentences in the code and
  here.
- an image without a pair gives masked rows, not a missing entry. Logits do not contain the prior of the box scores.

As in the code, although the paper says otherwise: the class token's region reaches to (224, 244), a text transformer
without causal mask, and cells of boxes that stick out of the picture wrap around (``wrap_outside_boxes``). Contexts of
the released weights: 24 vectors for rare-first, 36 for the other splits, one for all verbs for unseen verbs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from videohoi.errors import UsageError
from videohoi.layers.box_head import MLP, corners_px, mlp_keys
from videohoi.layers.clip import LOGIT_SCALE, ClipConfig, ImageTower, clip_config
from videohoi.layers.lain_blocks import (
    InteractionAdapter,
    LayoutMap,
    LocalityAdapter,
    PromptedText,
    finished,
    projected,
    see_self_and,
)
from videohoi.layers.padded_pairs import PaddedDetections, padded_pairs, take_rows
from videohoi.layers.roi_align import RoiWeights, roi_weights
from videohoi.structures.interactions import HOIOutput
from videohoi.vocabulary import hico_det
from videohoi.vocabulary.prompts import prompts

_ADAPTER = r"clip_head\.image_encoder\.transformer\.resblocks\.(\d+)\.adaptermlp\."
_READINGS = (("mhsa_layers", "context"), ("mhsa_layers3", "mutual"), ("mhsa_layers2", "reading"))
_READING_PARTS = (
    (r"multihead_attn\.in_proj_", "attention.projection_"),
    (r"multihead_attn\.out_proj\.", "attention.output."),
    (r"norm2\.", "norm."),
    (r"linear1\.", "feedforward.expand."),
    (r"linear2\.", "feedforward.contract."),
    (r"norm3\.", "feedforward.norm."),
)
_ADAPTER_PARTS = (
    (r"scale$", "interaction.scale"),
    (r"down_proj\.", "interaction.token_down."),
    (r"down_proj2\.", "interaction.region_down."),
    (r"ln\.", "interaction.region_norm."),
    (r"prompt\.weight$", "interaction.queries"),
    (r"up_proj\.", "interaction.up."),
    (r"scale2$", "locality.scale"),
    (r"down_proj3\.", "locality.down."),
    (r"ln3\.", "locality.mix_norm."),
    (r"down_proj6\.", "locality.mix."),
    (r"down_proj4\.", "locality.convolutions.0."),
    (r"down_proj5\.", "locality.convolutions.1."),
    (r"ln2\.", "locality.norm."),
    (r"up_proj2\.", "locality.up."),
)
KEY_MAP: tuple[tuple[str, str], ...] = (
    *((_ADAPTER + theirs, rf"adapters.\1.{ours}") for theirs, ours in _ADAPTER_PARTS),
    *(
        (rf"{_ADAPTER}{layer}\.0\.{theirs}", rf"adapters.\1.interaction.{name}.{ours}")
        for layer, name in _READINGS
        for theirs, ours in _READING_PARTS
    ),
    (r"clip_head\.image_encoder\.transformer\.resblocks\.(\d+)\.(attn|ln_1|mlp|ln_2)\.", r"image.blocks.\1.\2."),
    (r"clip_head\.image_encoder\.(conv1|ln_pre|ln_post)\.", r"image.\1."),
    (r"clip_head\.image_encoder\.(class_embedding|positional_embedding|proj)$", r"image.\1"),
    (r"clip_head\.text_encoder\.transformer\.resblocks\.", "text.blocks."),
    (r"clip_head\.text_encoder\.(positional_embedding$|ln_final\.|text_projection$)", r"text.\1"),
    (r"clip_head\.prompt_learner\.ctx$", "text.context"),
    (r"clip_head\.prompt_learner\.token_(prefix|suffix)$", r"text.\1"),
    *mlp_keys("priors_downproj", "layout.mlp", depth=3),
    *mlp_keys("query_proj", "pair_token", depth=2),
    (r"logit_scale_text$", "logit_scale"),
    (r"object_embedding$", "object_vectors"),
)
"""(regex of the published key, replacement)"""
IGNORED_KEYS: tuple[tuple[str, str], ...] = (
    (r"detector\.", "weights of the DETR inside the checkpoint; the detector is a part of its own (detect/detr.py)"),
    (r"clip_head\.logit_scale$", "CLIP's own factor; LAIN scales by logit_scale_text and never reads it"),
)
"""(regex of the published key, reason)"""


@dataclass(frozen=True)
class LainConfig:
    """Sizes; the defaults are those of the code for HICO-DET, rare-first split."""

    clip: ClipConfig = field(default_factory=lambda: clip_config("ViT-B/16"))
    objects: int = 80
    """O, object classes; one more text vector stands for nothing"""
    detector_width: int = 256
    """D, of the detector's features"""
    token_hidden: int = 128
    """between the detector's features and a pair's token"""
    layout_hidden: int = 128
    adapter_width: int = 32
    adapter_heads: int = 2
    contexts: int = 10
    """learned queries to each region"""
    kernels: tuple[int, ...] = (3, 5)
    """windows of the locality adapter, in patches"""
    locality_strength: float = 1.0
    dropout: float = 0.1
    region_bins: int = 7
    whole_picture_px: tuple[float, float, float, float] = (0.0, 0.0, 224.0, 244.0)
    """region of the class token; the code writes 244 where 224 must be meant, and its weights were trained with it"""
    wrap_outside_boxes: bool = True
    context_tokens: int = 24
    """learned vectors before each sentence"""
    class_specific: bool = True
    """a context for each verb; else one for all"""
    person_id: int = 0
    """class id of a human"""
    max_pairs: int = 435
    """P; 15 humans with 29 others"""
    pair_chunk: int = 64
    """pairs that run at a time: limits memory"""

    def __post_init__(self) -> None:
        for name in ("max_pairs", "pair_chunk"):
            if getattr(self, name) < 1:
                raise UsageError(f"lain: {name}={getattr(self, name)}: expected 1 or more")


class LainAdapter(nn.Module):
    """What LAIN puts before one block of CLIP."""

    def __init__(self, config: LainConfig) -> None:
        super().__init__()
        width, narrow = config.clip.image_width, config.adapter_width
        self.locality = LocalityAdapter(width, narrow, config.kernels, config.locality_strength)
        self.interaction = InteractionAdapter(width, narrow, config.adapter_heads, config.contexts, config.dropout)


class _Scene(NamedTuple):
    """What the adapters know about B pictures."""

    pictures: Tensor
    layout: Tensor
    """(B, g, g, A)"""
    regions: RoiWeights
    """of N boxes and, last, the whole picture"""


class _BlockState(NamedTuple):
    """What pairs read from the picture in one block."""

    keys: Tensor
    """(B, heads, T, W / heads) of the patches"""
    values: Tensor
    contexts: Tensor
    """(B, N + 1, Q, A)"""


class LainHead(nn.Module):
    """Verb logits of the human-object pairs among given detections."""

    object_vectors: Tensor

    def __init__(self, config: LainConfig | None = None, sentences: Sequence[str] | None = None) -> None:
        """Randomly initialised.

        Args:
            config: sizes.
            sentences: one for each of V verbs; None: the 117 of HICO-DET.
        """
        super().__init__()
        self.config = config = LainConfig() if config is None else config
        clip = config.clip
        self.grid = clip.image_size_px // clip.patch_px
        self.image = ImageTower(clip)
        self.adapters = nn.ModuleList([LainAdapter(config) for _ in range(clip.image_layers)])
        words = prompts(hico_det(), "lain") if sentences is None else sentences
        self.text = PromptedText(clip, words, config.context_tokens, class_specific=config.class_specific)
        self.layout = LayoutMap(
            clip.embed_dim, config.layout_hidden, config.adapter_width, self.grid, wrap=config.wrap_outside_boxes
        )
        self.pair_token = MLP(2 * config.detector_width, config.token_hidden, clip.image_width, depth=2)
        self.logit_scale = nn.Parameter(torch.tensor(LOGIT_SCALE))
        self.register_buffer("object_vectors", torch.zeros(config.objects + 1, clip.embed_dim))

    def verb_text(self) -> Tensor:
        """(V, E) unit vectors of the learned prompts: compute once, then pass to ``forward``."""
        vectors: Tensor = self.text()
        return vectors

    def forward(
        self,
        boxes_cxcywh: Tensor,
        scores: Tensor,
        class_ids: Tensor,
        mask: Tensor,
        features: Tensor,
        pictures: Tensor,
        verb_text: Tensor | None = None,
        max_pairs: int | None = None,
    ) -> HOIOutput[Tensor]:
        """Logits (B, P, V) of the pairs of padded detections.

        Args:
            boxes_cxcywh: (B, N, 4), fractions of the picture; this and the next four are ``PaddedDetections``.
            scores: (B, N).
            class_ids: (B, N) int64.
            mask: (B, N) bool.
            features: (B, N, D).
            pictures: (B, 3, S, S), the whole picture resized to CLIP's square, ImageNet's mean and deviation applied
                (not CLIP's own: the public weights were trained so).
            verb_text: (V, E) unit vectors of any verbs; None: those of the learned prompts.
            max_pairs: P; None: the config's.
        """
        config = self.config
        detections = PaddedDetections(boxes_cxcywh, scores, class_ids, mask, features).neutral()
        pairs = padded_pairs(
            detections.scores, detections.class_ids, detections.mask,
            person_id=config.person_id, max_pairs=config.max_pairs if max_pairs is None else max_pairs,
        )  # fmt: skip
        scene = self._scene(detections, pictures)
        human, other = pairs.rows.unbind(-1)
        tokens = self.pair_token(
            torch.cat((take_rows(detections.features, human), take_rows(detections.features, other)), dim=-1)
        )
        seen = self.image.ln_post(self._through_clip(tokens, pairs.rows, scene)) @ self.image.proj
        verbs = self.verb_text() if verb_text is None else verb_text
        logits = functional.normalize(seen, dim=-1) @ verbs.T * self.logit_scale.exp()
        logits = logits.masked_fill(~pairs.mask[..., None], 0)
        return HOIOutput(
            boxes_cxcywh, pairs.rows, pairs.mask, logits, scores=scores, class_ids=class_ids, truncated=pairs.truncated
        )

    def _scene(self, detections: PaddedDetections, pictures: Tensor) -> _Scene:
        size = self.config.clip.image_size_px
        boxes = corners_px(detections.boxes_cxcywh, detections.boxes_cxcywh.new_full((len(pictures), 2), float(size)))
        words, nothing = functional.embedding(detections.class_ids, self.object_vectors), self.object_vectors[-1]
        layout = self.layout(boxes, detections.scores, words, nothing, detections.mask, size)
        whole = boxes.new_tensor(self.config.whole_picture_px).expand(len(boxes), 1, 4)
        regions = roi_weights(
            torch.cat((boxes, whole), dim=1),
            (self.grid, self.grid),
            (self.config.region_bins, self.config.region_bins),
            spatial_scale=self.grid / size,
            aligned=True,
        )
        return _Scene(pictures, layout, regions)

    def _through_clip(self, tokens: Tensor, rows: Tensor, scene: _Scene) -> Tensor:
        """(B, P, W) pair tokens after all blocks, from (B, P, W) and the boxes' rows (B, P, 2)."""
        size = self.config.pair_chunk
        starts = range(0, max(tokens.shape[1], 1), size)
        chunks = [(tokens[:, at : at + size], rows[:, at : at + size]) for at in starts]
        states = self._picture_states(scene)
        return torch.cat([self._pair_stream(chunk, of, states) for chunk, of in chunks], dim=1)

    def _picture_states(self, scene: _Scene) -> list[_BlockState]:
        """Run the class token and the patches through CLIP once; keep what the pairs need from each block."""
        tokens = self.image.ln_pre(self.image.embed(scene.pictures))
        states: list[_BlockState] = []
        for block, adapter in self._blocks():
            local, contexts = self._adapt_patches(adapter, tokens[:, 1:], scene)
            whole = contexts[:, -1:]
            tokens = tokens + torch.cat((adapter.interaction(tokens[:, :1], whole, whole), local), dim=1)
            query, key, value = projected(block, tokens)
            states.append(_BlockState(key[:, :, 1:], value[:, :, 1:], contexts))
            if len(states) < len(self.adapters):  # nothing reads the picture after the last block
                tokens = finished(block, tokens, functional.scaled_dot_product_attention(query, key, value))
        return states

    def _pair_stream(self, tokens: Tensor, rows: Tensor, states: list[_BlockState]) -> Tensor:
        """Pair tokens (B, C, W) through all blocks; each sees itself and the kept patches."""
        human, other = rows.unbind(-1)
        tokens = self.image.ln_pre(tokens)
        for (block, adapter), state in zip(self._blocks(), states, strict=True):
            tokens = tokens + adapter.interaction(
                tokens, take_rows(state.contexts, human), take_rows(state.contexts, other)
            )
            tokens = finished(block, tokens, see_self_and(state.keys, state.values, *projected(block, tokens)))
        return tokens

    def _adapt_patches(self, adapter: Any, patches: Tensor, scene: _Scene) -> tuple[Tensor, Tensor]:
        """(B, T, W) what to add to the patches, and the contexts (B, N + 1, Q, A) of the regions after that."""
        local = adapter.locality(patches, scene.layout)
        return local, adapter.interaction.contexts(patches + local, scene.regions)

    def _blocks(self) -> list[tuple[Any, Any]]:
        return list(zip(self.image.blocks, self.adapters, strict=True))
