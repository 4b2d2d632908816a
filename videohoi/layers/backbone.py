"""ResNet backbones through timm, with batch norm frozen as DETR has it (arXiv 2005.12872, section 4)."""

from __future__ import annotations

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from videohoi.errors import UsageError

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


BACKBONE_IGNORED_KEYS = (
    (r".*\.num_batches_tracked", "counter of training steps; frozen batch norm has none"),
    (r"(.*\.)?backbone\.0\.body\.fc\.", "ImageNet classifier, not part of the feature map"),
)
