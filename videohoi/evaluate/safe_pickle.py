"""Pickled prediction files without running what is in them: only plain values and numpy arrays are built."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from videohoi.errors import TruthError

_ALLOWED = {
    "builtins": {"dict", "list", "tuple", "set", "frozenset", "int", "float", "complex", "bool", "str", "bytes",
                 "bytearray", "slice", "range"},
    "__builtin__": {"dict", "list", "tuple", "set", "int", "long", "float", "bool", "str", "unicode"},
    "collections": {"OrderedDict", "defaultdict"},
    "_codecs": {"encode"},
    "numpy": {"ndarray", "dtype", "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool_",
              "bool"},
    "numpy.core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy.core.numeric": {"_frombuffer"},
    "numpy._core.numeric": {"_frombuffer"},
}  # fmt: skip
_UNREADABLE = (
    OSError, pickle.UnpicklingError, EOFError, ValueError, TypeError, LookupError, AttributeError, ImportError,
    OverflowError, MemoryError, RuntimeError, SystemError,
)  # fmt: skip
"""what pickle and numpy raise for a file that is no pickle, cut short or damaged"""
UPT_CACHE = "CacheTemplate"


class VsrlCache(dict[str, Any]):
    """What fredzzhang/upt pickles for V-COCO: an action that was not written has score 0 and a tiny box.

    Same rule as the class of that name there: ``*_agent`` is 0, a role is ``[0, 0, 0.1, 0.1, 0]``.
    """

    def __missing__(self, key: str) -> Any:
        return 0.0 if key.endswith("_agent") else [0.0, 0.0, 0.1, 0.1, 0.0]


class _Unpickler(pickle.Unpickler):
    """Builds only what is on the list."""

    def find_class(self, module: str, name: str) -> Any:
        if name == UPT_CACHE:
            return VsrlCache
        if name in _ALLOWED.get(module, ()):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(
            f"it holds {module}.{name}; only lists, dictionaries, numbers and numpy arrays are read "
            "(turn tensors into arrays before pickling)"
        )


def read_pickle(path: Path) -> Any:
    """The pickled value.

    Raises:
        TruthError: the file cannot be read, is no pickle, or holds anything but plain values and numpy arrays.
    """
    try:
        with path.open("rb") as file:
            return _Unpickler(file, encoding="latin1").load()
    except _UNREADABLE as cause:
        raise TruthError(f"{path}: cannot be read as a pickle: {' '.join(str(cause).split())}") from cause
