"""DETR: the network, its published weights, and running it on pictures.

Paper: Carion et al., "End-to-End Object Detection with Transformers", ECCV 2020 (arXiv 2005.12872). Code:
github.com/facebookresearch/detr (Apache-2.0). Written from the paper's formulas, same outputs on the same weights, also
on UPT's and LAIN's HICO-DET fine-tune of DETR-R50 (github.com/fredzzhang/upt, BSD-3).

Deviations: no auxiliary outputs and no segmentation; attention runs on PyTorch's fused kernel, batch first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from videohoi.detect.protocol import LabelledBoxes
from videohoi.errors import ModelError
from videohoi.layers.box_head import BoxHead, corners, mlp_keys
from videohoi.layers.checkpoint_files import read_checkpoint, training_arguments
from videohoi.layers.checkpoints import renamed
from videohoi.layers.image_encoder import (
    IMAGE_ENCODER_IGNORED_KEYS,
    ImageEncoder,
    ImageTokens,
    image_encoder_keys,
)
from videohoi.layers.pictures import LONG_SIDE_PX, SHORT_SIDE_PX, choose_device, detr_input
from videohoi.layers.transformer import Decoder, TransformerConfig, decoder_keys


@dataclass(frozen=True)
class DetrConfig:
    """Sizes; the defaults are DETR-R50's on COCO (section 4)."""

    class_outputs: int = 92
    """92: COCO's category ids 0 to 90 and nothing; 81: the 80 classes in COCO's order and nothing"""
    queries: int = 100
    width: int = 256
    heads: int = 8
    feedforward: int = 2048
    dropout: float = 0.1
    encoder_layers: int = 6
    decoder_layers: int = 6
    backbone: str = "resnet50"
    dilated: bool = False
    """DC5: feature map at stride 16"""


class DetrOutput(NamedTuple):
    """What DETR gives for B pictures and Q queries, with what two-stage heads read besides boxes."""

    boxes_cxcywh: Tensor
    """(B, Q, 4) in fractions of the unpadded picture"""
    logits: Tensor
    """(B, Q, classes + 1), last = nothing"""
    queries: Tensor
    """(B, Q, D) the decoder's last layer, after its norm"""
    image: ImageTokens
    """encoder memory, positions, padding and the backbone's feature map"""


