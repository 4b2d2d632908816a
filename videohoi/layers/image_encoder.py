"""What DETR and the one-stage methods begin with: backbone, 1x1 projection, positions, encoder."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from videohoi.layers.backbone import BACKBONE_IGNORED_KEYS, ResNetBackbone
from videohoi.layers.position import sine_position
from videohoi.layers.transformer import Encoder, TransformerConfig, encoder_keys


class ImageTokens(NamedTuple):
    """L = h * w tokens of B pictures, row by row, for a decoder."""

    memory: Tensor
    """(B, L, D) encoder output"""
    position: Tensor
    """(B, L, D)"""
    padding_mask: Tensor
    """(B, L) bool, True where padding"""
    feature_map: Tensor
    """(B, C, h, w) of the backbone, before the projection"""
    map_padding: Tensor
    """(B, h, w) bool, True where padding"""

    def memory_map(self) -> Tensor:
        """(B, D, h, w): the memory as a picture."""
        height, width = self.map_padding.shape[1:]
        return self.memory.transpose(1, 2).reshape(len(self.memory), -1, height, width)


class ImageEncoder(nn.Module):
    """Pixels to encoded tokens, as in DETR (arXiv 2005.12872, figure 2)."""

    def __init__(
        self, config: TransformerConfig, depth: int = 6, *, backbone: str = "resnet50", dilated: bool = False
    ) -> None:
        super().__init__()
        self.backbone = ResNetBackbone(backbone, dilated=dilated)
        self.projection = nn.Conv2d(self.backbone.channels, config.width, kernel_size=1)
        self.encoder = Encoder(config, depth)
        self.width = config.width

    def forward(self, pixels: Tensor, padding_mask: Tensor) -> ImageTokens:
        """Pixels (B, 3, H, W) float and padding (B, H, W) bool, True where padding, to tokens."""
        features, map_padding = self.backbone(pixels, padding_mask)
        tokens = self.projection(features).flatten(2).transpose(1, 2)
        position = sine_position(map_padding, self.width).flatten(1, 2).to(tokens.dtype)
        padding = map_padding.flatten(1)
        return ImageTokens(self.encoder(tokens, position, padding), position, padding, features, map_padding)


def image_encoder_keys(
    encoder: str = r"transformer\.encoder", ours: str = "image", prefix: str = ""
) -> tuple[tuple[str, str], ...]:
    """Key map rows from ``{prefix}backbone.0.body``, ``{prefix}input_proj`` and the encoder to an ``ImageEncoder``."""
    return (
        (rf"{prefix}backbone\.0\.body\.", f"{ours}.backbone.body."),
        (rf"{prefix}input_proj\.", f"{ours}.projection."),
        *encoder_keys(rf"{prefix}{encoder}", f"{ours}.encoder"),
    )


IMAGE_ENCODER_IGNORED_KEYS = BACKBONE_IGNORED_KEYS
"""published keys that no ``ImageEncoder`` has, with the reason"""
