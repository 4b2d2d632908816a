"""CLIP's image and text tower (arXiv 2103.00020), built of open_clip's blocks.

Beyond open_clip: the image tower also returns its visual tokens (HOICLIP and KI2HOI attend to
them), and its parts are open to heads (LAIN adds tokens and adapters). QuickGELU by default, as in OpenAI's
weights: with the exact GELU the same weights give other vectors.

Pictures: RGB in [0, 1], resized to ``image_size_px`` squared (bicubic), normalised with CLIP's constants
(``pictures``).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import open_clip
import torch
from open_clip.transformer import QuickGELU, TextTransformer, VisionTransformer
from torch import Tensor, nn

from videohoi.errors import ModelError, UsageError
from videohoi.layers.clip_weights import PUBLISHED, load_tower, read_clip_weights, where_to_get

LOGIT_SCALE = math.log(1 / 0.07)
"""logarithm of the factor on cosines at the start of training: a temperature of 0.07 (arXiv 2103.00020)"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClipConfig:
    """Sizes of one CLIP model; the defaults are those of ViT-B/32."""

    name: str = "ViT-B/32"
    embed_dim: int = 512
    """E, of the space both towers share"""
    image_size_px: int = 224
    patch_px: int = 32
    image_width: int = 768
    """W, of visual tokens"""
    image_layers: int = 12
    image_heads: int = 12
    text_width: int = 512
    text_layers: int = 12
    text_heads: int = 8
    context_length: int = 77
    """L, tokens of a sentence with start and end"""
    vocabulary_size: int = 49408
    quick_gelu: bool = True
    """as OpenAI trained; False for weights trained with the exact GELU, which have the same keys and shapes"""

    @property
    def patches(self) -> int:
        """T, visual tokens besides the class token."""
        return (self.image_size_px // self.patch_px) ** 2


CLIP_MODELS: tuple[ClipConfig, ...] = (
    ClipConfig(),
    ClipConfig("ViT-B/16", patch_px=16),
    ClipConfig("ViT-L/14", 768, 224, 14, 1024, 24, 16, 768, 12, 12),
    ClipConfig("ViT-L/14@336px", 768, 336, 14, 1024, 24, 16, 768, 12, 12),
)


def clip_config(name: str) -> ClipConfig:
    """The sizes of a published model: ``ViT-B/32``, ``ViT-B/16``, ``ViT-L/14``, ``ViT-L/14@336px``.

    Raises:
        UsageError: there is no such model.
    """
    for config in CLIP_MODELS:
        if config.name == name:
            return config
    raise UsageError(f"CLIP model {name!r} is unknown; choose one of {', '.join(c.name for c in CLIP_MODELS)}")


class ImageFeatures(NamedTuple):
    """What the image tower gives for B pictures; nothing is normalised to unit length."""

    pooled: Tensor
    """(B, E) the class token after the projection: CLIP's image vector"""
    tokens: Tensor
    """(B, 1 + T, W) class token and patches in reading order, after ``ln_post``, before the projection"""


class ImageTower(nn.Module):
    """Vision transformer. (B, 3, image_size_px, image_size_px) to ``ImageFeatures``.

    A head that inserts tokens or adapters calls ``embed``, ``ln_pre`` and the ``blocks`` itself (``block(x,
    attn_mask=...)``, x (B, N, W): pre-norm attention and MLP with residuals).
    """

    def __init__(self, config: ClipConfig | None = None) -> None:
        """Randomly initialised; ``build_clip`` loads weights."""
        super().__init__()
        self.config = config = ClipConfig() if config is None else config
        tower: Any = VisionTransformer(
            config.image_size_px, config.patch_px, config.image_width, config.image_layers, config.image_heads, 4.0,
            output_dim=config.embed_dim, act_layer=QuickGELU if config.quick_gelu else nn.GELU,
        )  # fmt: skip
        self.conv1: nn.Conv2d = tower.conv1
        self.class_embedding: nn.Parameter = tower.class_embedding
        self.positional_embedding: nn.Parameter = tower.positional_embedding
        self.ln_pre: nn.LayerNorm = tower.ln_pre
        self.blocks: nn.ModuleList = tower.transformer.resblocks
        self.ln_post: nn.LayerNorm = tower.ln_post
        self.proj: nn.Parameter = tower.proj

    def forward(self, pictures: Tensor) -> ImageFeatures:
        """(B, 3, S, S) normalised pictures."""
        tokens = self.ln_pre(self.embed(pictures))
        for block in self.blocks:
            tokens = block(tokens)
        tokens = self.ln_post(tokens)
        return ImageFeatures(tokens[:, 0] @ self.proj, tokens)

    def embed(self, pictures: Tensor) -> Tensor:
        """(B, 1 + T, W): class token and patches with their positions, before ``ln_pre``."""
        patches = self.conv1(pictures).flatten(2).transpose(1, 2)
        token = self.class_embedding.expand(patches.shape[0], 1, -1)
        return torch.cat((token, patches), dim=1) + self.positional_embedding


class TextTower(nn.Module):
    """Causal text transformer. (N, L) int64 token ids to (N, E), not normalised to unit length."""

    causal_mask: Tensor

    def __init__(self, config: ClipConfig | None = None) -> None:
        """Randomly initialised; ``build_clip`` loads weights."""
        super().__init__()
        self.config = config = ClipConfig() if config is None else config
        tower: Any = TextTransformer(
            config.context_length, config.vocabulary_size, config.text_width, config.text_heads, config.text_layers,
            output_dim=config.embed_dim, act_layer=QuickGELU if config.quick_gelu else nn.GELU,
        )  # fmt: skip
        self.token_embedding: nn.Embedding = tower.token_embedding
        self.positional_embedding: nn.Parameter = tower.positional_embedding
        self.blocks: nn.ModuleList = tower.transformer.resblocks
        self.ln_final: nn.LayerNorm = tower.ln_final
        self.text_projection: nn.Parameter = tower.text_projection
        mask = torch.full((config.context_length, config.context_length), float("-inf")).triu(1)
        self.register_buffer("causal_mask", mask, persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, L) of ``tokenize``, which may be cut after the last end token: attention is causal.

        A sentence's vector is read at its end token, which has the highest id.
        """
        length = tokens.shape[1]
        x = self.token_embedding(tokens) + self.positional_embedding[:length]
        for block in self.blocks:
            x = block(x, attn_mask=self.causal_mask[:length, :length])
        x = self.ln_final(x)
        rows = torch.arange(x.shape[0], device=x.device)
        out: Tensor = x[rows, tokens.argmax(dim=-1)] @ self.text_projection
        return out


class Clip(nn.Module):
    """Both towers, and the logarithm of the factor on their cosines."""

    def __init__(self, config: ClipConfig | None = None) -> None:
        """Randomly initialised; ``build_clip`` loads weights."""
        super().__init__()
        self.image = ImageTower(config)
        self.text = TextTower(config)
        self.logit_scale = nn.Parameter(torch.tensor(LOGIT_SCALE))


def build_clip(config: ClipConfig | None = None, weights: Path | None = None) -> Clip:
    """Both towers in evaluation mode, with the weights in a file (OpenAI's archive or a state dict); None: random ones.

    Raises:
        ModelError: the file is missing, unreadable or of another model.
    """
    clip = Clip(config)
    _load({"image": clip.image, "text": clip.text, "scale": clip}, clip.image.config, weights)
    return clip.eval()


def _load(towers: dict[str, nn.Module], config: ClipConfig, weights: Path | None) -> None:
    if weights is None:
        _log.warning("CLIP %s is randomly initialised: no weights were given, its scores mean nothing", config.name)
        return
    state = read_clip_weights(weights, config.name)
    held = _published_name(state)
    if config.name in PUBLISHED and held not in (None, config.name):
        raise ModelError(
            f"CLIP {config.name}: {weights} holds {held}; {where_to_get(config.name)}, or take the model in it with "
            f"--set model.options.clip={held} (clip_prior, hts)"
        )
    for part, tower in towers.items():
        load_tower(tower, part, state, weights, config.name)


def _published_name(state: Mapping[str, Tensor]) -> str | None:
    """Which of ``CLIP_MODELS`` has the patches and positions of these weights."""
    patches, positions = state.get("visual.conv1.weight"), state.get("visual.positional_embedding")
    if patches is None or positions is None:
        return None
    shapes = tuple(patches.shape), tuple(positions.shape)
    for model in CLIP_MODELS:
        width, side = model.image_width, model.patch_px
        if shapes == ((width, 3, side, side), (model.patches + 1, width)):
            return model.name
    return None


def tokenize(sentences: Sequence[str], context_length: int = 77) -> Tensor:
    """(N, L) int64 token ids: start, byte pairs, end, zeros.

    Raises:
        UsageError: a sentence is longer than ``context_length`` tokens; nothing is cut off silently.
    """
    tokenizer = open_clip.SimpleTokenizer()
    for sentence in sentences:
        length = len(tokenizer.encode(sentence)) + 2
        if length > context_length:
            raise UsageError(f"prompt {sentence!r} has {length} tokens, CLIP reads {context_length}; shorten it")
    tokens: Tensor = tokenizer(list(sentences), context_length)
    return tokens
