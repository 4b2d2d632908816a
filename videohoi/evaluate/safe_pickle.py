"""Pickled prediction files, read without running what is in them and without letting numpy build from them.

The unpickler builds plain values and inert records: what a file says of an array (its type, shape and bytes) is only
kept, and turned into an array afterwards, if it is a known numeric type and the sizes agree. numpy's own ``dtype`` must
not be built from a file: one with a forged state takes bytes of the file for addresses of objects, and Python crashes.
"""

from __future__ import annotations

import pickle
import pickletools
import re
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import TruthError

_UNREADABLE = (
    OSError, pickle.UnpicklingError, EOFError, ValueError, TypeError, LookupError, AttributeError, ImportError,
    OverflowError, MemoryError, RecursionError, RuntimeError, SystemError,
)  # fmt: skip
"""what pickle raises for a file that is no pickle, cut short or damaged"""
_NUMERIC = re.compile(r"[?bBhHiIlLqQefdgFD]|[biuf][1248]|c(?:8|16)|[US]\d{1,4}|O8?")
"""names of numpy types that predictions are made of; "O" is an array of plain values"""
_MOST_DEPTH = 200
"""containers within containers; a prediction needs five"""
_MEMO_OPERATIONS = {"PUT", "BINPUT", "LONG_BINPUT"}
UPT_CACHE = "CacheTemplate"


class VsrlCache(dict[str, Any]):
    """What fredzzhang/upt pickles for V-COCO: an action that was not written has score 0 and a tiny box.

    Same rule as the class of that name there: ``*_agent`` is 0, a role is ``[0, 0, 0.1, 0.1, 0]``.
    """

    def __missing__(self, key: str) -> Any:
        return 0.0 if key.endswith("_agent") else [0.0, 0.0, 0.1, 0.1, 0.0]


class _Record:
    """Something of the file that is not a plain value: its arguments, and the state that was set."""

    kind = ""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _record_types() -> dict[str, type[_Record]]:
    """Fresh classes for one file, since a pickle may set attributes of the classes that it names."""
    kinds = ("dtype", "array", "scalar", "buffer", "bytes", "set", "container")
    return {kind: type(f"_{kind.title()}", (_Record,), {"kind": kind}) for kind in kinds}


_PLAIN = {"dict", "list", "tuple", "int", "float", "bool", "str", "long", "unicode"}
_KINDS = {
    ("numpy", "dtype"): "dtype",
    ("numpy", "ndarray"): "container",
    ("collections", "OrderedDict"): "container",
    ("collections", "defaultdict"): "container",
    ("_codecs", "encode"): "bytes",
    **{(module, name): "bytes" for module in ("builtins", "__builtin__") for name in ("bytes", "bytearray")},
    **{(module, name): "set" for module in ("builtins", "__builtin__") for name in ("set", "frozenset")},
    **{(module, name): "container" for module in ("builtins", "__builtin__") for name in _PLAIN},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): "array" for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): "scalar" for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): "buffer" for core in ("core", "_core")},
}


class _Items(dict[Any, Any]):
    """An OrderedDict or defaultdict of the file: its items, whatever its arguments."""

    def __init__(self, *_arguments: Any) -> None:
        super().__init__()


class _Unpickler(pickle.Unpickler):
    """Builds plain values and records, and nothing else."""

    def __init__(self, file: Any) -> None:
        super().__init__(file, encoding="latin1")
        self._types = _record_types()
        self._items = type("_Items", (_Items,), {})
        self._cache = type("VsrlCache", (VsrlCache,), {})

    def find_class(self, module: str, name: str) -> Any:
        if name == UPT_CACHE:
            return self._cache
        if module == "collections" and (module, name) in _KINDS:
            return self._items
        kind = _KINDS.get((module, name))
        if kind is None:
            raise pickle.UnpicklingError(
                f"it holds {module}.{name}; only lists, dictionaries, numbers and numpy arrays are read "
                "(turn tensors into arrays before pickling)"
            )
        return self._types[kind]


def read_pickle(path: Path) -> Any:
    """The pickled value.

    Raises:
        TruthError: the file cannot be read, is no pickle, or holds anything but plain values and numeric numpy arrays.
    """
    try:
        with path.open("rb") as file:
            _check_memo(file, path.stat().st_size)
            file.seek(0)
            return _Values().plain(_Unpickler(file).load())
    except _UNREADABLE as cause:
        raise TruthError(f"{path}: cannot be read as a pickle: {' '.join(str(cause).split())}") from cause


def _check_memo(file: BinaryIO, size_bytes: int) -> None:
    """Refuse places in pickle's memo beyond what a file of this size can fill.

    Python makes the memo as long as the largest place that the file names, before any of our checks: six bytes would
    take 34 GB.
    """
    for operation, place, _ in pickletools.genops(file):
        if operation.name in _MEMO_OPERATIONS and place is not None and place > size_bytes:
            raise pickle.UnpicklingError(f"it names place {place} of its memo, more than it has bytes")


