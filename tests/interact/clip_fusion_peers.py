"""The public HOICLIP and K2HOI models with random weights, from a checkout without data sets and CLIP files."""

from __future__ import annotations

import math
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import open_clip
import torch
from one_stage_cases import centre_tokens, scaled
from one_stage_cases import pictures as patchworks
from peer_modules import checkout, peer_modules
from torch import nn

COMMON: dict[str, Any] = {
    "num_queries": 64, "hidden_dim": 256, "nheads": 8, "dim_feedforward": 2048, "dropout": 0.1, "pre_norm": False,
    "enc_layers": 6, "dec_layers": 3, "inter_dec_layers": 3, "backbone": "resnet50", "dilation": False, "masks": False,
    "lr_backbone": 1e-5, "position_embedding": "sine", "clip_embed_dim": 512, "clip_model": "random",
    "num_verb_classes": 117, "num_obj_classes": 80, "dataset_file": "hico",
    "with_clip_label": True, "with_obj_clip_label": True,
    "fix_clip_label": False, "no_clip_cls_init": False, "verb_weight": 0.5, "with_mimic": False, "aux_loss": False,
    "eval": True, "i_hidden_dim": 512, "i_dec_layers": 1, "cross_attn_first": False, "interaction_decoder": True,
    "image_verb_loss": True, "cat_specific_fc": True, "verb_embed_norm": True, "x_improved": True, "hoi_text": True,
}  # fmt: skip
"""arguments of both public train scripts for HICO-DET"""
PACKAGES = {"hoiclip": "models_hoiclip", "k2hoi": "models_k2hoi"}


def public_model(
    name: str, folder: Path, *, zero_shot: str, clip_layers: int, seed: int = 11, **changed: Any
) -> SimpleNamespace:
    """``model`` of the checkout ``name`` in eval mode, and ``nested``, which pads a list of pictures as it wants them.

    Everything is random: CLIP, norms, layer scales and their buffers too. ``folder`` is for a file of verb prototypes.
    """
    root = checkout(name)
    package, verbs = PACKAGES[name], folder / "verbs.pth"
    torch.save(nn.functional.normalize(torch.randn(117, 512), dim=-1), verbs)
    arguments = {**COMMON, "zero_shot_type": zero_shot, "del_unseen": zero_shot != "default", "verb_pth": str(verbs)}
    with peer_modules((root,), _stubs(root, package, clip_layers)):
        import importlib

        public = importlib.import_module(f"models.{package}.hoiclip")
        misc = importlib.import_module("util.misc")
        options = SimpleNamespace(**{**arguments, **changed})
        branch: dict[str, nn.Module] = {}
        if name == "k2hoi":
            ffn = public.FeedForwardNetwork(d_model=512, dropout=0.1, dim_feedforward=2048)
            branch = {"interaction_decoder": public.build_transformer(options, "i_decoder"), "ffn": ffn}
        model = public.HOICLIP(
            public.build_backbone(options), public.build_gen(options), options.num_queries, args=options, **branch
        )
    _randomise(model.eval(), seed)
    return SimpleNamespace(model=model, nested=misc.nested_tensor_from_tensor_list)


def _stubs(root: Path, package: str, clip_layers: int) -> dict[str, ModuleType]:
    """Packages whose ``__init__`` wants data sets, a CLIP that is random, and what old library versions had."""
    names = ("models", f"models.{package}", "datasets", "util", "ModifiedCLIP", "ModifiedCLIP.clip", "einops")
    stubs = {name: ModuleType(name) for name in (*names, "timm.models.layers.helpers")}
    for name in ("models", f"models.{package}", "datasets", "util", "ModifiedCLIP"):
        stubs[name].__path__ = [str(root / name.replace(".", "/"))]
    clip = stubs["ModifiedCLIP.clip"]
    clip.load = lambda _: (_random_clip(clip_layers), None)  # type: ignore[attr-defined]
    clip.tokenize = open_clip.tokenize  # type: ignore[attr-defined]
    stubs["ModifiedCLIP"].clip = clip  # type: ignore[attr-defined]
    stubs["einops"].repeat = lambda x, _, repeat: x[:, None].expand(-1, repeat, -1)  # type: ignore[attr-defined]
    stubs["timm.models.layers.helpers"].to_2tuple = lambda x: (x, x)  # type: ignore[attr-defined]
    return stubs


def _random_clip(layers: int) -> nn.Module:
    """Their own CLIP class: ViT-B/32 with ``layers`` layers in both towers."""
    import importlib

    module = importlib.import_module("ModifiedCLIP.model")
    return module.CLIP(512, 224, layers, 768, 32, 77, 49408, 512, 8, layers).eval()


@torch.no_grad()
def _randomise(model: nn.Module, seed: int) -> None:
    """Every weight and statistic but the constant verb matrices, so that tokens, queries and pictures differ."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in model.state_dict().items():
        if value.is_floating_point() and not name.startswith("verb2hoi_proj"):
            value.copy_(_scaled(name, torch.randn(value.shape, generator=generator)))
    pixels, padding = patchworks([(128, 128)], seed=9)
    centre_tokens(model.input_proj, model.backbone[0](SimpleNamespace(tensors=pixels, mask=padding))["0"].tensors)


def _scaled(name: str, values: torch.Tensor) -> torch.Tensor:
    if "layer_scale" in name:
        return 0.3 * values
    if "queries2spacial" in name or "to_query" in name:  # matrices, although their names have "quer" in them
        return values / math.sqrt(values[0].numel()) if values.dim() > 1 else 0.1 * values
    return scaled(name, values)


def pictures(seed: int, *sizes: tuple[int, int]) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Patchworks of the given (height, width), and CLIP's of the same number."""
    return (
        [patchworks([size], seed=seed + row)[0][0] for row, size in enumerate(sizes)],
        patchworks([(224, 224)] * len(sizes), seed=seed + len(sizes))[0],
    )
