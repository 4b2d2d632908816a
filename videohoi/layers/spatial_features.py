"""The spatial encoding of box pairs of SCG (arXiv 2012.06060, appendix) that UPT takes (arXiv 2112.01838, section 3.2).

18 numbers and their logarithms: centres, sizes and areas relative to the picture, ratio of areas, aspect ratios, IoU,
and distance in each direction relative to the first box. ``geometry.pair_features`` has a relative of it in numpy for
the starter: there pairs are mirrored, two constant numbers are left out and long tails are cut; here the numbers are
those of the public code, for its weights.
"""

from __future__ import annotations

import torch
from torch import Tensor

SPATIAL_FEATURES = 36
EPSILON = 1e-10
"""keeps divisions and logarithms finite (value of the public code)"""


def spatial_features(first_xyxy: Tensor, second_xyxy: Tensor, picture_sizes_px: Tensor) -> Tensor:
    """(..., 36) of the boxes ``first_xyxy`` (..., 4) against ``second_xyxy`` (..., 4), both in pixels; they broadcast.

    ``picture_sizes_px`` (..., 2) is width and height and broadcasts to the pairs. Every number is finite, for boxes
    without area too (the public code has no IoU for two of them). Computed in single precision: 1e-10 is 0 in half.
    """
    dtype = first_xyxy.dtype
    first_xyxy, second_xyxy, picture_sizes_px = (
        values.to(torch.promote_types(dtype, torch.float32)) for values in (first_xyxy, second_xyxy, picture_sizes_px)
    )
    size_1, size_2 = first_xyxy[..., 2:] - first_xyxy[..., :2], second_xyxy[..., 2:] - second_xyxy[..., :2]
    centre_1 = (first_xyxy[..., :2] + first_xyxy[..., 2:]) / 2
    centre_2 = (second_xyxy[..., :2] + second_xyxy[..., 2:]) / 2
    area_1, area_2 = size_1.prod(-1, keepdim=True), size_2.prod(-1, keepdim=True)
    apart = (centre_2 - centre_1).abs() / (size_1 + EPSILON)
    beyond, before = (centre_2 > centre_1) * apart, (centre_2 < centre_1) * apart
    plain = [
        centre_1 / picture_sizes_px,
        centre_2 / picture_sizes_px,
        size_1 / picture_sizes_px,
        size_2 / picture_sizes_px,
        area_1 / picture_sizes_px.prod(-1, keepdim=True),
        area_2 / picture_sizes_px.prod(-1, keepdim=True),
        area_2 / (area_1 + EPSILON),
        size_1[..., :1] / (size_1[..., 1:] + EPSILON),
        size_2[..., :1] / (size_2[..., 1:] + EPSILON),
        _iou(first_xyxy, second_xyxy, area_1, area_2),
        *(side for axis in (0, 1) for side in (beyond[..., axis : axis + 1], before[..., axis : axis + 1])),
    ]
    pairs = apart.shape[:-1]
    numbers = torch.cat([column.expand(*pairs, column.shape[-1]) for column in plain], dim=-1)
    largest = torch.finfo(dtype).max
    return torch.cat((numbers, torch.log(numbers + EPSILON)), dim=-1).clamp(-largest, largest).to(dtype)


def _iou(first: Tensor, second: Tensor, area_1: Tensor, area_2: Tensor) -> Tensor:
    """(..., 1); 0 where both boxes have no area."""
    low = torch.maximum(first[..., :2], second[..., :2])
    high = torch.minimum(first[..., 2:], second[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1, keepdim=True)
    union = area_1 + area_2 - shared
    return shared / union.clamp(min=torch.finfo(union.dtype).tiny)
