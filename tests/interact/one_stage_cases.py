"""Pictures and weights for models that take whole pictures, and comparison with their public code."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace

import pytest
import torch
from peer_modules import checkout, peer_modules
from torch import Tensor, nn

TOLERANCE = 1e-4
TINY = {
    "width": 32,
    "heads": 4,
    "feedforward": 48,
    "encoder_layers": 2,
    "backbone": "resnet18",
    "queries": 5,
}
"""sizes of a model that a slow core runs at once"""
GAINS = {
    "image.projection.": 32.0,
    "input_proj.": 32.0,
    "projection_weight": 3.0,
    "in_proj": 3.0,
    "output.weight": 0.15,
    "out_proj": 0.15,
    "contract": 0.3,
    "linear2": 0.3,
}
"""of random matrices: tokens that differ from place to place and attention that differs by query, as in trained models,
yet not so sharp that rounding decides (at twice the attention EoID's public code is 0.09 from its own float64)"""


def hashed(salt: int, *shape: int) -> Tensor:
    """Numbers of mean 0 and deviation 1 from whole-number arithmetic alone; the multipliers are xxHash's primes."""
    mixed = (torch.arange(math.prod(shape)) * 2654435761 + salt * 97531) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 15)) * 2246822519) & 0xFFFFFFFF
    uniform = (mixed ^ (mixed >> 13)).double() / 2**32
    return ((2 * uniform - 1) * math.sqrt(3)).reshape(shape).float()


def pictures(sizes: Sequence[tuple[int, int]], seed: int = 0) -> tuple[Tensor, Tensor]:
    """Patchworks of the given (height, width), padded to one batch: pixels, padding mask."""
    height, width = (max(size[axis] for size in sizes) for axis in (0, 1))
    pixels = torch.zeros(len(sizes), 3, height, width)
    padding = torch.ones(len(sizes), height, width, dtype=torch.bool)
    for row, (high, wide) in enumerate(sizes):
        patches = 2 * hashed(100 * seed + row, 3, -(-high // 16), -(-wide // 16))
        pixels[row, :, :high, :wide] = patches.repeat_interleave(16, 1).repeat_interleave(16, 2)[:, :high, :wide]
        padding[row, :high, :wide] = False
    return pixels, padding


@torch.no_grad()
def formula_weights(model: nn.Module) -> nn.Module:
    """Every weight of one of our models from ``hashed``: stored numbers outlive the libraries' random generators.

    A smooth formula would give matrices of rank 2, and all queries one answer.
    """
    for index, (name, value) in enumerate(model.state_dict().items()):
        if value.is_floating_point():
            value.copy_(scaled(name, hashed(index, *value.shape)))
    model.eval()
    centre_tokens(model.image.projection, model.image.backbone(*pictures([(128, 128)], seed=9))[0])
    return model


@torch.no_grad()
def random_weights(model: nn.Module, seed: int) -> nn.Module:
    """Every weight and statistic of a public model random, none left at its initial zero or one."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            value.copy_(scaled(name, torch.randn(value.shape, generator=generator)))
    model.eval()
    pixels, padding = pictures([(128, 128)], seed=9)
    centre_tokens(model.input_proj, model.backbone[0](SimpleNamespace(tensors=pixels, mask=padding))["0"].tensors)
    return model


@torch.no_grad()
def centre_tokens(projection: nn.Conv2d, features: Tensor) -> None:
    """Set the bias so that the projected ``features`` (B, C, h, w) have mean 0.

    Maps of a random backbone are nearly the same everywhere; without this, attention has nothing to choose from and all
    queries get one answer.
    """
    projection.bias -= projection(features).mean((0, 2, 3))


def scaled(name: str, values: Tensor) -> Tensor:
    """Values of deviation 1 as what is called ``name`` has them in trained models."""
    if name.endswith("logit_scale"):
        return 2.0 + 0.3 * values
    if name.endswith("running_var"):
        return 0.5 + values.abs()
    if "quer" in name or "pos" in name:  # queries and their positions: as large as in trained models
        return values
    if values.dim() > 1:
        gain = next((gain for part, gain in GAINS.items() if part in name), 1.0)
        return gain * values / math.sqrt(values[0].numel())
    return 0.7 + 0.2 * values if name.endswith("weight") else 0.1 * values


IMAGE_NAMES = {
    "image.encoder.": "transformer.encoder.",
    "image.backbone.body.": "backbone.0.body.",
    "image.projection.": "input_proj.",
}
LAYER_NAMES = {
    "cross_attention.": "multihead_attn.",
    "self_attention.": "self_attn.",
    "attention.": "self_attn.",
    "projection_": "in_proj_",
    "output.": "out_proj.",
    "expand.": "linear1.",
    "contract.": "linear2.",
    "cross_norm.": "norm2.",
    "self_norm.": "norm1.",
    "feedforward.": "",
}


def published(model: nn.Module, names: Mapping[str, str]) -> dict[str, Tensor]:
    """The model's values under DETR's published names, written down apart from the key map; ``names``: its own part."""
    state = {}
    for key, value in model.state_dict().items():
        ours = next(begin for begin in (*IMAGE_NAMES, *names) if key.startswith(begin))
        theirs = {**IMAGE_NAMES, **names}[ours]
        tail = key.removeprefix(ours)
        if tail.startswith("mlp."):
            _, layer, kind = tail.split(".")
            tail = f"layers.{int(layer) // 2}.{kind}"
        if tail.startswith("layers.") and "transformer" in theirs:
            norms = ("norm1.", "norm2.") if "encoder" in theirs else ("", "norm3.")
            last = "feedforward.norm." in tail
            for mine, public in LAYER_NAMES.items():
                tail = tail.replace(mine, public)
            tail = tail.replace(".norm.", f".{norms[last]}")
        state[theirs + tail] = value
    return state


def parameter_count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def largest_difference(ours: Tensor, theirs: Tensor) -> float:
    """Between outputs (B, Q, ...); refuses outputs that are alike for all queries or pictures, which prove nothing."""
    assert ours.shape == theirs.shape
    assert (theirs - theirs[:, :1]).abs().max() > 100 * TOLERANCE
    assert len(theirs) == 1 or (theirs[0] - theirs[1]).abs().max() > 100 * TOLERANCE
    return float((ours - theirs).abs().max())


@contextmanager
def public_code(name: str, stubs: Mapping[str, ModuleType]) -> Iterator[None]:
    """Imports within the block find the checkout ``name``, which compares version 0.30 as if it were 0.3."""
    import torchvision

    folder = checkout(name)
    with peer_modules((folder,), stubs), pytest.MonkeyPatch.context() as patch:
        patch.setattr(torchvision, "__version__", "0.9.0")
        yield


def published_settings(**changed: object) -> SimpleNamespace:
    """What the public codes of DETR's family take from the command line."""
    values = {
        "hidden_dim": 256,
        "position_embedding": "sine",
        "lr_backbone": 1e-5,
        "masks": False,
        "backbone": "resnet50",
        "dilation": False,
        "dropout": 0.1,
        "nheads": 8,
        "dim_feedforward": 2048,
        "enc_layers": 6,
        "pre_norm": False,
    }
    return SimpleNamespace(**{**values, **changed})
