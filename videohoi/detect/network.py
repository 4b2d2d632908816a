"""The starter detector's network (torch, for training and export only; it runs from ONNX without torch).

An anchor-free detector in the manner of YOLOX (arXiv 2107.08430): a cross-stage-partial backbone, a path-aggregation
neck (arXiv 1803.01534) and a decoupled head on strides 8, 16 and 32. Channel counts at the stage ends follow
YOLOX-nano, so that a teacher's maps can be matched there without adapters.

All convolutions are dense. In bf16 and channels-last on a CPU they train several times faster than depthwise ones. At
inference they cost more: 16 ms of CPU time against YOLOX-nano's 8 at 384 px (``docs/decisions.md``).
"""

from __future__ import annotations

from dataclasses import dataclass

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


STRIDES_PX = (8, 16, 32)
OBJECT_COUNT = 80
"""classes of COCO"""
PRIOR_PROBABILITY = 0.01
"""Initial objectness and class probability (RetinaNet, arXiv 1708.02002, section 4.1)."""


@dataclass(frozen=True)
class DetectorMaps:
    """The output of a forward pass. ``hints`` are the maps named in ``HINT_NAMES``, in that order."""

    hints: tuple[Tensor, ...]
    """stage maps: c2 (B,32,H/4,W/4), c3 (B,64,H/8), c4 (B,128,H/16), c5 (B,256,H/32), p3, p4, p5 likewise"""
    boxes: tuple[Tensor, ...]
    """per stride (B, 4, h, w): centre offset in cells (x, y) and log size in cells (w, h)"""
    objectness: tuple[Tensor, ...]
    """per stride (B, 1, h, w) logits"""
    classes: tuple[Tensor, ...]
    """per stride (B, O, h, w) logits"""


HINT_NAMES = ("c2", "c3", "c4", "c5", "p3", "p4", "p5")


class Backbone(nn.Module):
    """Five strided stages to maps at strides 4, 8, 16 and 32 with 32, 64, 128 and 256 channels."""

    def __init__(self) -> None:
        super().__init__()
        # a 3x3 convolution after space-to-depth sees 6x6 pixels, as YOLOX's "focus" stem does
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), ConvNormAct(12, 24, 3))
        self.stage2 = nn.Sequential(ConvNormAct(24, 32, 3, stride=2), CrossStage(32, 32, 1))
        self.stage3 = nn.Sequential(ConvNormAct(32, 64, 3, stride=2), CrossStage(64, 64, 2))
        self.stage4 = nn.Sequential(ConvNormAct(64, 128, 3, stride=2), CrossStage(128, 128, 2))
        self.stage5 = nn.Sequential(
            ConvNormAct(128, 256, 3, stride=2), PyramidPooling(256, 256), CrossStage(256, 256, 1, skip=False)
        )

    def forward(self, x: Tensor, forced: tuple[Tensor, ...] | None = None) -> tuple[Tensor, ...]:
        """Maps c2 to c5; with ``forced`` (a teacher's c2, c3, c4) each later stage starts from the teacher's map."""
        maps = [self.stage2(self.stem(x))]
        for index, stage in enumerate((self.stage3, self.stage4, self.stage5)):
            maps.append(stage(maps[-1] if forced is None else forced[index]))
        return tuple(maps)


class Neck(nn.Module):
    """Path aggregation: top-down then bottom-up; maps at strides 8, 16, 32 with 64, 128, 256 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.lateral5 = ConvNormAct(256, 128, 1)
        self.down4 = CrossStage(256, 128, 1, skip=False)
        self.lateral4 = ConvNormAct(128, 64, 1)
        self.down3 = CrossStage(128, 64, 1, skip=False)
        self.stride3 = ConvNormAct(64, 64, 3, stride=2)
        self.up4 = CrossStage(128, 128, 1, skip=False)
        self.stride4 = ConvNormAct(128, 128, 3, stride=2)
        self.up5 = CrossStage(256, 256, 1, skip=False)
        self.enlarge = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, c3: Tensor, c4: Tensor, c5: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Maps p3, p4, p5 from the backbone's c3, c4, c5."""
        top5 = self.lateral5(c5)
        top4 = self.lateral4(self.down4(torch.cat((self.enlarge(top5), c4), dim=1)))
        p3 = self.down3(torch.cat((self.enlarge(top4), c3), dim=1))
        p4 = self.up4(torch.cat((self.stride3(p3), top4), dim=1))
        p5 = self.up5(torch.cat((self.stride4(p4), top5), dim=1))
        return p3, p4, p5


class Head(nn.Module):
    """Decoupled head of one level: a shared 1x1 stem, one 3x3 convolution each for class and for box."""

    def __init__(self, channels: int, object_count: int) -> None:
        super().__init__()
        self.stem = ConvNormAct(channels, 64, 1)
        self.class_conv = ConvNormAct(64, 64, 3)
        self.box_conv = ConvNormAct(64, 64, 3)
        self.classes = nn.Conv2d(64, object_count, 1)
        self.boxes = nn.Conv2d(64, 4, 1)
        self.objectness = nn.Conv2d(64, 1, 1)
        bias = -torch.log(torch.tensor((1 - PRIOR_PROBABILITY) / PRIOR_PROBABILITY)).item()
        for layer in (self.classes, self.objectness):
            assert layer.bias is not None
            nn.init.constant_(layer.bias, bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes (B, 4, h, w), objectness (B, 1, h, w) and class logits (B, O, h, w) of one level."""
        stem = self.stem(x)
        box = self.box_conv(stem)
        return self.boxes(box), self.objectness(box), self.classes(self.class_conv(stem))


class StarterNetwork(nn.Module):
    """Compact YOLOX-style detector. Input (B, 3, H, W) BGR in [0, 255], H and W multiples of 32."""

    def __init__(self, object_count: int = OBJECT_COUNT) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.neck = Neck()
        self.heads = nn.ModuleList(Head(channels, object_count) for channels in (64, 128, 256))
        self.register_buffer("mean", torch.tensor([103.53, 116.28, 123.675]).view(1, 3, 1, 1))  # ImageNet, BGR
        self.register_buffer("scale", torch.tensor([57.375, 57.12, 58.395]).view(1, 3, 1, 1))

    def forward(self, images: Tensor, forced: tuple[Tensor, ...] | None = None) -> DetectorMaps:
        """Detect; with ``forced`` (a teacher's seven hint maps) every part starts from the teacher's maps.

        Forced parts learn side by side from perfect inputs instead of waiting for the parts before them.
        """
        mean, scale = self.get_buffer("mean"), self.get_buffer("scale")
        backbone = self.backbone((images - mean) / scale, forced)
        pyramid = self.neck(*(backbone[1:] if forced is None else forced[1:4]))
        levels = pyramid if forced is None else forced[4:]
        outputs = [head(level) for head, level in zip(self.heads, levels, strict=True)]
        boxes, objectness, classes = zip(*outputs, strict=True)
        return DetectorMaps((*backbone, *pyramid), boxes, objectness, classes)
