"""A block of CLIP's image tower taken apart, for tokens that see part of the picture (LAIN, arXiv 2505.19503)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def projected(block: Any, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value (B, heads, L, W / heads) of a CLIP block."""
    attention = block.attn
    joint = functional.linear(block.ln_1(tokens), attention.in_proj_weight, attention.in_proj_bias)
    query, key, value = (
        part.reshape(*part.shape[:2], attention.num_heads, -1).transpose(1, 2) for part in joint.chunk(3, dim=-1)
    )
    return query, key, value


def finished(block: Any, tokens: Tensor, mixed: Tensor) -> Tensor:
    """The rest of a CLIP block: tokens (B, L, W) and what their attention (B, heads, L, W / heads) gave."""
    tokens = tokens + block.attn.out_proj(mixed.transpose(1, 2).flatten(2))
    out: Tensor = tokens + block.mlp(block.ln_2(tokens))
    return out


def see_self_and(keys: Tensor, values: Tensor, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """(B, heads, L, D): each token attends to itself and to given keys and values (B, heads, T, D), no other token."""
    query = query * query.shape[-1] ** -0.5
    own = (query * key).sum(-1, keepdim=True)
    weights = torch.cat((own, query @ keys.transpose(-1, -2)), dim=-1).softmax(-1)
    return weights[..., :1] * value + weights[..., 1:] @ values
