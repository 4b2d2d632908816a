"""Tensors come out of a TorchScript archive as ``torch.jit.load`` gives them, and none of its code is run."""

from __future__ import annotations

import os
import pickle
import zipfile

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
pytest.importorskip("safetensors", reason="the models extra (safetensors) is not installed")

from torch import nn  # noqa: E402

from videohoi.errors import ModelError  # noqa: E402
from videohoi.layers.torchscript import is_torchscript, read_torchscript  # noqa: E402

# torch deprecates TorchScript, in which OpenAI's weights are published for good
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore:.*torch.jit"),
              pytest.mark.filterwarnings("ignore:.*TorchScript")]  # fmt: skip


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2)
        self.norm = nn.BatchNorm1d(4)
        self.scale = nn.Parameter(torch.tensor(3.0))
        self.places = [1, 2, 3]
        self.shared = self.norm

    def forward(self, x):
        return self.norm(x) * self.scale


class Runs(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.arange(2.0))

    @torch.jit.export
    def __getstate__(self):
        return (self.weight, self.training)

    @torch.jit.export
    def __setstate__(self, state: tuple[torch.Tensor, bool]):
        self.weight = state[0]
        self.training = state[1]
        torch.save(torch.ones(3), "it_ran")

    def forward(self, x):
        return x


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("make", [torch.jit.script, lambda module: torch.jit.trace(module, torch.ones(2, 4))])
def test_equals_torchs_own_loader(make, dtype, tmp_path) -> None:
    torch.manual_seed(0)
    module = make(nn.Sequential(Block(), nn.Linear(4, 3)).eval()).to(dtype)
    module.save(str(tmp_path / "archive.pt"))
    assert is_torchscript(tmp_path / "archive.pt")
    expected = torch.jit.load(tmp_path / "archive.pt").state_dict()
    found = read_torchscript(tmp_path / "archive.pt")
    assert expected.keys() <= found.keys()
    for key, value in expected.items():
        assert found[key].dtype == value.dtype
        assert torch.equal(found[key], value)


def test_views_of_one_storage_are_cut_out_of_it(tmp_path) -> None:
    module, whole = nn.Linear(3, 2), torch.arange(12.0).reshape(3, 4)
    module.weight = nn.Parameter(whole.T[1:3])
    torch.jit.script(module).save(str(tmp_path / "views.pt"))
    assert torch.equal(read_torchscript(tmp_path / "views.pt")["weight"], whole.T[1:3])


