"""The tensors of a TorchScript archive, read without running its code.

An archive is a zip file: ``data.pkl`` pickles the modules' attributes, ``data/N`` holds the numbers of a storage,
``code/`` the program (torch/csrc/jit/docs/serialization.md of PyTorch, BSD-3). ``torch.jit.load`` runs a module's
``__setstate__`` while it loads, which may write files; here every object is a plain bag of attributes.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from videohoi.errors import ModelError
from videohoi.layers.checkpoint_files import DAMAGED, one_line

_BROKEN: tuple[type[Exception], ...] = (pickle.UnpicklingError, MemoryError, *DAMAGED)
_MARK = "constants.pkl"
"""in an archive of TorchScript besides ``data.pkl``; a file of ``torch.save`` has none"""
_TYPES = {
    "DoubleStorage": torch.float64, "FloatStorage": torch.float32, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8, "BoolStorage": torch.bool,
}  # fmt: skip
_MOST_NAMES, _MOST_NUMBERS = 100_000, 1 << 31
"""attributes and numbers of an archive; no CLIP model comes near these limits, a forged file may claim any number"""


def is_torchscript(path: Path) -> bool:
    """Also False for what is no archive or cannot be read; reading it as something else gives the error."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _root(archive) is not None
    except DAMAGED:
        return False


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """Dotted name of each tensor attribute of the modules -> the tensor, on the CPU; parameters and buffers among them.

    Tensors that weights are not made of (complex, quantised) are left out.

    Raises:
        ModelError: the archive is damaged, or holds no tensor in a module.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            root = _root(archive) or ""
            views: dict[str, _View] = {}
            _collect(_Reader(_entry(archive, f"{root}data.pkl")).load(), "", views, iter(range(_MOST_NAMES)))
            tensors = _filled(archive, f"{root}data/", views)
    except _BROKEN as error:
        raise ModelError(f"{path}: is damaged or not a TorchScript archive ({one_line(error)})") from error
    if not tensors:
        raise ModelError(f"{path}: is a TorchScript archive without any tensor")
    return tensors


def _root(archive: zipfile.ZipFile) -> str | None:
    """The folder that everything of the archive is in."""
    return next((name.removesuffix(_MARK) for name in archive.namelist() if name.endswith(f"/{_MARK}")), None)


def _entry(archive: zipfile.ZipFile, name: str) -> io.BytesIO:
    """TorchScript stores without compression, so that nothing is larger than the file."""
    if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
        raise ValueError("its entries are compressed")
    return io.BytesIO(archive.read(name))


class _Bag:
    """Any object of the archive."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def __setstate__(self, state: object) -> None:
        self.state = state


class _View(_Bag):
    """A tensor, not yet built: (storage, offset, size, stride, ...)."""


class _Parameter(_Bag):
    """A tensor in a shell: (tensor, ...)."""


@dataclass(frozen=True)
class _Storage:
    kind: str
    key: str


class _Reader(pickle.Unpickler):
    """Makes bags and plain values and nothing else, since a pickle may set the state of any object it makes."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name.endswith("Storage"):
            return name
        known = {"_rebuild_tensor_v2": _View, "_rebuild_parameter": _Parameter}
        return known.get(name, _Bag) if module == "torch._utils" else _Bag

    def persistent_load(self, pid: Any) -> _Storage:
        _, kind, key, *_ = pid
        return _Storage(str(kind), str(key))


def _collect(value: object, name: str, views: dict[str, _View], room: Iterator[int]) -> None:
    """All names of tensors; ``room`` ends where an archive names more than any model has."""
    if next(room, None) is None:
        raise ValueError(f"more than {_MOST_NAMES} attributes")
    if isinstance(value, _Parameter) and value.values:
        _collect(value.values[0], name, views, room)
    elif isinstance(value, _View):
        views[name] = value
    elif isinstance(value, _Bag) and isinstance(state := getattr(value, "state", None), dict):
        for key, part in state.items():
            _collect(part, f"{name}.{key}" if name else str(key), views, room)


def _filled(archive: zipfile.ZipFile, folder: str, views: Mapping[str, _View]) -> dict[str, Tensor]:
    storages: dict[_Storage, Tensor] = {}
    tensors: dict[str, Tensor] = {}
    room = _MOST_NUMBERS
    for name, view in views.items():
        storage, offset, size, stride, *_ = view.values
        if not isinstance(storage, _Storage) or storage.kind not in _TYPES:
            continue
        if storage not in storages:
            storages[storage] = _numbers(_entry(archive, folder + storage.key), _TYPES[storage.kind])
        room -= prod(size)
        if room < 0 or min(size, default=0) < 0:
            raise ValueError(f"{name} is of size {tuple(size)}")
        tensors[name] = torch.as_strided(storages[storage], size, stride, offset).clone()
    return tensors


def _numbers(content: io.BytesIO, dtype: torch.dtype) -> Tensor:
    values = bytearray(content.getbuffer())
    return torch.frombuffer(values, dtype=dtype) if values else torch.zeros(0, dtype=dtype)
