"""Pictures as DETR and its descendants take them: short side 800, ImageNet's normalisation, padded to one size.

Source: facebookresearch/detr's evaluation transform (arXiv 2005.12872, section 4); EoID, GEN-VLKT, HOICLIP, KI2HOI, UPT
and LAIN use the same, LAIN with bicubic resampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

Resampling = Literal["bilinear", "bicubic"]
SHORT_SIDE_PX = 800
LONG_SIDE_PX = 1333
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
"""of RGB in [0, 1]; torchvision's constants, which all of its weights were trained with"""


class DetrInput(NamedTuple):
    """What ``forward`` of DETR and of the one-stage heads takes."""

    pixels: Tensor
    """(B, 3, H, W) float32, normalised, zeros in the padding"""
    padding_mask: Tensor
    """(B, H, W) bool, True where padding"""


def resized_shape(
    height_px: int, width_px: int, short_side_px: int = SHORT_SIDE_PX, long_side_px: int = LONG_SIDE_PX
) -> tuple[int, int]:
    """(height, width) with the short side at ``short_side_px`` unless the long one would pass ``long_side_px``.

    Rounded as the public code does: the short side to the nearest, the long side downwards.
    """
    short, long = sorted((height_px, width_px))
    if long / short * short_side_px > long_side_px:
        short_side_px = max(round(long_side_px * short / long), 1)
    grown = max(int(short_side_px * long / short), 1)
    if short == short_side_px:
        return height_px, width_px
    return (short_side_px, grown) if height_px <= width_px else (grown, short_side_px)


def detr_input(
    images: Sequence[NDArray[np.uint8]],
    *,
    short_side_px: int = SHORT_SIDE_PX,
    long_side_px: int = LONG_SIDE_PX,
    device: torch.device | str = "cpu",
    resampling: Resampling = "bilinear",
) -> DetrInput:
    """Resize, normalise and pad at the right and at the bottom.

    Args:
        images: B pictures (H, W, 3) uint8 RGB of any sizes.
        short_side_px: see ``resized_shape``.
        long_side_px: see ``resized_shape``.
        device: where the work is done and the result lives.
        resampling: ``bicubic`` for LAIN.
    """
    resized = [_resized(image, (short_side_px, long_side_px), device, resampling) for image in images]
    height, width = (max(picture.shape[axis] for picture in resized) for axis in (1, 2))
    pixels = torch.zeros((len(resized), 3, height, width), device=device)
    padding = torch.ones((len(resized), height, width), dtype=torch.bool, device=device)
    for row, picture in enumerate(resized):
        pixels[row, :, : picture.shape[1], : picture.shape[2]] = picture
        padding[row, : picture.shape[1], : picture.shape[2]] = False
    return DetrInput(pixels, padding)


def _resized(
    image: NDArray[np.uint8], sides_px: tuple[int, int], device: torch.device | str, resampling: Resampling
) -> Tensor:
    """(3, h, w) float32, normalised. Antialiased and rounded to whole grey values, as Pillow's resize gives them."""
    picture = torch.tensor(np.ascontiguousarray(image), device=device).permute(2, 0, 1)[None]
    shape = resized_shape(image.shape[0], image.shape[1], *sides_px)
    if picture.device.type != "cpu":
        picture = picture.float()  # only the CPU resizes uint8, and there it does so as Pillow does
    if shape != image.shape[:2]:
        picture = functional.interpolate(picture, size=shape, mode=resampling, antialias=True).round().clamp(0, 255)
    mean = torch.tensor(IMAGENET_MEAN, device=device)[:, None, None]
    deviation = torch.tensor(IMAGENET_DEVIATION, device=device)[:, None, None]
    return (picture[0].float() / 255 - mean) / deviation
