"""Published checkpoints, read safely: tensors and plain values are taken from a file, and none of its code runs."""

from __future__ import annotations

import argparse
import pickle
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from videohoi.errors import ModelError

WRAPPERS = ("model", "model_state_dict", "state_dict")
"""keys under which training scripts keep the weights: DETR's family, UPT's family, Lightning's"""
PARALLEL_PREFIX = "module."
"""what torch's DataParallel puts before every name"""
UNREADABLE: tuple[type[Exception], ...] = (
    OSError, RuntimeError, EOFError, KeyError, ValueError, safetensors.SafetensorError,
)  # fmt: skip
"""what torch, safetensors and transformers raise over files that are missing, damaged or of another model"""
DAMAGED: tuple[type[Exception], ...] = (
    OSError, RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError, AssertionError,
    ArithmeticError, zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip
"""what torch's reader raises on damaged bytes; it checks few of them"""
SHOWN = 160
"""letters of a name in an error"""
StateDict = dict[str, Tensor]
_LOADING = Lock()
"""the list of types that may be unpickled is a setting of the whole process"""


def read_checkpoint(path: Path) -> StateDict:
    """The weights in a file of torch or safetensors, on the CPU; code in the file is never run.

    A wrapping ``{"model": ...}``, ``{"model_state_dict": ...}`` or ``{"state_dict": ...}`` and the ``module.`` of
    DataParallel are removed. Only tensors, plain values and ``argparse.Namespace`` (the ``args`` of published
    checkpoints) are unpickled; numpy values and paths are skipped.

    Raises:
        ModelError: the file is missing, damaged, holds other objects, or holds no weights.
    """
    values = _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)
    for wrapper in WRAPPERS:
        if isinstance(values, Mapping) and isinstance(values.get(wrapper), Mapping):
            values = values[wrapper]
            break
    if not isinstance(values, Mapping) or not any(isinstance(value, Tensor) for value in values.values()):
        raise ModelError(f"{path}: holds no weights; expected names and tensors, or these under {', '.join(WRAPPERS)}")
    not_dense = [str(key) for key, value in values.items() if not _dense(value)]
    if not_dense:
        names = f"{printable(not_dense[0])} and {len(not_dense) - 1} more entries"
        raise ModelError(f"{path}: {names} are not plain tensors; expected weights")
    return _without_prefix({str(key): value for key, value in values.items()})


def training_arguments(path: Path) -> dict[str, Any]:
    """The ``args`` that a published ``.pth`` keeps of its training; empty where there are none. Errors as above."""
    values = {} if path.suffix == ".safetensors" else _pickled(path)
    arguments = values.get("args") if isinstance(values, Mapping) else None
    return dict(vars(arguments)) if isinstance(arguments, argparse.Namespace) else {}


def _dense(value: Any) -> bool:
    """A tensor that holds its numbers one after the other: neither sparse nor quantised."""
    return isinstance(value, Tensor) and value.layout == torch.strided and not value.is_quantized


def _without_prefix(values: StateDict) -> StateDict:
    if not all(key.startswith(PARALLEL_PREFIX) for key in values):
        return values
    return {key.removeprefix(PARALLEL_PREFIX): value for key, value in values.items()}


def _safetensors(path: Path) -> StateDict:
    try:
        return dict(safetensors.torch.load_file(path, device="cpu"))
    except (OSError, safetensors.SafetensorError) as error:
        raise ModelError(f"{path}: cannot be read as safetensors ({one_line(error)}); check the path") from error


def _pickled(path: Path) -> Any:
    try:
        with _LOADING, torch.serialization.safe_globals(_harmless()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong with the file is said below, on one line
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        what = _foreign_type(str(error))
        raise ModelError(f"{path}: {what}; expected a torch checkpoint that holds tensors and plain values") from error
    except DAMAGED as error:
        if getattr(error, "filename", None) is not None:
            raise ModelError(f"{path}: cannot be read as a checkpoint ({one_line(error)}); check the path") from error
        raise ModelError(  # an OSError without a file name means an offset outside a truncated file
            f"{path}: is damaged or not a checkpoint ({one_line(error)}); expected a torch file; download it again"
        ) from error


class _Beside:
    """Stands in for a numpy value or a path, which nothing here reads; its content is thrown away.

    The real types are not safe: a dtype with a forged state lets bytes of the file count as addresses of objects.
    """

    def __init__(self, *_values: object) -> None:
        pass

    def __setstate__(self, _state: object) -> None:
        pass


def _harmless() -> list[Any]:
    """Types allowed besides the weights in a checkpoint: reading their values runs no code of the file."""
    numpy = ["numpy.dtype", "numpy.ndarray", *(
        f"numpy.{core}.{name}" for core in ("core", "_core")
        for name in ("multiarray.scalar", "multiarray._reconstruct", "numeric._frombuffer")
    )]  # fmt: skip
    paths = [f"{module}.{name}Path" for module in ("pathlib", "pathlib._local")
             for name in ("Posix", "Windows", "PurePosix", "PureWindows")]  # fmt: skip
    ours = [argparse.Namespace, _Beside, *((_Beside, name) for name in (*numpy, *paths))]
    known = torch.serialization.get_safe_globals()  # what the program has allowed itself stays allowed
    return [each for each in ours if each not in known]


def _foreign_type(message: str) -> str:
    """The message of torch runs over many lines and offers to run the code; only its type is named."""
    if "Unsupported operand" in message:
        return "is damaged or not a checkpoint, or pickled in another protocol than torch.save's 2 (save it again)"
    named = re.search(r"GLOBAL ([\w.]+)", message)
    if not named:
        return "is damaged or not a checkpoint"
    return (
        f"holds {named.group(1)}, which is not unpickled for safety (if you trust the file, save its weights alone: "
        "torch.save(torch.load(FILE, weights_only=False)['model'], NEW))"
    )


def printable(name: str) -> str:
    """Names are the file's: they may be long, and hold what steers a terminal."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in name[:SHOWN])
    return plain if len(name) <= SHOWN else f"{plain}..."


def one_line(error: BaseException) -> str:
    """The first sentence; torch continues with advice to run the file's code."""
    line = next((text.strip() for text in str(error).splitlines() if text.strip()), "").split(". ")[0]
    return line if " " in line else "no such format"
