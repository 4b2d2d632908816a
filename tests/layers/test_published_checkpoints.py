"""Published weights: what is refused, what is told, and that what is saved comes back."""

from __future__ import annotations

import argparse
import os
import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
pytest.importorskip("safetensors", reason="the models extra (safetensors) is not installed")

from torch import nn  # noqa: E402

from videohoi.errors import ModelError, SinkError  # noqa: E402
from videohoi.files import file_sha256  # noqa: E402
from videohoi.interact.imported import WeightsOrigin, load_imported, save_imported  # noqa: E402
from videohoi.layers.checkpoint_files import read_checkpoint, training_arguments  # noqa: E402
from videohoi.layers.checkpoints import convert, ignored_lines  # noqa: E402

pytestmark = pytest.mark.torch
TABLE = (
    (r"backbone\.0\.body\.", "backbone."),
    (r"transformer\.encoder\.layers\.(\d+)\.", r"encoder.\1."),
)
IGNORED = ((r".*num_batches_tracked$", "counts batches of training"), (r"class_embed\.", "the detector's own classes"))


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.BatchNorm1d(3)
        self.encoder = nn.ModuleList([nn.Linear(3, 2), nn.Linear(3, 2)])

    def state_dict(self, *args, **kwargs):
        kept = super().state_dict(*args, **kwargs)
        return {key: value for key, value in kept.items() if "num_batches" not in key}


def published():
    torch.manual_seed(0)
    values = {f"backbone.0.body.{name}": torch.rand(3) for name in ("weight", "bias", "running_mean", "running_var")}
    for layer in range(2):
        values[f"transformer.encoder.layers.{layer}.weight"] = torch.rand(2, 3)
        values[f"transformer.encoder.layers.{layer}.bias"] = torch.rand(2)
    return values | {
        "backbone.0.body.num_batches_tracked": torch.tensor(7),
        "class_embed.weight": torch.rand(4, 4),
        "class_embed.bias": torch.rand(4),
    }


def test_every_value_arrives_under_our_name():
    source, model = published(), Small()
    converted = convert(source, model, TABLE, IGNORED)
    assert list(converted.state_dict) == list(model.state_dict())
    assert torch.equal(converted.state_dict["encoder.1.bias"], source["transformer.encoder.layers.1.bias"])
    assert torch.equal(converted.state_dict["backbone.running_var"], source["backbone.0.body.running_var"])


def test_what_is_ignored_is_told_with_its_reason_although_a_row_would_map_it():
    ignored = convert(published(), Small(), TABLE, IGNORED).ignored
    assert ("backbone.0.body.num_batches_tracked", "counts batches of training") in ignored
    assert len(ignored) == 3
    assert ignored_lines(ignored) == [
        "1 x counts batches of training (backbone.0.body.num_batches_tracked)",
        "2 x the detector's own classes (class_embed.weight, ...)",
    ]


def test_one_line_says_all_that_differs():
    source = published()
    source["extra.weight"] = torch.rand(1)
    source["backbone.0.body.gamma"] = torch.rand(1)
    source["transformer.encoder.layers.0.weight"] = torch.rand(5, 3)
    del source["transformer.encoder.layers.1.bias"]
    with pytest.raises(ModelError) as caught:
        convert(source, Small(), TABLE, IGNORED, name="w.pth")
    assert str(caught.value) == (
        "w.pth does not fit Small: 1 unexpected (extra.weight); "
        "1 not in the model (backbone.0.body.gamma -> backbone.gamma); 1 missing (encoder.1.bias); "
        "1 shapes (encoder.0.weight: (5, 3) in the checkpoint, (2, 3) in the model)"
    )


def test_two_keys_on_one_name_are_refused():
    with pytest.raises(ModelError, match="1 mapped twice"):
        convert(published() | {"encoder.0.bias": torch.rand(2)}, Small(), (*TABLE, ("encoder", "encoder")), IGNORED)


def test_long_lists_are_cut():
    with pytest.raises(ModelError, match=r"8 missing \(.*, and 3 more\)") as caught:
        convert({}, Small(), TABLE)
    assert "\n" not in str(caught.value)


def test_a_model_without_memory_is_enough_and_half_precision_is_widened():
    with torch.device("meta"):
        model = Small()
    source = {key: value.half() if value.is_floating_point() else value for key, value in published().items()}
    converted = convert(source, model, TABLE, IGNORED)
    assert {value.dtype for value in converted.state_dict.values()} == {torch.float32}
    assert {value.device.type for value in converted.state_dict.values()} == {"cpu"}


