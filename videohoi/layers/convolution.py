"""Convolution blocks of the starter detector: dense 3x3 convolutions, no depthwise ones.

In bf16 and channels-last on a CPU, dense convolutions train several times faster than depthwise ones, so the network
spends its parameters on them. At inference they cost more: 16 ms of CPU time against YOLOX-nano's 8 at 384 px
(``docs/decisions.md``).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConvNormAct(nn.Module):
    """Convolution, batch norm, activation. Input (B, C_in, H, W), output (B, C_out, H / stride, W / stride)."""

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, *, stride: int = 1, smooth: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(channels_out, eps=1e-3, momentum=0.03)  # the YOLOX values (arXiv 2107.08430 code)
        # ReLU fuses into the convolution in ONNX Runtime; SiLU only where a teacher's SiLU map is matched.
        self.act: nn.Module = nn.SiLU(inplace=True) if smooth else nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.act(self.norm(self.conv(x)))
        return out


class Residual(nn.Module):
    """Two 3x3 convolutions with an optional skip connection; (B, C, H, W) to the same shape."""

    def __init__(self, channels: int, *, skip: bool) -> None:
        super().__init__()
        self.first = ConvNormAct(channels, channels, 3)
        self.second = ConvNormAct(channels, channels, 3)
        self.skip = skip

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.second(self.first(x))
        return x + out if self.skip else out


class CrossStage(nn.Module):
    """Cross-stage-partial block (arXiv 1911.11929): half the channels pass ``depth`` residuals, half pass by."""

    def __init__(self, channels_in: int, channels_out: int, depth: int, *, skip: bool = True) -> None:
        super().__init__()
        hidden = channels_out // 2
        self.main = ConvNormAct(channels_in, hidden, 1)
        self.bypass = ConvNormAct(channels_in, hidden, 1)
        self.blocks = nn.Sequential(*(Residual(hidden, skip=skip) for _ in range(depth)))
        self.fuse = ConvNormAct(2 * hidden, channels_out, 1, smooth=True)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.fuse(torch.cat((self.blocks(self.main(x)), self.bypass(x)), dim=1))
        return out


class PyramidPooling(nn.Module):
    """Spatial pyramid pooling with three chained 5x5 max pools (equal to pools of 5, 9 and 13; YOLOv5's SPPF)."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        hidden = channels_in // 2
        self.reduce = ConvNormAct(channels_in, hidden, 1)
        self.pool = nn.MaxPool2d(5, 1, 2)
        self.expand = ConvNormAct(4 * hidden, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        maps = [self.reduce(x)]
        for _ in range(3):
            maps.append(self.pool(maps[-1]))
        out: Tensor = self.expand(torch.cat(maps, dim=1))
        return out
