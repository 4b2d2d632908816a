"""Weights files of the methods that find their own boxes: which are refused, and how."""

from __future__ import annotations

import pytest

for package in ("torch", "torchvision", "open_clip", "timm"):
    pytest.importorskip(package, reason=f"the models extra ({package}) is not installed")

import torch  # noqa: E402
from clip_cases import WORDS  # noqa: E402
from runner_cases import SIZES, detector  # noqa: E402

from videohoi.errors import ModelError  # noqa: E402
from videohoi.interact.imported import WeightsOrigin, load_imported, load_origin, save_imported  # noqa: E402
from videohoi.interact.methods import TABLE  # noqa: E402
from videohoi.interact.protocol import ModelOptions  # noqa: E402
from videohoi.pipeline.model_stages import method_config  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("name", ["eoid", "lain"])
def test_missing_weights_say_where_to_get_them(name):
    entry = TABLE[name]
    runner = entry.load(entry.runner)(entry, ModelOptions(WORDS, config=entry.load(entry.config)()))
    with pytest.raises(ModelError, match=rf"{name} needs weights: download .*https://github.com") as caught:
        runner.open()
    assert "without a network" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_of_other_verbs_are_refused_by_their_counts_and_by_their_name(weights, tmp_path):
    """Not by a shape on the first frame."""
    sizes = {**SIZES["eoid"], "verb_classes": 29}
    entry = TABLE["eoid"]
    model = entry.load(entry.model)(method_config(entry, None, sizes))
    save_imported(tmp_path / "vcoco.safetensors", model.state_dict(), WeightsOrigin("eoid", "hico-det", sizes))
    with pytest.raises(ModelError, match="29 verbs instead of 117"):
        detector("eoid", tmp_path / "vcoco.safetensors").open()
    named = load_imported(weights("eoid"))
    origin = WeightsOrigin("eoid", "my-words-v7", named.origin.config)
    save_imported(tmp_path / "named.safetensors", named.state_dict, origin)
    with pytest.raises(ModelError, match=r"trained for other classes \(my-words-v7\)"):
        detector("eoid", tmp_path / "named.safetensors").open()


def test_weights_of_another_data_set_are_refused(weights, tmp_path):
    sizes = {**SIZES["gen_vlkt"], "interaction_classes": 263, "object_classes": 81}
    entry = TABLE["gen_vlkt"]
    model = entry.load(entry.model)(method_config(entry, None, sizes))
    save_imported(tmp_path / "vcoco.safetensors", model.state_dict(), WeightsOrigin("gen_vlkt", "hico-det", sizes))
    with pytest.raises(ModelError, match=r"263 interactions instead of 600; 81 objects instead of 80"):
        detector("gen_vlkt", tmp_path / "vcoco.safetensors").open()
    with pytest.raises(ModelError, match=r"81 objects instead of 80.*expected the objects of hico-det"):
        detector("gen_vlkt", tmp_path / "vcoco.safetensors", "polish cup", clip_weights="random").open()


def test_a_file_whose_tensors_do_not_fit_its_own_configuration_is_one_line(tmp_path):
    save_imported(
        tmp_path / "e.safetensors", {"queries": torch.rand(2, 2)}, WeightsOrigin("eoid", "hico-det", SIZES["eoid"])
    )
    with pytest.raises(ModelError, match="does not fit its configuration") as caught:
        detector("eoid", tmp_path / "e.safetensors").open()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damaged", [{"config": "{"}, {"config": "[3]"}, {"method": None}])
def test_a_file_with_damaged_metadata_is_one_line(damaged, tmp_path):
    from safetensors.torch import save_file

    about = {"format": "1", "method": "eoid", "vocabulary": "hico-det", "config": "{}", "text_bank": "",
             "source_sha256": "", "source_name": ""} | damaged  # fmt: skip
    metadata = {f"videohoi.{key}": value for key, value in about.items() if value is not None}
    save_file({"queries": torch.rand(2, 2)}, tmp_path / "e.safetensors", metadata=metadata)
    for read in (load_imported, load_origin):
        with pytest.raises(ModelError, match="cannot be read as imported weights") as caught:
            read(tmp_path / "e.safetensors")
        assert "\n" not in str(caught.value)
