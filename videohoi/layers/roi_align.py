"""ROIAlign (Mask R-CNN, arXiv 1703.06870, section 3) as two small matrix products, which exports with fixed shapes.

Bilinear sampling on a grid is separable: the weight of cell (y, x) in a sample is the product of a weight of y and one
of x, and so is the mean over a bin's samples. A box is therefore one matrix over rows and one over columns. They depend
on the boxes alone: a model that pools the same boxes from several maps makes them once, and a linear layer after the
pooling may be applied before it. Values equal ``torchvision.ops.roi_align``, its rules at the border included.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from videohoi.errors import UsageError

ADAPTIVE = -1
"""``sampling_ratio`` of torchvision for ceil(box size / bins) samples a bin and axis"""
BORDER = 1.0
"""a sample up to one cell outside the map takes the value at its border, one further away is 0"""


class RoiWeights(NamedTuple):
    """Weights of R boxes over a map of H x W cells, for (I, J) bins."""

    rows: Tensor
    """(..., R, I, H)"""
    columns: Tensor
    """(..., R, J, W)"""


def roi_weights(
    boxes_xyxy: Tensor,
    map_size: tuple[int, int],
    output_size: tuple[int, int],
    *,
    spatial_scale: float = 1.0,
    sampling_ratio: int = ADAPTIVE,
    aligned: bool = False,
    most_samples: int = 3,
) -> RoiWeights:
    """Weights of boxes (..., R, 4) in units of 1 / ``spatial_scale`` cells.

    Args:
        boxes_xyxy: corners; any number of leading axes.
        map_size: (H, W) cells.
        output_size: (I, J) bins.
        spatial_scale: cells per unit of the boxes.
        sampling_ratio: samples per bin and axis, or ``ADAPTIVE``.
        aligned: half a cell is subtracted (pixel centres); else boxes are at least one cell wide and high.
        most_samples: bound of the adaptive number, as a fixed shape needs one. 3 is exact for boxes up to 3 cells a
            bin; larger ones are sampled at ``most_samples`` places a bin.

    Raises:
        UsageError: ``sampling_ratio`` is neither positive nor ``ADAPTIVE``.
    """
    if sampling_ratio < 1 and sampling_ratio != ADAPTIVE:
        raise UsageError(f"sampling_ratio is {sampling_ratio}; expected 1 or more, or {ADAPTIVE} for adaptive")
    corners = boxes_xyxy * spatial_scale - (0.5 if aligned else 0.0)
    x1, y1, x2, y2 = corners.unbind(-1)
    height, width = (y2 - y1, x2 - x1) if aligned else ((y2 - y1).clamp(min=1.0), (x2 - x1).clamp(min=1.0))
    adaptive = sampling_ratio == ADAPTIVE
    samples = most_samples if adaptive else sampling_ratio
    rows = _axis(y1, height, output_size[0], map_size[0], samples, adaptive=adaptive)
    columns = _axis(x1, width, output_size[1], map_size[1], samples, adaptive=adaptive)
    return RoiWeights(rows, columns)


def _axis(start: Tensor, side: Tensor, bins: int, cells: int, samples: int, *, adaptive: bool) -> Tensor:
    """(..., R, bins, cells) weights along one axis of boxes that begin at ``start``, ``side`` long (both in cells)."""
    bin_side = (side / bins)[..., None, None]
    places = torch.arange(samples, dtype=side.dtype, device=side.device)
    count = bin_side.ceil().clamp(0, samples) if adaptive else torch.full_like(bin_side, samples)
    number = torch.arange(bins, dtype=side.dtype, device=side.device)[:, None]
    at = start[..., None, None] + number * bin_side + (places + 0.5) * bin_side / count.clamp(min=1)
    inside = (places < count) & (at >= -BORDER) & (at <= cells)
    cell = torch.arange(cells, dtype=side.dtype, device=side.device)
    hat = (1 - (at.clamp(0, cells - 1)[..., None] - cell).abs()).clamp(min=0)
    return (hat * inside[..., None]).sum(-2) / count.clamp(min=1)


def pool(channels_last: Tensor, weights: RoiWeights) -> Tensor:
    """(B, R, I, J, C) from a map (B, H, W, C) and weights with one leading axis B."""
    by_row = torch.einsum("brih,bhwc->briwc", weights.rows, channels_last)
    return torch.einsum("brjw,briwc->brijc", weights.columns, by_row)


def roi_align(
    features: Tensor,
    boxes_xyxy: Tensor,
    output_size: tuple[int, int],
    *,
    spatial_scale: float = 1.0,
    sampling_ratio: int = ADAPTIVE,
    aligned: bool = False,
    most_samples: int = 3,
) -> Tensor:
    """(B, R, C, I, J) from features (B, C, H, W) and boxes (B, R, 4); see ``roi_weights`` for the rest.

    As ``torchvision.ops.roi_align``, but every picture has the same number R of boxes; ignore the rows of padded ones.
    """
    height, width = features.shape[-2:]
    weights = roi_weights(
        boxes_xyxy,
        (height, width),
        output_size,
        spatial_scale=spatial_scale,
        sampling_ratio=sampling_ratio,
        aligned=aligned,
        most_samples=most_samples,
    )
    return pool(features.permute(0, 2, 3, 1), weights).permute(0, 1, 4, 2, 3)
