"""Pictures on the device that computes: resized as Pillow does, normalised, padded to one size or cut to a square.

DETR and its descendants (EoID, GEN-VLKT, HOICLIP, KI2HOI, UPT, LAIN) take the short side at 800 px and ImageNet's
normalisation (facebookresearch/detr's evaluation transform; arXiv 2005.12872, section 4), LAIN with bicubic resampling.
CLIP takes squares with a normalisation of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from videohoi.errors import UsageError


def choose_device(name: str) -> torch.device:
    """``auto``: the first CUDA device, else the CPU; or any device name of torch.

    Raises:
        UsageError: no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = next(iter(str(error).splitlines()), "unknown")
        raise UsageError(f"device {name!r} cannot be used ({reason}); expected auto, cpu or cuda") from error
    return device


Resampling = Literal["bilinear", "bicubic"]
Colour = tuple[float, float, float]
"""of RGB in [0, 1]"""
IMAGENET_MEAN: Colour = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION: Colour = (0.229, 0.224, 0.225)
"""torchvision's constants, which all of its weights were trained with"""
CLIP_MEAN: Colour = (0.48145466, 0.4578275, 0.40821073)
CLIP_DEVIATION: Colour = (0.26862954, 0.26130258, 0.27577711)
"""the constants of OpenAI's clip.py"""


def as_picture(image_rgb: NDArray[np.uint8], device: torch.device | str = "cpu") -> Tensor:
    """(3, H, W) pixel values 0 to 255 of an image (H, W, 3): uint8 on the CPU, else float32."""
    picture = torch.tensor(np.ascontiguousarray(image_rgb), device=device).permute(2, 0, 1)
    return picture if picture.device.type == "cpu" else picture.float()  # only the CPU resizes uint8


def resized(picture: Tensor, shape: tuple[int, int], resampling: Resampling) -> Tensor:
    """(3, height, width) whole pixel values of ``shape``, antialiased, in the type of ``picture`` (3, H, W).

    On the CPU equal to Pillow's but for single pixel values of bicubic pictures; elsewhere within a few.
    """
    if tuple(picture.shape[1:]) == shape:
        return picture
    grown = functional.interpolate(picture[None], size=shape, mode=resampling, antialias=True, align_corners=False)
    return grown[0].round().clamp(0, 255) if picture.is_floating_point() else grown[0]


def normalised(picture: Tensor, mean: Colour = IMAGENET_MEAN, deviation: Colour = IMAGENET_DEVIATION) -> Tensor:
    """(3, H, W) float32 of pixel values 0 to 255."""
    centre, spread = (torch.tensor(values, device=picture.device)[:, None, None] for values in (mean, deviation))
    return (picture.float() / 255 - centre) / spread


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
) -> DetrInput:
    """Resize, normalise and pad at the right and at the bottom.

    Args:
        images: B pictures (H, W, 3) uint8 RGB of any sizes.
        short_side_px: see ``resized_shape``.
        long_side_px: see ``resized_shape``.
        device: where the work is done and the result lives.
    """
    shapes = [resized_shape(image.shape[0], image.shape[1], short_side_px, long_side_px) for image in images]
    pictures = [
        normalised(resized(as_picture(image, device), shape, "bilinear"))
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


def clip_pictures(pictures_rgb: Sequence[NDArray[np.uint8]], size_px: int) -> Tensor:
    """(P, 3, size, size) float32 of P pictures (H, W, 3) of any sizes, squeezed to a square, as CLIP takes them.

    Bicubic with antialiasing on uint8, which is what PIL's resize does for OpenAI's preprocessing.
    """
    if not pictures_rgb:
        return torch.zeros((0, 3, size_px, size_px))
    shape = (size_px, size_px)
    resampled = (resized(as_picture(picture), shape, "bicubic") for picture in pictures_rgb)
    return torch.stack([normalised(picture, CLIP_MEAN, CLIP_DEVIATION) for picture in resampled])


def clip_whole(picture: Tensor, size_px: int) -> Tensor:
    """(1, 3, size, size) float32 of pixel values (3, H, W): short side resized, centre cut out, as OpenAI does."""
    height, width = picture.shape[1:]
    grown = int(size_px * max(height, width) / min(height, width))
    shape = (size_px, grown) if height <= width else (grown, size_px)
    top, left = round((shape[0] - size_px) / 2), round((shape[1] - size_px) / 2)
    centre = resized(picture, shape, "bicubic")[:, top : top + size_px, left : left + size_px]
    return normalised(centre, CLIP_MEAN, CLIP_DEVIATION)[None]
