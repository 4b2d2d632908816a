"""``videohoi models import``: from a published checkpoint to a file that runs."""

from __future__ import annotations

import argparse
import os
import pathlib

import numpy as np
import pytest

for package in ("torch", "torchvision", "open_clip", "timm"):
    pytest.importorskip(package, reason=f"the models extra ({package}) is not installed")

import torch  # noqa: E402
from one_stage_cases import formula_weights, published  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from videohoi.cli import main  # noqa: E402
from videohoi.commands import import_weights  # noqa: E402
from videohoi.files import file_sha256  # noqa: E402
from videohoi.interact.heads.detr_pairs import UptModelConfig  # noqa: E402
from videohoi.interact.heads.eoid import EoID, EoIDConfig  # noqa: E402
from videohoi.interact.imported import load_imported  # noqa: E402
from videohoi.interact.methods import TABLE  # noqa: E402
from videohoi.pipeline.model_stages import method_config  # noqa: E402

pytestmark = pytest.mark.torch
SIZES = {"width": 32, "heads": 4, "feedforward": 48, "encoder_layers": 1, "pair_layers": 1, "interaction_layers": 1,
         "queries": 5, "backbone": "resnet18"}  # fmt: skip
SETTINGS = [part for key, value in SIZES.items() for part in ("--set", f"{key}={value}")]
NAMES = {
    "pair_decoder.": "transformer.decoder.",
    "interaction_decoder.": "transformer.interaction_decoder.",
    "queries": "query_embed.weight",
    "object_class.": "obj_class_embed.",
    "verb_class.": "verb_class_embed.",
    "interactive_score.": "is_embed.",
    "human_box.": "sub_bbox_embed.",
    "object_box.": "obj_bbox_embed.",
}


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """A checkpoint as EoID's authors save theirs, and the model it holds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    model = formula_weights(EoID(EoIDConfig(**SIZES)))
    weights = published(model, NAMES) | {"transformer.stage2_decoder.norm.bias": torch.zeros(1)}
    torch.save({"model": weights, "epoch": 89, "args": argparse.Namespace(lr=1e-4)}, "published.pth")
    return model


def complaint(capsys):
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("videohoi: ")
    return line


def test_a_published_checkpoint_becomes_a_file_with_its_origin(checkpoint, tmp_path, capsys):
    assert main(["models", "import", "published.pth", "--as", "eoid", "--out", "e.safetensors", *SETTINGS]) == 0
    told = capsys.readouterr().out
    assert "not needed: 1 x the converter's copy of DETR's decoder" in told
    assert "use it with --model eoid --weights" in told
    loaded = load_imported(tmp_path / "e.safetensors", "eoid")
    for name, value in checkpoint.state_dict().items():
        assert torch.equal(loaded.state_dict[name], value)
    assert loaded.origin.config["queries"] == 5
    assert loaded.origin.vocabulary == "hico-det"
    assert loaded.origin.source_sha256 == file_sha256(tmp_path / "published.pth")
    assert loaded.origin.source_name == "published.pth"


def test_what_does_not_fit_is_refused_with_both_sizes_and_nothing_is_written(checkpoint, tmp_path, capsys):
    changed = [part if part != "queries=5" else "queries=7" for part in SETTINGS]
    assert main(["models", "import", "published.pth", "--as", "eoid", *changed]) == 1
    line = complaint(capsys)
    assert "queries: (5, 32) in the checkpoint, (7, 32) in the model" in line
    assert "--set KEY=VALUE" in line
    assert [path.name for path in tmp_path.iterdir()] == ["published.pth"]


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["published.pth", "--as", "eoit"], "did you mean eoid", 2),
        (["missing.pth", "--as", "eoid"], "missing.pth: cannot be read", 1),
        (["published.pth", "--as", "clip_prior"], "clip_prior has no weights of its own", 1),
        (["published.pth", "--as", "eoid", "--set", "querys=5"], "did you mean queries", 2),
        (["published.pth", "--as", "eoid", "--set", "width=0"], "width 0 with 8 heads", 2),
        (["published.pth", "--as", "eoid", "--set", "heads=7"], "a width that the heads divide", 2),
        (["published.pth", "--as", "eoid", "--set", "backbone=vgg16"], "choose one of resnet18", 2),
        (
            ["published.pth", "--as", "eoid", "--set", "verb_classes=-3"],
            "a model of eoid cannot be built with these settings",
            2,
        ),
        (["published.pth", "--as", "starter"], "nothing to import", 2),
        (["published.pth", "--as", "eoid", "--out", "published.pth"], "is the checkpoint itself", 2),
        (["published.pth", "--as", "eoid", "--out", "."], "it is not a file", 1),
        (["published.pth", "--as", "eoid", "--out", "published.pth/x"], "cannot write weights published.pth/x", 1),
    ],
)
def test_bad_arguments_are_one_line_and_write_nothing(checkpoint, tmp_path, capsys, arguments, message, code):
    before = file_sha256(tmp_path / "published.pth")
    sizes = SETTINGS if "published.pth/x" in arguments else []
    assert main(["models", "import", *arguments, *sizes]) == code
    assert message in complaint(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["published.pth"]
    assert file_sha256(tmp_path / "published.pth") == before


def test_a_device_is_not_replaced_by_a_file(checkpoint, tmp_path, capsys):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert main(["models", "import", "published.pth", "--as", "eoid", "--out", str(pipe), *SETTINGS]) == 1
    assert "it is not a file" in complaint(capsys)
    assert main(["models", "import", str(pipe), "--as", "eoid"]) == 1  # and reading one would wait for ever
    assert "not a file" in complaint(capsys)
    assert pipe.is_fifo()


class Foreign:
    """What a checkpoint must not hold."""


def changed(checkpoint, change):
    weights = published(checkpoint, NAMES)
    change(weights)
    return {"model": weights}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("query_embed.weight"), "1 missing (queries)"),
        (lambda w: w.update({"new.part": torch.zeros(2)}), "1 unexpected (new.part)"),
        (lambda w: w.update({"sparse": torch.eye(2).to_sparse()}), "sparse and 0 more entries are not plain tensors"),
        (lambda w: w.update({"foreign": Foreign()}), "Foreign, which is not unpickled for safety"),
    ],
)
def test_a_checkpoint_with_one_thing_wrong_is_refused_by_its_name(checkpoint, tmp_path, capsys, change, message):
    torch.save(changed(checkpoint, change), "published.pth")
    assert main(["models", "import", "published.pth", "--as", "eoid", *SETTINGS]) == 1
    assert message in complaint(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["published.pth"]


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old format"])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_checkpoint_is_one_line(checkpoint, tmp_path, capsys, zipped, share):
    torch.save(published(checkpoint, NAMES), "whole.pth", _use_new_zipfile_serialization=zipped)
    whole = (tmp_path / "whole.pth").read_bytes()
    (tmp_path / "published.pth").write_bytes(whole[: int(share * len(whole))])
    assert main(["models", "import", "published.pth", "--as", "eoid", *SETTINGS]) == 1
    line = complaint(capsys)
    assert "published.pth: is damaged or not a checkpoint" in line
    assert "weights_only" not in line  # torch's own advice would run the file's code


def test_safetensors_with_the_published_names_are_taken(checkpoint, tmp_path):
    weights = {name: value.contiguous().clone() for name, value in published(checkpoint, NAMES).items()}
    save_file(weights, "published.safetensors")
    assert main(["models", "import", "published.safetensors", "--as", "eoid", *SETTINGS]) == 0
    assert load_imported(tmp_path / "published.eoid.safetensors").origin.source_name == "published.safetensors"


def test_a_checkpoint_of_another_method_is_refused(checkpoint, capsys):
    assert main(["models", "import", "published.pth", "--as", "gen_vlkt"]) == 1
    line = complaint(capsys)
    assert "does not fit GenVlkt" in line
    assert "unexpected" in line


def test_a_file_imported_before_is_called_so(checkpoint, capsys):
    assert main(["models", "import", "published.pth", "--as", "eoid", "--out", "my file.safetensors", *SETTINGS]) == 0
    assert "--model eoid --weights 'my file.safetensors'" in capsys.readouterr().out, "to be pasted into a shell"
    assert main(["models", "import", "my file.safetensors", "--as", "eoid", *SETTINGS]) == 2
    assert "was imported already; use it with --model eoid --weights 'my file.safetensors'" in complaint(capsys)


def test_a_file_of_another_method_is_called_by_its_name(checkpoint, capsys):
    assert main(["models", "import", "published.pth", "--as", "gen_vlkt"]) == 1
    assert "its names are those of eoid: import it with --as eoid" in complaint(capsys)


def test_a_key_while_the_file_is_written_leaves_nothing(checkpoint, tmp_path, monkeypatch):
    import safetensors.torch

    def interrupted(*_given, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr(safetensors.torch, "save_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        import_weights.import_checkpoint(tmp_path / "published.pth", "eoid", None, tuple(SETTINGS[1::2]))
    assert [path.name for path in tmp_path.iterdir()] == ["published.pth"]


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_others_may_read_the_file_where_the_user_lets_them(checkpoint, tmp_path):
    before = os.umask(0o022)
    try:
        assert main(["models", "import", "published.pth", "--as", "eoid", "--out", "e.safetensors", *SETTINGS]) == 0
    finally:
        os.umask(before)
    assert (tmp_path / "e.safetensors").stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_a_file_that_is_replaced_stays_as_private_as_it_was(checkpoint, tmp_path):
    (tmp_path / "e.safetensors").write_bytes(b"")
    (tmp_path / "e.safetensors").chmod(0o600)
    assert main(["models", "import", "published.pth", "--as", "eoid", "--out", "e.safetensors", *SETTINGS]) == 0
    assert (tmp_path / "e.safetensors").stat().st_mode & 0o777 == 0o600


def test_numbers_of_numpy_and_paths_beside_the_weights_do_no_harm(checkpoint, tmp_path):
    beside = {"best": np.float64(0.3), "curve": np.arange(3.0), "seed": np.int64(3), "out": pathlib.Path("runs/x")}
    torch.save({"model": published(checkpoint, NAMES), **beside}, "beside.pth")
    assert main(["models", "import", "beside.pth", "--as", "eoid", *SETTINGS]) == 0
    assert torch.equal(load_imported(tmp_path / "beside.eoid.safetensors").state_dict["queries"], checkpoint.queries)


@pytest.mark.parametrize(
    ("value", "message"),
    [(torch.full((5, 32), torch.nan), "1 not finite (queries)"),
     (torch.zeros(5, 32, dtype=torch.complex64), "1 of another type (queries: torch.complex64"),
     (torch.zeros(5, 32, dtype=torch.int64), "1 of another type (queries: torch.int64")],
)  # fmt: skip
def test_values_that_are_no_weights_are_refused(checkpoint, capsys, value, message):
    torch.save({"model": published(checkpoint, NAMES) | {"query_embed.weight": value}}, "odd.pth")
    assert main(["models", "import", "odd.pth", "--as", "eoid", *SETTINGS]) == 1
    line = complaint(capsys)
    assert message in line
    assert "download it again" in line
    assert "--set" not in line


def test_a_detector_of_another_size_keeps_the_rest_of_its_settings():
    """``--set detector.backbone=resnet101`` is all that UPT-R101 needs."""
    config = method_config(TABLE["upt"], None, {"detector": {"backbone": "resnet101"}})
    assert (config.detector.backbone, config.detector.class_outputs) == ("resnet101", 81)
    assert config.head == UptModelConfig().head
