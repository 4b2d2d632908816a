"""LAIN's locality adapter (arXiv 2505.19503): patches learn where boxes are and what their neighbours see.

Public code: OreoChocolate/LAIN (MIT), ``get_prior`` of models/LAIN.py and the first half of models/adapters.py.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from videohoi.layers.mlp import MLP
from videohoi.layers.pair_padding import take_rows

_BOX_NUMBERS = 5
"""score and four corners"""
_ROUNDING = 0.5
"""added to a box's far corner before it is rounded to cells, so that a narrow box still covers one"""


class LayoutMap(nn.Module):
    """What lies over each patch: score, box and word of the last box that covers it, as a vector of D numbers.

    Later rows are drawn over earlier ones, so the order of the detections matters: humans then objects, best first.

    Args:
        words: E, of the object classes' text vectors.
        hidden: of the MLP.
        narrow: D.
        grid: patches along a side.
        wrap: cells of negative coordinates are counted from the far side, as Python's slices in the public code do,
            so that a box which sticks out of the picture by more than half a patch covers other cells; False clips it.
    """

    def __init__(self, words: int, hidden: int, narrow: int, grid: int, *, wrap: bool = True) -> None:
        super().__init__()
        self.grid, self.wrap = grid, wrap
        self.mlp = MLP(words + _BOX_NUMBERS, hidden, narrow, depth=3)

    def forward(
        self, boxes_xyxy_px: Tensor, scores: Tensor, words: Tensor, nothing: Tensor, mask: Tensor, size_px: int
    ) -> Tensor:
        """(B, grid, grid, D).

        Args:
            boxes_xyxy_px: (B, N, 4) in the square picture of ``size_px``.
            scores: (B, N).
            words: (B, N, E) text vector of each box's class.
            nothing: (E,) text vector of cells without a box.
            mask: (B, N) bool.
            size_px: side of the picture.
        """
        corners = boxes_xyxy_px * (self.grid / size_px)
        corners = torch.cat((corners[..., :2], corners[..., 2:] + _ROUNDING), dim=-1)
        boxes = torch.cat((scores[..., None], corners, words), dim=-1)
        none = torch.cat((nothing.new_full((_BOX_NUMBERS,), -1.0), nothing)).expand(len(boxes), 1, -1)
        vectors = self.mlp(torch.cat((boxes, none), dim=1))
        return take_rows(vectors, self._owner(corners, mask))

    def _owner(self, corners: Tensor, mask: Tensor) -> Tensor:
        """(B, grid, grid) row of the last box over each cell, N where there is none."""
        bounds = corners.round()
        bounds = torch.where(bounds < 0, bounds + self.grid, bounds).clamp(min=0) if self.wrap else bounds
        x1, y1, x2, y2 = bounds[..., None].unbind(-2)
        cell = torch.arange(self.grid, dtype=corners.dtype, device=corners.device)
        inside_y, inside_x = (y1 <= cell) & (cell < y2), (x1 <= cell) & (cell < x2)
        covers = inside_y[..., :, None] & inside_x[..., None, :] & mask[..., None, None]
        count = mask.shape[1]
        row = torch.arange(count, device=mask.device)[:, None, None]
        last = torch.where(covers, row, -1).amax(1)
        return torch.where(last < 0, count, last)


class LocalityAdapter(nn.Module):
    """Patches, narrowed and with the layout added, mix with their neighbours in several window sizes.

    Args:
        width: W, of patches.
        narrow: D.
        kernels: odd window sizes in cells, one convolution each; they are summed.
        strength: factor on what the patches bring, against the layout (alpha of the public code).
    """

    def __init__(self, width: int, narrow: int, kernels: tuple[int, ...] = (3, 5), strength: float = 1.0) -> None:
        super().__init__()
        self.strength = strength
        self.down = nn.Linear(width, narrow)
        self.mix_norm = nn.LayerNorm(narrow)
        self.mix = nn.Linear(narrow, narrow)
        self.convolutions = nn.ModuleList([nn.Conv2d(narrow, narrow, size, padding=size // 2) for size in kernels])
        self.norm = nn.LayerNorm(narrow)
        self.up = nn.Linear(narrow, width)
        self.scale = nn.Parameter(torch.full((width,), 1e-9))  # gamma: CLIP is left as it is at the start

    def forward(self, patches: Tensor, layout: Tensor) -> Tensor:
        """(B, T, W): what to add to patches (B, T, W), given the layout (B, h, w, D), h w = T."""
        seen = self.down(patches).relu().unflatten(1, layout.shape[1:3])
        mixed = self.mix(self.mix_norm(self.strength * seen + layout)).permute(0, 3, 1, 2)
        near = torch.stack([convolution(mixed) for convolution in self.convolutions]).sum(0)
        near = self.norm(functional.leaky_relu(near).permute(0, 2, 3, 1))
        change: Tensor = self.up(near).flatten(1, 2) * self.scale
        return change
