"""Pictures as DETR and its descendants take them: short side 800, ImageNet's normalisation, padded to one size.

Source: facebookresearch/detr's evaluation transform (arXiv 2005.12872, section 4); EoID, GEN-VLKT, HOICLIP, KI2HOI, UPT
and LAIN use the same, LAIN with bicubic resampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videohoi.layers.resizing import Resampling, as_picture, normalised, resized

SHORT_SIDE_PX = 800
LONG_SIDE_PX = 1333


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
    shapes = [resized_shape(image.shape[0], image.shape[1], short_side_px, long_side_px) for image in images]
    pictures = [
        normalised(resized(as_picture(image, device), shape, resampling))
        for image, shape in zip(images, shapes, strict=True)
    ]
    return padded(pictures)


def padded(pictures: Sequence[Tensor]) -> DetrInput:
    """One batch of B normalised pictures (3, h, w) of any sizes on one device; at least one."""
    height, width = (max(picture.shape[axis] for picture in pictures) for axis in (1, 2))
    pixels = pictures[0].new_zeros((len(pictures), 3, height, width))
    padding = torch.ones((len(pictures), height, width), dtype=torch.bool, device=pixels.device)
    for row, picture in enumerate(pictures):
        pixels[row, :, : picture.shape[1], : picture.shape[2]] = picture
        padding[row, : picture.shape[1], : picture.shape[2]] = False
    return DetrInput(pixels, padding)
