"""Pictures of grey values on any device: resized as Pillow does, normalised."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

Resampling = Literal["bilinear", "bicubic"]
Colour = tuple[float, float, float]
"""of RGB in [0, 1]"""
IMAGENET_MEAN: Colour = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION: Colour = (0.229, 0.224, 0.225)
"""torchvision's constants, which all of its weights were trained with"""


def as_picture(image_rgb: NDArray[np.uint8], device: torch.device | str = "cpu") -> Tensor:
    """(3, H, W) grey values 0 to 255 of an image (H, W, 3): uint8 on the CPU, else float32."""
    picture = torch.tensor(np.ascontiguousarray(image_rgb), device=device).permute(2, 0, 1)
    return picture if picture.device.type == "cpu" else picture.float()  # only the CPU resizes uint8


def resized(picture: Tensor, shape: tuple[int, int], resampling: Resampling) -> Tensor:
    """(3, height, width) whole grey values of ``shape``, antialiased, in the type of ``picture`` (3, H, W).

    On the CPU equal to Pillow's but for single grey values of bicubic pictures; elsewhere within a few.
    """
    if tuple(picture.shape[1:]) == shape:
        return picture
    grown = functional.interpolate(picture[None], size=shape, mode=resampling, antialias=True, align_corners=False)
    return grown[0].round().clamp(0, 255) if picture.is_floating_point() else grown[0]


def normalised(picture: Tensor, mean: Colour = IMAGENET_MEAN, deviation: Colour = IMAGENET_DEVIATION) -> Tensor:
    """(3, H, W) float32 of grey values 0 to 255."""
    centre, spread = (torch.tensor(values, device=picture.device)[:, None, None] for values in (mean, deviation))
    return (picture.float() / 255 - centre) / spread
