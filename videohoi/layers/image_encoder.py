"""What DETR and the one-stage methods begin with: a ResNet, a 1x1 projection, positions and the encoder.

ResNets come from timm, with batch norm frozen as DETR has it (arXiv 2005.12872, section 4).
"""

from __future__ import annotations

from typing import NamedTuple

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from videohoi.errors import UsageError
from videohoi.layers.transformer import Encoder, TransformerConfig, encoder_keys, sine_position

RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
"""names in timm; ``resnet50`` and ``resnet101`` carry the names of torchvision's weights"""


class FrozenBatchNorm2d(nn.Module):
    """Batch norm whose statistics and affine values are constants: buffers, never trained, the same in both modes."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self, channels: int, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> None:
        super().__init__()
        for name, value in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
            self.register_buffer(name, torch.full((channels,), value, device=device, dtype=dtype))
        self.eps = 1e-5  # PyTorch's own value, which the published weights were trained with

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale[:, None, None] + shift[:, None, None]


class ResNetBackbone(nn.Module):
    """The last feature map (C5) of a ResNet.

    Args:
        name: one of ``RESNETS``.
        dilated: DETR's DC5: stride 16 instead of 32 through a dilated last stage.

    Raises:
        UsageError: another name.
    """

    def __init__(self, name: str = "resnet50", *, dilated: bool = False) -> None:
        super().__init__()
        if name not in RESNETS:
            raise UsageError(f"backbone {name!r} is unknown; choose one of {', '.join(RESNETS)}")
        self.body = timm.create_model(
            name,
            pretrained=False,
            features_only=True,
            out_indices=(4,),
            output_stride=16 if dilated else 32,
            norm_layer=FrozenBatchNorm2d,
            zero_init_last=False,
        )
        self.channels: int = self.body.feature_info.channels()[-1]

    def forward(self, pixels: Tensor, padding_mask: Tensor) -> tuple[Tensor, Tensor]:
        """The feature map and its padding.

        Args:
            pixels: (B, 3, H, W) float, normalised with ImageNet's mean and deviation, zeros in the padding.
            padding_mask: (B, H, W) bool, True where padding.

        Returns:
            (B, C, h, w) and (B, h, w) bool; h = ceil(H / 32), or / 16 when dilated. C is ``channels``, 2048.
        """
        features: Tensor = self.body(pixels)[-1]
        return features, shrink_mask(padding_mask, features)


def shrink_mask(padding_mask: Tensor, feature_map: Tensor) -> Tensor:
    """(B, H, W) bool to the (B, h, w) of a feature map (B, C, h, w), nearest neighbour as DETR does."""
    height, width = feature_map.shape[-2:]
    small = functional.interpolate(padding_mask[:, None].to(feature_map.dtype), size=(height, width))
    return small[:, 0].to(torch.bool)


IMAGE_ENCODER_IGNORED_KEYS = (
    (r".*\.num_batches_tracked", "counter of training steps; frozen batch norm has none"),
    (r"(.*\.)?backbone\.0\.body\.fc\.", "ImageNet classifier, not part of the feature map"),
)
"""published keys that no ``ImageEncoder`` has, with the reason"""


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


def image_encoder_keys(ours: str = "image", prefix: str = "") -> tuple[tuple[str, str], ...]:
    """Key map rows from ``{prefix}backbone.0.body``, ``{prefix}input_proj`` and the encoder to an ``ImageEncoder``."""
    return (
        (rf"{prefix}backbone\.0\.body\.", f"{ours}.backbone.body."),
        (rf"{prefix}input_proj\.", f"{ours}.projection."),
        *encoder_keys(rf"{prefix}transformer\.encoder", f"{ours}.encoder"),
    )
