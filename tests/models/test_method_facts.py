"""The catalogue of methods: its figures are those of the models."""

from __future__ import annotations

import pytest

from videohoi.interact.methods import STARTER, TABLE
from videohoi.models.methods import METHODS


def test_every_method_states_paper_code_licences_and_needs():
    for name, facts in METHODS.items():
        assert facts.name == name
        assert facts.paper
        assert facts.code
        assert facts.weights
        assert name == STARTER or "torch" in facts.needs
        assert (facts.flops is None) == (facts.flops_at == "")
        assert not facts.weights_url or facts.weights_url.startswith("https://github.com/")
        assert facts.parameters


def test_the_starters_parameters_are_those_of_its_model_card():
    from importlib import resources

    card = resources.files("videohoi.interact.heads") / "data" / "starter_pair_head.md"
    assert f"{METHODS[STARTER].parameters:,} parameters" in card.read_text(encoding="utf-8")


@pytest.mark.torch
@pytest.mark.parametrize("name", [name for name in TABLE if name != "clip_prior"])
def test_parameters_are_counted_on_the_meta_device(name):
    for package in ("torch", "torchvision", "open_clip", "timm"):
        pytest.importorskip(package, reason=f"the models extra ({package}) is not installed")
    import torch

    entry = TABLE[name]
    with torch.device("meta"):
        model = entry.load(entry.model)(entry.load(entry.config)())
    assert sum(value.numel() for value in model.parameters()) == METHODS[name].parameters


@pytest.mark.torch
def test_flops_of_clip_prior_are_counted_on_the_meta_device():
    for package in ("torch", "torchvision", "open_clip"):
        pytest.importorskip(package, reason=f"the models extra ({package}) is not installed")
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from videohoi.interact.heads.clip_prior import ClipPrior
    from videohoi.layers.clip import Clip, clip_config

    facts = METHODS["clip_prior"]
    with torch.device("meta"):
        clip = Clip(clip_config(facts.clip))
        model = ClipPrior(clip.image, 100.0).eval()
        rest = (torch.zeros(1, 5, 4), torch.zeros(1, 8, 2, dtype=torch.int64), torch.ones(1, 8, dtype=torch.bool),
                torch.zeros(1, 5), torch.zeros(1, 5, dtype=torch.int64), torch.zeros(1, dtype=torch.int64),
                torch.arange(8)[None])  # fmt: skip
        with FlopCounterMode(display=False) as counter:
            model(torch.zeros(1, 8, 3, 224, 224), torch.zeros(600, 512), *rest)
    assert counter.get_total_flops() == facts.flops
    assert sum(value.numel() for value in clip.parameters()) == facts.parameters + 1, "the factor on cosines beside"


@pytest.mark.torch
def test_flops_of_the_starter_are_counted_on_its_network():
    torch = pytest.importorskip("torch", reason="the train extra (torch) is not installed")
    from torch.utils.flop_counter import FlopCounterMode

    from videohoi.geometry.pair_features import FEATURE_COUNT
    from videohoi.train.pair_network import PairNetwork, multiplied_sum
    from videohoi.vocabulary import hico_det

    pairs = 8
    rows = torch.arange(pairs)
    network = PairNetwork(hico_det()).eval()
    features = torch.zeros(pairs, FEATURE_COUNT)
    appearance = torch.zeros(pairs, 3 * network.size.feature_channels)
    with FlopCounterMode(display=False) as counter:
        network(features, rows, [multiplied_sum(rows)] * 3, appearance, torch.zeros(1))
    facts = METHODS[STARTER]
    assert facts.flops_at == f"{pairs} pairs"
    assert counter.get_total_flops() == facts.flops
