"""What KI2HOI adds to HOICLIP: SwiftFormer's blocks before DETR's encoder, and verb queries that read the picture.

Blocks of SwiftFormer (arXiv 2303.15446, section 3): convolutional encoder, efficient additive attention;
``swiftformer_keys`` renames the weights of the public code. Verb queries as in Query2Label (arXiv 2107.10834), in
KI2HOI's section III-C.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from videohoi.layers.transformer import Decoder, FeedForward, TransformerConfig

LAYER_SCALE = 1e-5
"""of attention and MLP at the start of training (CaiT, arXiv 2103.17239; SwiftFormer's code)"""
_MLP_RATIO = 4


class LocalBlock(nn.Module):
    """Depthwise 3x3, batch norm, 1x1, GELU, 1x1, scaled per channel, plus the input: (B, C, H, W) to the same shape.

    With ``hidden`` = C this is SwiftFormer's local representation, wider it is its ConvEncoder.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.norm = nn.BatchNorm2d(channels)
        self.expand = nn.Conv2d(channels, hidden, 1)
        self.contract = nn.Conv2d(hidden, channels, 1)
        self.scale = nn.Parameter(torch.ones(channels, 1, 1))
        _initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        mixed = functional.gelu(self.expand(self.norm(self.depthwise(x))))
        out: Tensor = x + self.scale * self.contract(mixed)
        return out


class EfficientAdditiveAttention(nn.Module):
    """Attention that is linear in the number of tokens: (B, N, D) to the same shape.

    With unit queries q and keys k: ``a = normalised over tokens(q w / sqrt(D))``, one global query
    ``g = sum_n a_n q_n``, and ``out_n = W_out (W (g * k_n) + q_n)``.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.token_weight = nn.Parameter(torch.randn(width, 1))
        self.mix = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """See the class."""
        query = functional.normalize(self.query(tokens), dim=-1)
        key = functional.normalize(self.key(tokens), dim=-1)
        share = functional.normalize(query @ self.token_weight * query.shape[-1] ** -0.5, dim=1)
        whole = (share * query).sum(dim=1, keepdim=True)
        out: Tensor = self.output(self.mix(whole * key) + query)
        return out


class PointwiseMLP(nn.Module):
    """Batch norm, 1x1 to ``hidden``, GELU, 1x1 back: (B, C, H, W) to the same shape, without residual."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.expand = nn.Conv2d(channels, hidden, 1)
        self.contract = nn.Conv2d(hidden, channels, 1)
        _initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.contract(functional.gelu(self.expand(self.norm(x))))
        return out


class SwiftFormerEncoder(nn.Module):
    """Local representation, then additive attention and MLP, both layer-scaled: (B, C, H, W) to the same.

    All H * W positions take part, padding too: the public code has no mask here.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.local = LocalBlock(channels, channels)
        self.attention = EfficientAdditiveAttention(channels)
        self.mlp = PointwiseMLP(channels, _MLP_RATIO * channels)
        self.attention_scale = nn.Parameter(torch.full((channels, 1, 1), LAYER_SCALE))
        self.mlp_scale = nn.Parameter(torch.full((channels, 1, 1), LAYER_SCALE))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        x = self.local(x)
        tokens = self.attention(x.flatten(2).transpose(1, 2))
        x = x + self.attention_scale * tokens.transpose(1, 2).reshape(x.shape)
        out: Tensor = x + self.mlp_scale * self.mlp(x)
        return out


def _initialise(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.trunc_normal_(part.weight, std=0.02)  # SwiftFormer's code
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def local_block_keys(published: str, ours: str) -> tuple[tuple[str, str], ...]:
    """Key map rows from a ConvEncoder or local representation called ``published`` (a regex) to a ``LocalBlock``."""
    names = (("dwconv", "depthwise"), ("norm", "norm"), ("pwconv1", "expand"), ("pwconv2", "contract"))
    rows = tuple((rf"{published}\.{theirs}\.", f"{ours}.{mine}.") for theirs, mine in names)
    return (*rows, (rf"{published}\.layer_scale$", f"{ours}.scale"))


def swiftformer_keys(published: str, ours: str) -> tuple[tuple[str, str], ...]:
    """Key map rows from a public SwiftFormerEncoder called ``published`` (a regex) to a ``SwiftFormerEncoder``."""
    names = (
        (r"attn\.to_query\.", "attention.query."),
        (r"attn\.to_key\.", "attention.key."),
        (r"attn\.w_g$", "attention.token_weight"),
        (r"attn\.Proj\.", "attention.mix."),
        (r"attn\.final\.", "attention.output."),
        (r"linear\.norm1\.", "mlp.norm."),
        (r"linear\.fc1\.", "mlp.expand."),
        (r"linear\.fc2\.", "mlp.contract."),
        (r"layer_scale_1$", "attention_scale"),
        (r"layer_scale_2$", "mlp_scale"),
    )
    rows = tuple((rf"{published}\.{theirs}", f"{ours}.{mine}") for theirs, mine in names)
    return (*local_block_keys(rf"{published}\.local_representation", f"{ours}.local"), *rows)


class GroupWiseLinear(nn.Module):
    """Weights of a linear classifier for each of V queries of D numbers (Query2Label); loaded, not run.

    A loss of the published training reads it.
    """

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(width)
        self.weight = nn.Parameter(torch.empty(1, classes, width).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(1, classes).uniform_(-bound, bound))


class VerbExtractionDecoder(nn.Module):
    """V verb queries attend to each other and to the encoder's memory (KI2HOI, section III-C; Query2Label).

    Args:
        verbs: V.
        memory_width: D of memory and positions.
        config: sizes of the decoder, W = ``config.width``.
        depth: decoder layers; the paper's table VI is best with 1.
    """

    def __init__(self, verbs: int, memory_width: int, config: TransformerConfig, depth: int = 1) -> None:
        super().__init__()
        self.memory_projection = nn.Conv2d(memory_width, config.width, 1)
        self.position_projection = nn.Conv2d(memory_width, config.width, 1)
        self.target = nn.Parameter(torch.randn(verbs, config.width))
        self.query_position = nn.Parameter(torch.randn(verbs, config.width))
        self.decoder = Decoder(config, depth)
        self.class_feedforward = FeedForward(config)
        self.class_weights = GroupWiseLinear(verbs, config.width)

    def forward(self, memory: Tensor, position: Tensor, padding_mask: Tensor | None = None) -> Tensor:
        """Verb features (B, V, W) from memory and position (B, L, D) and padding (B, L) bool, True where padding."""
        batch = memory.shape[0]
        outputs: Tensor = self.decoder(
            self.query_position.expand(batch, -1, -1),
            _per_token(self.memory_projection, memory),
            _per_token(self.position_projection, position),
            padding_mask,
            self.target.expand(batch, -1, -1),
        )
        return outputs[-1]


def _per_token(convolution: nn.Conv2d, tokens: Tensor) -> Tensor:
    """A 1x1 convolution, which the published weights are, on tokens (B, L, D)."""
    out: Tensor = convolution(tokens.transpose(1, 2).unsqueeze(-1)).squeeze(-1).transpose(1, 2)
    return out