class _Values:
    """Turns records into plain values and arrays; what the file shares stays shared."""

    def __init__(self) -> None:
        self._done: dict[int, Any] = {}
        self._alive: list[Any] = []  # keeps ids from being used again

    def plain(self, value: Any, depth: int = 0) -> Any:
        """``value`` without records; raises ``ValueError`` for one that cannot be."""
        if not isinstance(value, (_Record, list, tuple, dict, set, frozenset)):
            return value
        if id(value) in self._done:
            return self._done[id(value)]
        if depth > _MOST_DEPTH:
            raise ValueError(f"more than {_MOST_DEPTH} containers within each other")
        self._alive.append(value)
        made = self._record(value, depth) if isinstance(value, _Record) else self._container(value, depth + 1)
        self._done[id(value)] = made
        return made

    def _container(self, value: Any, depth: int) -> Any:
        if isinstance(value, dict):
            items = {self._key(key, depth): self.plain(inner, depth) for key, inner in value.items()}
            return VsrlCache(items) if isinstance(value, VsrlCache) else items
        inner_values = [self.plain(inner, depth) for inner in value]
        if isinstance(value, list):
            return inner_values
        return tuple(inner_values) if isinstance(value, tuple) else type(value)(inner_values)

    def _key(self, key: Any, depth: int) -> Any:
        plain = self.plain(key, depth)
        return plain.item() if isinstance(plain, np.generic) else plain

    def _record(self, record: _Record, depth: int) -> Any:
        makers: Mapping[str, Callable[[_Record, int], Any]] = {
            "array": self._array, "scalar": self._scalar, "buffer": self._buffer, "bytes": self._bytes,
            "set": self._set, "container": self._called,
        }  # fmt: skip
        maker = makers.get(record.kind)
        if maker is None:
            raise ValueError(f"it holds a bare {record.kind}, which is no prediction")
        return maker(record, depth)

    def _called(self, record: _Record, depth: int) -> Any:
        """A call such as ``set([1, 2])`` or ``float(3)`` of old protocols: the argument itself says enough."""
        if len(record.arguments) != 1 or record.state is not None:
            raise ValueError("it holds a call that is no plain value")
        return self.plain(record.arguments[0], depth + 1)

    def _set(self, record: _Record, depth: int) -> set[Any]:
        return set(self._called(record, depth))

    def _bytes(self, record: _Record, depth: int) -> bytes:
        """``bytes(...)``, ``bytearray(...)`` and ``_codecs.encode(text, "latin1")``."""
        content = self.plain(record.arguments[0], depth + 1) if record.arguments else b""
        if not isinstance(content, (str, bytes, bytearray)):
            raise ValueError("bytes that are neither text nor bytes")
        return content.encode("latin1") if isinstance(content, str) else bytes(content)

    def _array(self, record: _Record, depth: int) -> NDArray[Any]:
        if not isinstance(record.state, tuple) or len(record.state) != 5:
            raise ValueError("an array without its contents")
        _, shape, dtype, is_fortran, content = record.state
        kind = _dtype(dtype)
        if kind.hasobject:
            return _objects([self.plain(each, depth + 1) for each in content], _shape(shape))
        return _filled(self.plain(content, depth + 1), kind, _shape(shape), "F" if is_fortran else "C")

    def _buffer(self, record: _Record, depth: int) -> NDArray[Any]:
        content, dtype, shape, order = record.arguments
        kind = _dtype(dtype)
        if kind.hasobject:
            raise ValueError("an array of objects as bytes")
        return _filled(self.plain(content, depth + 1), kind, _shape(shape), "F" if order == "F" else "C")

    def _scalar(self, record: _Record, depth: int) -> Any:
        dtype, *content = record.arguments
        kind = _dtype(dtype)
        if kind.hasobject or len(content) != 1:
            raise ValueError("a number without its bytes")
        return _filled(self.plain(content[0], depth + 1), kind, (), "C")[()]


def _dtype(record: Any) -> np.dtype[Any]:
    """A numeric type by its name; of the state that the file sets only the byte order is read."""
    name = record.arguments[0] if isinstance(record, _Record) and record.kind == "dtype" and record.arguments else None
    if not isinstance(name, str) or not _NUMERIC.fullmatch(name):
        raise ValueError(f"an array of type {str(name)[:40]!r}; expected numbers")
    is_swapped = isinstance(record.state, tuple) and len(record.state) > 1 and record.state[1] == ">"
    kind: np.dtype[Any] = np.dtype(name)
    return kind.newbyteorder(">") if is_swapped and not kind.hasobject else kind


def _shape(value: Any) -> tuple[int, ...]:
    if not isinstance(value, tuple) or not all(type(side) is int and side >= 0 for side in value):
        raise ValueError(f"an array of shape {str(value)[:40]}")
    return value


def _filled(content: Any, kind: np.dtype[Any], shape: tuple[int, ...], order: str) -> NDArray[Any]:
    """A copy of ``content``, which must have as many bytes as type and shape ask for."""
    data = content.encode("latin1") if isinstance(content, str) else content
    if not isinstance(data, (bytes, bytearray)) or len(data) != prod(shape) * kind.itemsize:
        raise ValueError(f"an array of shape {shape} whose bytes do not fit it")
    flat: NDArray[Any] = np.frombuffer(data, kind) if data else np.zeros(0, kind)
    made: NDArray[Any] = flat.reshape(shape, order="F" if order == "F" else "C").copy(order="C")
    return made


def _objects(values: list[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    if len(values) != prod(shape):
        raise ValueError(f"an array of shape {shape} with {len(values)} values")
    flat = np.empty(len(values), object)
    for place, value in enumerate(values):
        flat[place] = value
    return flat.reshape(shape)
