"""The tensors of a TorchScript archive, read without running its code.

An archive is a zip file: ``data.pkl`` pickles the modules' attributes, ``data/N`` holds the numbers of a storage,
``code/`` the program (torch/csrc/jit/docs/serialization.md of PyTorch, BSD-3). ``torch.jit.load`` runs a module's
``__setstate__`` while it loads, which may write files; here every object is a plain bag of attributes.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from videohoi.errors import ModelError
from videohoi.layers.checkpoint_files import DAMAGED, one_line

_BROKEN: tuple[type[Exception], ...] = (pickle.UnpicklingError, *DAMAGED)
_MARK = "constants.pkl"
"""what an archive of TorchScript has beside ``data.pkl``, and a file of ``torch.save`` has not"""
_TYPES = {
    "DoubleStorage": torch.float64, "FloatStorage": torch.float32, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8, "BoolStorage": torch.bool,
}  # fmt: skip


def is_torchscript(path: Path) -> bool:
    """Also False for what is no archive or cannot be read: who reads it as something else says what is wrong."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _root(archive) is not None
    except DAMAGED:
        return False


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """Dotted name of each tensor attribute of the modules -> the tensor, on the CPU; parameters and buffers among them.

    Raises:
        ModelError: the archive is damaged, or holds no tensor in a module.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            root = _Reader(archive, _root(archive) or "").load()
        found: dict[str, Tensor] = {}
        _collect(root, "", found)
    except _BROKEN as error:
        raise ModelError(f"{path}: is damaged or no TorchScript archive ({one_line(error)})") from error
    if not found:
        raise ModelError(f"{path}: is a TorchScript archive without any tensor")
    return found


def _root(archive: zipfile.ZipFile) -> str | None:
    """The folder that everything of the archive is in."""
    return next((name.removesuffix(_MARK) for name in archive.namelist() if name.endswith(f"/{_MARK}")), None)


class _Bag:
    """Any object of the archive."""

    attributes: dict[str, Any]

    def __init__(self, *_values: object) -> None:
        self.attributes = {}

    def __setstate__(self, state: object) -> None:
        self.attributes = state if isinstance(state, dict) else {}


class _Reader(pickle.Unpickler):
    """Makes bags, tensors and plain values, and nothing else."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(archive.open(f"{root}data.pkl"))
        self._archive, self._root = archive, root
        self._storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        known = {
            ("torch._utils", "_rebuild_tensor_v2"): _tensor, ("torch._utils", "_rebuild_parameter"): _first,
            ("collections", "OrderedDict"): OrderedDict,
        }  # fmt: skip
        return known.get((module, name), _Bag)

    def persistent_load(self, pid: Any) -> Tensor:
        _, kind, key, *_ = pid
        if not isinstance(kind, torch.dtype):
            raise pickle.UnpicklingError("a storage of a type that weights do not have")
        if key not in self._storages:
            content = bytearray(self._archive.read(f"{self._root}data/{key}"))
            self._storages[key] = torch.frombuffer(content, dtype=kind) if content else torch.zeros(0, dtype=kind)
        return self._storages[key]


def _tensor(storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_more: object) -> Tensor:
    if prod(size) > storage.numel():
        raise pickle.UnpicklingError(f"a tensor of {prod(size)} numbers in a storage of {storage.numel()}")
    return torch.as_strided(storage, size, stride, offset).clone()


def _first(value: Any, *_more: object) -> Any:
    return value


def _collect(value: object, name: str, found: dict[str, Tensor]) -> None:
    if isinstance(value, Tensor):
        found[name] = value
    elif isinstance(value, _Bag):
        for key, part in getattr(value, "attributes", {}).items():
            _collect(part, f"{name}.{key}" if name else str(key), found)
