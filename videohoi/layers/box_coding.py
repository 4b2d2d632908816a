"""Two ways to write a box, in any unit: centre and size (DETR, arXiv 2005.12872, section 3.2), or two corners."""

from __future__ import annotations

import torch
from torch import Tensor


def corners(boxes_cxcywh: Tensor) -> Tensor:
    """(..., 4) centre x, centre y, width, height to (..., 4) left, top, right, bottom."""
    centre, half = boxes_cxcywh[..., :2], boxes_cxcywh[..., 2:] / 2
    return torch.cat((centre - half, centre + half), dim=-1)


def corners_px(boxes_cxcywh: Tensor, picture_sizes_px: Tensor) -> Tensor:
    """(B, N, 4) corners in pixels from boxes (B, N, 4) in fractions and sizes (B, 2) width, height."""
    return corners(boxes_cxcywh) * picture_sizes_px.repeat(1, 2)[:, None]


def centre_and_size(boxes_xyxy: Tensor) -> Tensor:
    """(..., 4) corners to (..., 4) centre x, centre y, width, height."""
    low, high = boxes_xyxy[..., :2], boxes_xyxy[..., 2:]
    return torch.cat(((low + high) / 2, high - low), dim=-1)
