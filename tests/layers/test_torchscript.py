"""Tensors come out of a TorchScript archive as ``torch.jit.load`` gives them, and none of its code is run."""

from __future__ import annotations

import os
import pickle
import zipfile

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")

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
    with pytest.raises(ModelError, match=r"forged\.pt: is (damaged or no|a) TorchScript archive"):
        read_torchscript(tmp_path / "forged.pt")
    assert not (tmp_path / "it_ran").exists()


@pytest.mark.parametrize("cut", [10, 400, -200])
def test_a_file_that_was_cut_off_is_no_archive(cut, tmp_path) -> None:
    torch.jit.script(nn.Linear(3, 2)).save(str(tmp_path / "whole.pt"))
    (tmp_path / "cut.pt").write_bytes((tmp_path / "whole.pt").read_bytes()[:cut])
    assert not is_torchscript(tmp_path / "cut.pt")
    assert not is_torchscript(tmp_path / "missing.pt")
    with pytest.raises(ModelError, match=r"cut\.pt: is damaged or no TorchScript archive"):
        read_torchscript(tmp_path / "cut.pt")
