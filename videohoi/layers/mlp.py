"""Small multi-layer perceptrons: DETR's box head."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn


class MLP(nn.Sequential):
    """Linear layers with ReLU between them; DETR's box head is ``MLP(256, 256, 4, depth=3)`` (section A.4).

    Args:
        width_in: size of the last axis of the input.
        hidden: width of the layers between.
        width_out: size of the last axis of the output.
        depth: number of linear layers, at least 1.
    """

    def __init__(self, width_in: int, hidden: int, width_out: int, *, depth: int = 3) -> None:
        widths = [width_in, *[hidden] * (depth - 1), width_out]
        layers: list[nn.Module] = []
        for narrow, wide in pairwise(widths):
            layers += [nn.Linear(narrow, wide), nn.ReLU()]
        super().__init__(*layers[:-1])


class BoxHead(nn.Module):
    """Boxes (..., 4) cxcywh in fractions of the picture from tokens (..., D)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp = MLP(width, width, 4, depth=3)

    def forward(self, tokens: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.mlp(tokens).sigmoid()
        return out


def mlp_keys(published: str, ours: str, *, depth: int = 3) -> tuple[tuple[str, str], ...]:
    """Key map rows from DETR's ``MLP`` (``layers.0``, ``layers.1``, ...) called ``published`` (a regex) to an MLP."""
    return tuple((rf"{published}\.layers\.{layer}\.", f"{ours}.{2 * layer}.") for layer in range(depth))