class Detr(nn.Module):
    """Pixels to Q boxes with class logits (section 3.2)."""

    def __init__(self, config: DetrConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DetrConfig()
        sizes = TransformerConfig(config.width, config.heads, config.feedforward, config.dropout)
        self.image = ImageEncoder(sizes, config.encoder_layers, backbone=config.backbone, dilated=config.dilated)
        self.queries = nn.Parameter(torch.randn(config.queries, config.width))
        self.decoder = Decoder(sizes, config.decoder_layers)
        self.object_class = nn.Linear(config.width, config.class_outputs)
        self.box = BoxHead(config.width)

    def forward(self, pixels: Tensor, padding_mask: Tensor) -> DetrOutput:
        """Pixels (B, 3, H, W) as ``detr_input`` makes them, padding (B, H, W) bool, True where padding."""
        image = self.image(pixels, padding_mask)
        queries = self.queries.expand(len(pixels), -1, -1)
        states = self.decoder(queries, image.memory, image.position, image.padding_mask)[-1]
        return DetrOutput(self.box(states), self.object_class(states), states, image)


def detr_keys(prefix: str = "", ours: str = "") -> tuple[tuple[str, str], ...]:
    """Key map rows from a DETR below ``prefix`` (a regex) to a ``Detr`` below ``ours``; both end with a dot."""
    return (
        *image_encoder_keys(ours=f"{ours}image", prefix=prefix),
        *decoder_keys(rf"{prefix}transformer\.decoder", f"{ours}decoder"),
        (rf"{prefix}query_embed\.weight", f"{ours}queries"),
        (rf"{prefix}class_embed\.", f"{ours}object_class."),
        *mlp_keys(rf"{prefix}bbox_embed", f"{ours}box.mlp"),
    )


KEY_MAP = detr_keys()
"""from the names of facebookresearch/detr (and of UPT's fine-tune of it) to ours"""
IGNORED_KEYS: tuple[tuple[str, str], ...] = (
    *IMAGE_ENCODER_IGNORED_KEYS,
    (r"(criterion\.)?empty_weight", "class weights of the training loss"),
)
"""published keys that are not needed, and why"""


def load_detr(weights: Path) -> Detr:
    """A DETR of the size that the file holds, in evaluation mode on the CPU.

    Args:
        weights: a published checkpoint (``.pth``), or safetensors under published or own names.

    Raises:
        ModelError: the file cannot be read, or is no DETR.
    """
    values = renamed(read_checkpoint(weights), KEY_MAP, IGNORED_KEYS)
    try:
        config = config_of(values, dilated=training_arguments(weights).get("dilation") is True)
        with torch.device("meta"):
            model = Detr(config)
        model.load_state_dict({name: value.float() for name, value in values.items()}, strict=True, assign=True)
    except (KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]  # torch lists every key, one a line
        lacking = f"lacks {reason}" if isinstance(error, KeyError) else reason
        whole = any(name.startswith("detector.") for name in values)
        hint = ", or import it whole: `videohoi models import` takes UPT's and LAIN's checkpoints" if whole else ""
        raise ModelError(
            f"{weights}: not the weights of a DETR ({lacking}); expected detr-r50 or a fine-tune{hint}"
        ) from error
    return model.eval()


def config_of(values: Mapping[str, Tensor], *, dilated: bool = False) -> DetrConfig:
    """Sizes of the DETR whose weights ``values`` are, under own names; 8 heads, which no weight shows.

    Raises:
        KeyError: a weight that every DETR has is missing.
    """
    queries, width = values["queries"].shape
    return DetrConfig(
        class_outputs=len(values["object_class.bias"]),
        queries=queries,
        width=width,
        feedforward=len(values["image.encoder.layers.0.feedforward.expand.bias"]),
        encoder_layers=_depth(values, "image.encoder.layers."),
        decoder_layers=_depth(values, "decoder.layers."),
        backbone=_backbone(values),
        dilated=dilated,
    )


def _backbone(values: Mapping[str, Tensor]) -> str:
    """The ResNet, by its blocks: the smaller two have two convolutions per block; the third stage shows the depth."""
    body = "image.backbone.body."
    if f"{body}layer1.0.conv3.weight" not in values:
        return "resnet18" if _depth(values, f"{body}layer3.") == 2 else "resnet34"
    return "resnet50" if _depth(values, f"{body}layer3.") == 6 else "resnet101"


def _depth(values: Mapping[str, Tensor], prefix: str) -> int:
    return len({name[len(prefix) :].split(".")[0] for name in values if name.startswith(prefix)})


class DetrRunner:
    """A loaded DETR that takes pictures and gives arrays; what ``DetrDetector`` runs.

    Raises:
        ModelError: see ``load_detr``.
    """

    def __init__(self, weights: Path, *, device: str = "cpu") -> None:
        self.device = choose_device(device)
        self.model = load_detr(weights).to(self.device)

    def __call__(
        self,
        images: Sequence[NDArray[np.uint8]],
        short_side_px: int = SHORT_SIDE_PX,
        long_side_px: int = LONG_SIDE_PX,
    ) -> list[LabelledBoxes]:
        """The boxes of each picture (H, W, 3) uint8 RGB."""
        with torch.inference_mode():
            batch = detr_input(images, short_side_px=short_side_px, long_side_px=long_side_px, device=self.device)
            return best_classes(self.model(*batch))


def best_classes(output: DetrOutput) -> list[LabelledBoxes]:
    """DETR's post-processing (its ``PostProcess``): softmax, the best class that is not "nothing", corners.

    Unsorted, no query left out.
    """
    scores, classes = output.logits.softmax(-1)[..., :-1].max(-1)
    boxes_xyxy = corners(output.boxes_cxcywh)
    rows = zip(boxes_xyxy.cpu().numpy(), scores.cpu().numpy(), classes.cpu().numpy(), strict=True)
    return [LabelledBoxes(*row) for row in rows]