@pytest.mark.parametrize("wrapper", ["model", "model_state_dict", "state_dict", None])
def test_wrapped_checkpoints_are_unwrapped(tmp_path, wrapper):
    weights = {f"module.{key}": value for key, value in published().items()}
    args = argparse.Namespace(lr=1e-4, backbone="resnet50", masks=False)
    torch.save(weights if wrapper is None else {wrapper: weights, "epoch": 3, "args": args}, tmp_path / "w.pth")
    found = read_checkpoint(tmp_path / "w.pth")
    assert found.keys() == published().keys()
    assert torch.equal(found["class_embed.bias"], published()["class_embed.bias"])


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    class Harmful:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'ran'}",)

    torch.save({"model": published(), "args": Harmful()}, tmp_path / "harmful.pth")
    with pytest.raises(ModelError, match=r"harmful\.pth: holds \w+\.system, which is not unpickled") as caught:
        read_checkpoint(tmp_path / "harmful.pth")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_a_forged_array_is_not_made(tmp_path):
    """With a real dtype of this state the eight bytes would be taken for the address of an object."""

    class Dtype:
        def __init__(self, *arguments):
            self.arguments = arguments

        def __reduce__(self):
            return np.dtype, self.arguments[0], *self.arguments[1:]

    class Array:
        def __reduce__(self):
            state = (3, "<", (Dtype(("O",)), (1,)), None, None, -1, -1, 0)
            return np.ndarray, ((1,), Dtype(("f8", False, True), state), b"\x41" * 8)

    path = tmp_path / "forged.pth"
    torch.save({"model": published(), "args": argparse.Namespace(dilation=Array())}, path)
    assert read_checkpoint(path).keys() == published().keys()
    assert not isinstance(training_arguments(path)["dilation"], np.ndarray)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        (b"", "damaged or not a checkpoint"),
        (b"no checkpoint at all", "damaged or not a checkpoint"),
        (pickle.dumps({"model": 3}), "cannot be read|damaged|no tensors|holds no weights"),
    ],
)
def test_files_that_are_no_checkpoint_are_one_line(tmp_path, content, message):
    path = tmp_path / "bad.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        read_checkpoint(path)
    assert "\n" not in str(caught.value)
    assert "bad.pth" in str(caught.value)


@pytest.mark.parametrize(("content", "message"), [({}, "holds no weights"), ({"epoch": 3}, "no weights")])
def test_checkpoints_without_weights_are_refused(tmp_path, content, message):
    torch.save(content, tmp_path / "empty.pth")
    with pytest.raises(ModelError, match=message):
        read_checkpoint(tmp_path / "empty.pth")


def test_a_truncated_checkpoint_is_one_line(tmp_path):
    torch.save({"model": published()}, tmp_path / "cut.pth")
    whole = (tmp_path / "cut.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"cut\.pth"):
        read_checkpoint(tmp_path / "cut.pth")


def test_what_is_saved_comes_back_with_its_origin(tmp_path):
    torch.save({"model": published()}, tmp_path / "w.pth")
    converted = convert(read_checkpoint(tmp_path / "w.pth"), Small(), TABLE, IGNORED)
    digest = file_sha256(tmp_path / "w.pth")
    origin = WeightsOrigin("eoid", "hico-det", {"pairs": 64, "name": "R50"}, "abc", digest, "w.pth")
    save_imported(tmp_path / "deep" / "own.safetensors", converted.state_dict, origin)
    loaded = load_imported(tmp_path / "deep" / "own.safetensors", "eoid")
    assert loaded.origin == origin
    assert loaded.state_dict.keys() == converted.state_dict.keys()
    for key, value in converted.state_dict.items():
        assert torch.equal(value, loaded.state_dict[key])
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["own.safetensors"]
    assert read_checkpoint(tmp_path / "deep" / "own.safetensors").keys() == loaded.state_dict.keys()


def test_tensors_that_share_memory_are_saved(tmp_path):
    shared = torch.rand(4, 2)
    save_imported(tmp_path / "s.safetensors", {"a": shared, "b": shared.T}, WeightsOrigin("hts", "hico-det"))
    loaded = load_imported(tmp_path / "s.safetensors")
    assert torch.equal(loaded.state_dict["b"], shared.T)
    assert loaded.origin == WeightsOrigin("hts", "hico-det")


def test_weights_of_another_method_or_origin_are_refused(tmp_path):
    from safetensors.torch import save_file

    save_imported(tmp_path / "s.safetensors", {"a": torch.rand(2)}, WeightsOrigin("hts", "hico-det"))
    with pytest.raises(ModelError, match="holds weights of hts, expected lain; use --model hts"):
        load_imported(tmp_path / "s.safetensors", "lain")
    save_file({"a": torch.rand(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(ModelError, match="not made by `videohoi models import`"):
        load_imported(tmp_path / "foreign.safetensors")
    with pytest.raises(ModelError, match="cannot be read as imported weights"):
        load_imported(tmp_path / "none.safetensors")
    (tmp_path / "s.safetensors").write_bytes(b"junk")
    with pytest.raises(ModelError, match="cannot be read as imported weights"):
        load_imported(tmp_path / "s.safetensors")


def test_an_unwritable_place_is_an_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(SinkError, match="cannot write weights"):
        save_imported(tmp_path / "file" / "w.safetensors", {"a": torch.rand(2)}, WeightsOrigin("hts", "hico-det"))
