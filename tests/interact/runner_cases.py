"""Tiny models of the methods that find their own boxes, with random weights."""

from __future__ import annotations

import dataclasses
import json

import pytest

for package in ("torch", "torchvision", "open_clip", "timm"):
    pytest.importorskip(package, reason=f"the models extra ({package}) is not installed")

import torch  # noqa: E402
from clip_cases import TINY_CLIP, WORDS, frame  # noqa: E402
from one_stage_cases import formula_weights  # noqa: E402

from videohoi.interact.hoi_detector import HOIDetector, MergeSettings  # noqa: E402
from videohoi.interact.imported import WeightsOrigin, save_imported  # noqa: E402
from videohoi.interact.methods import TABLE  # noqa: E402
from videohoi.interact.protocol import ModelOptions  # noqa: E402
from videohoi.layers.pictures import detr_input  # noqa: E402
from videohoi.pipeline.model_stages import method_config  # noqa: E402
from videohoi.pipeline.words import requested_vocabulary  # noqa: E402

DETR = {"width": 32, "heads": 4, "feedforward": 48, "encoder_layers": 1, "backbone": "resnet18", "queries": 6}
CLIP = json.loads(json.dumps(dataclasses.asdict(TINY_CLIP)))
SIZES = {
    "eoid": {**DETR, "pair_layers": 1, "interaction_layers": 1},
    "gen_vlkt": {**DETR, "decoder_layers": 1, "text_width": 16},
    "hoiclip": {**DETR, "instance_layers": 1, "fusion_layers": 1, "clip": CLIP},
    "ki2hoi": {**DETR, "instance_layers": 1, "fusion_layers": 1, "clip": CLIP},
    "upt": {
        "head": {"detector_width": 32, "picture_width": 512, "width": 32, "spatial_widths": [16, 16], "heads": 4,
                 "branches": 4, "pair_feedforward": 32},
        "detector": {**DETR, "decoder_layers": 1, "class_outputs": 81},
    },
    "lain": {
        "head": {"clip": CLIP, "detector_width": 32, "token_hidden": 16, "layout_hidden": 16, "adapter_width": 8,
                 "context_tokens": 2},
        "detector": {**DETR, "decoder_layers": 1, "class_outputs": 81},
    },
}  # fmt: skip
READ_TEXT = ["gen_vlkt", "hoiclip", "ki2hoi", "lain"]


@torch.no_grad()
def sees_people_and_cups(detr):
    """In ``frame()``: boxes apart, half of the queries fairly sure of people and half of cups."""
    formula_weights(detr)
    detr.box.mlp[-1].weight *= 12
    detr.box.mlp[-1].bias[2:] = -1.5
    queries = detr(*detr_input([frame().image], short_side_px=96, long_side_px=96)).queries[0]
    direction = queries[3:].mean(0) - queries[:3].mean(0)
    direction /= direction.square().sum()
    scores = queries @ direction
    detr.object_class.weight.zero_()
    detr.object_class.bias.zero_()
    detr.object_class.weight[WORDS.person_id] = 4 * direction
    detr.object_class.bias[WORDS.person_id] = 5 - 4 * scores.median()
    detr.object_class.bias[WORDS.object_id("cup")] = 5.0


def weights_maker(folder):
    """``weights(name)``: a file of that method with random weights, made once."""
    made = {}

    def make(name):
        if name not in made:
            entry = TABLE[name]
            config = method_config(entry, None, SIZES[name])
            torch.manual_seed(1)
            model = entry.load(entry.model)(config)
            if entry.own_detr:
                sees_people_and_cups(model.detector)
            made[name] = folder / f"{name}.safetensors"
            save_imported(made[name], model.state_dict(), WeightsOrigin(name, "hico-det", SIZES[name]))
        return made[name]

    return make


def detector(name, file, words=None, **more):
    entry = TABLE[name]
    options = ModelOptions(
        WORDS if words is None else requested_vocabulary(words), own_words=words is not None, weights=file,
        config=method_config(entry, file, {}), device="cpu", input_size_px=96, **more,
    )  # fmt: skip
    sizes = (TINY_CLIP,) if name == "gen_vlkt" else ()
    runner = entry.load(entry.runner)(entry, options, *sizes)
    return HOIDetector(runner, MergeSettings(box_score=0.0))