def test_code_of_the_archive_is_not_run(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.jit.script(Runs()).save("code.pt")
    assert is_torchscript(tmp_path / "code.pt")
    with pytest.raises(ModelError, match="without any tensor"):
        read_torchscript(tmp_path / "code.pt")
    assert not (tmp_path / "it_ran").exists()
    torch.jit.load("code.pt")
    assert (tmp_path / "it_ran").exists(), "torch's own loader does run it"


class Evil:
    def __reduce__(self):
        return os.system, ("touch it_ran",)


@pytest.mark.parametrize(
    "content",
    [Evil(), {"weight": Evil()}, [1, 2], b"no pickle", torch.Size([3])],
    ids=["code", "code inside", "list", "rubbish", "size"],
)
def test_forged_archives_are_refused(content, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("forged.pt", "w") as archive:
        archive.writestr("forged/constants.pkl", b"")
        archive.writestr("forged/data.pkl", content if isinstance(content, bytes) else pickle.dumps(content))
    with pytest.raises(ModelError, match=r"forged\.pt: is (damaged or not a|a) TorchScript archive"):
        read_torchscript(tmp_path / "forged.pt")
    assert not (tmp_path / "it_ran").exists()


def plain(value):
    """Opcodes of a plain value, without the beginning and the end of a pickle."""
    return pickle.dumps(value, 2)[2:-1]


def made(module, name, *arguments):
    """Opcodes of an object of a class that is only named."""
    return f"c{module}\n{name}\n(".encode() + b"".join(arguments) + b"tR"


def with_state(thing, **state):
    return thing + b"}" + b"".join(plain(key) + value + b"s" for key, value in state.items()) + b"b"


STORAGE = b"(" + plain("storage") + b"ctorch\nFloatStorage\n" + plain("0") + plain("cpu") + plain(4) + b"tQ"


def written(path, pickled, storage=b"", compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("forged/constants.pkl", b"")
        archive.writestr("forged/data.pkl", b"\x80\x02" + pickled + b".")
        archive.writestr("forged/data/0", storage)
    return path


def one_tensor(path, *, size=(4,), stride=(1,), offset=0, storage=b"\0" * 64, state=b"", **options):
    """An archive with one tensor in a module."""
    tensor = made(
        "torch._utils", "_rebuild_tensor_v2", STORAGE, plain(offset), plain(size), plain(stride), plain(False)
    )
    return written(path, with_state(made("__torch__", "M"), weight=tensor + state), storage, **options)


def test_a_small_archive_written_by_hand_is_read(tmp_path) -> None:
    values = torch.arange(16.0)
    path = one_tensor(tmp_path / "hand.pt", storage=values.numpy().tobytes(), size=(2, 3), stride=(1, 4), offset=2)
    assert torch.equal(read_torchscript(path)["weight"], torch.as_strided(values, (2, 3), (1, 4), 2))
    wide = one_tensor(tmp_path / "wide.pt", storage=values.numpy().tobytes(), size=(5, 3), stride=(0, 1))
    assert torch.equal(read_torchscript(wide)["weight"], values[:3].expand(5, 3)), "a view may repeat its numbers"


@pytest.mark.parametrize(
    "change",
    [{"size": (100,)}, {"offset": 60}, {"offset": -1}, {"size": (-4,)}, {"stride": (-1,)}, {"size": (1 << 20, 1 << 20)},
     {"size": (1 << 20, 1 << 20), "stride": (0, 0)}, {"storage": b"\0" * 7}, {"size": "four"},
     {"compression": zipfile.ZIP_DEFLATED}, {"compression": zipfile.ZIP_LZMA}],
    ids=str,
)  # fmt: skip
def test_numbers_that_are_not_there_are_not_made(change, tmp_path) -> None:
    with pytest.raises(ModelError, match=r"forged\.pt: is damaged or not a TorchScript archive") as caught:
        read_torchscript(one_tensor(tmp_path / "forged.pt", **change))
    assert "\n" not in str(caught.value)


def test_a_state_set_on_a_tensor_changes_nothing(tmp_path) -> None:
    values = torch.arange(16.0).numpy().tobytes()
    told = b"(" + STORAGE + plain(0) + plain((500_000_000,)) + plain((1,)) + b"tb"
    path = one_tensor(tmp_path / "state.pt", storage=values, state=told)
    assert torch.equal(read_torchscript(path)["weight"], torch.arange(4.0))


def test_an_archive_of_endless_names_ends(tmp_path) -> None:
    """44 modules, each naming the one before twice."""
    keep, recall = b"q\xff", b"h\xff"
    pickled = with_state(made("__torch__", "M"), weight=plain(1)) + keep
    for _ in range(44):
        pickled += with_state(made("__torch__", "M"), left=recall, right=recall) + keep
    with pytest.raises(ModelError, match="more than 100000 attributes"):
        read_torchscript(written(tmp_path / "names.pt", pickled))


@pytest.mark.parametrize("cut", [10, 400, -200])
def test_a_file_that_was_cut_off_is_no_archive(cut, tmp_path) -> None:
    torch.jit.script(nn.Linear(3, 2)).save(str(tmp_path / "whole.pt"))
    (tmp_path / "cut.pt").write_bytes((tmp_path / "whole.pt").read_bytes()[:cut])
    assert not is_torchscript(tmp_path / "cut.pt")
    assert not is_torchscript(tmp_path / "missing.pt")
    with pytest.raises(ModelError, match=r"cut\.pt: is damaged or not a TorchScript archive"):
        read_torchscript(tmp_path / "cut.pt")
