"""Sine positions of image tokens, as in DETR (arXiv 2005.12872, section A.4)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

TEMPERATURE = 10000.0
"""base of the wavelengths ("Attention is all you need", section 3.5)"""
EPSILON = 1e-6
"""keeps a column or row that is all padding finite (facebookresearch/detr)"""


def sine_position(padding_mask: Tensor, width: int) -> Tensor:
    """Positions counted over the real pixels only and normalised to 2 pi, so that padding does not shift them.

    Args:
        padding_mask: (B, H, W) bool, True where the map is padding.
        width: D, a multiple of 4; the first half encodes y, the second x, sine and cosine interleaved.

    Returns:
        (B, H, W, D) float32.
    """
    real = (~padding_mask).to(torch.float32)
    rows, columns = real.cumsum(1), real.cumsum(2)
    y = rows / (rows[:, -1:, :] + EPSILON) * (2 * math.pi)
    x = columns / (columns[:, :, -1:] + EPSILON) * (2 * math.pi)
    return torch.cat((_waves(y, width // 2), _waves(x, width // 2)), dim=-1)


def _waves(angle: Tensor, width: int) -> Tensor:
    """(..., ) to (..., width): sine at even places, cosine at odd ones, one wavelength for each two places."""
    exponent = torch.arange(0, width, 2, dtype=torch.float32, device=angle.device) / width
    scaled = angle[..., None] / TEMPERATURE**exponent
    return torch.stack((scaled.sin(), scaled.cos()), dim=-1).flatten(-2)
