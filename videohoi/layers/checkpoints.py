"""Published checkpoints: read safely, mapped by an explicit table of names.

A conversion is strict both ways. Every published key is mapped or ignored for a stated reason, every value of the model
is filled, every shape fits; otherwise one error says all that differs. Nothing is loaded in part.
"""

from __future__ import annotations

import argparse
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

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
    ArithmeticError, zipfile.BadZipFile,
)  # fmt: skip
"""what torch's reader runs into where bytes are wrong; it checks few of them"""
NOT_FINITE, OTHER_TYPE = "not finite", "of another type"
NAMED = 5
"""names that an error spells out of each kind"""
StateDict = dict[str, Tensor]
Table = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Converted:
    """A checkpoint under the model's own names."""

    state_dict: StateDict
    """every parameter and persistent buffer of the model, of its shape and dtype; loads with ``strict=True``"""
    ignored: tuple[tuple[str, str], ...]
    """(published key, why it is not needed)"""


class MisfitError(ModelError):
    """A checkpoint is not the model's."""

    def __init__(self, message: str, kinds: frozenset[str]) -> None:
        """``kinds``: what differs, of ``unexpected``, ``missing``, ``shapes`` and others that the message names."""
        super().__init__(message)
        self.kinds = kinds


def unfilled(build: Callable[[], nn.Module]) -> nn.Module:
    """The model without memory for its values: enough to compare names, shapes and types."""
    with torch.device("meta"):
        return build()


def convert(
    state_dict: Mapping[str, Tensor],
    model: nn.Module,
    key_map: Table,
    ignored: Table = (),
    *,
    name: str = "checkpoint",
) -> Converted:
    r"""Published weights under the names of ``model``; the model is not changed and may be on the meta device.

    Args:
        state_dict: published key -> tensor.
        model: what is to be filled: all of ``model.state_dict()``.
        key_map: ordered (regex of the published key, replacement). A regex is matched at the key's beginning
            (``re.match``); the matched part is replaced (groups as ``\1``) and the rest of the key kept. The first
            row that matches counts.
        ignored: (regex of the published key, reason), matched in the same way and asked before ``key_map``.
        name: how the error calls the checkpoint.

    Raises:
        MisfitError: keys that no row names, values of the model that stay unfilled, keys mapped onto what the model has
            not, two keys mapped onto one, shapes or types that differ, values that are not finite.
    """
    taken, left_out, wrong = _mapped(state_dict, key_map, ignored)
    wanted = model.state_dict()
    wrong["not in the model"] = [f"{source} -> {key}" for key, (source, _) in taken.items() if key not in wanted]
    wrong["missing"] = [key for key in wanted if key not in taken]
    wrong["shapes"] = [
        f"{key}: {tuple(value.shape)} in the checkpoint, {tuple(wanted[key].shape)} in the model"
        for key, (_, value) in taken.items()
        if key in wanted and value.shape != wanted[key].shape
    ]
    wrong[OTHER_TYPE] = [
        f"{key}: {value.dtype} in the checkpoint, {wanted[key].dtype} in the model"
        for key, (_, value) in taken.items()
        if key in wanted and value.is_floating_point() != wanted[key].is_floating_point()
    ]
    wrong[NOT_FINITE] = [key for key, (_, value) in taken.items() if not _finite(value)]
    found = {kind: _summary(kind, lines) for kind, lines in wrong.items() if lines}
    if found:
        raise MisfitError(f"{name} does not fit {type(model).__name__}: {'; '.join(found.values())}", frozenset(found))
    values = {key: taken[key][1].to(wanted[key].dtype) for key in wanted}
    return Converted(values, tuple(left_out))


def _finite(value: Tensor) -> bool:
    return not value.is_floating_point() or value.is_meta or bool(value.isfinite().all())


def unknown_keys(state_dict: Mapping[str, Tensor], key_map: Table, ignored: Table) -> int:
    """How many published keys no row of a method's tables names."""
    patterns = [re.compile(pattern) for pattern, _ in (*key_map, *ignored)]
    return sum(not any(pattern.match(key) for pattern in patterns) for key in state_dict)


def _mapped(
    state_dict: Mapping[str, Tensor], key_map: Table, ignored: Table
) -> tuple[dict[str, tuple[str, Tensor]], list[tuple[str, str]], dict[str, list[str]]]:
    """Own name -> (published key, value); what was ignored and why; what is wrong so far."""
    names = [(re.compile(pattern), text) for pattern, text in key_map]
    reasons = [(re.compile(pattern), text) for pattern, text in ignored]
    taken: dict[str, tuple[str, Tensor]] = {}
    left_out: list[tuple[str, str]] = []
    unknown: list[str] = []
    twice: list[str] = []
    for key, value in state_dict.items():
        reason = next((text for pattern, text in reasons if pattern.match(key)), None)
        match, text = next(((found, text) for pattern, text in names if (found := pattern.match(key))), (None, ""))
        if reason is not None:
            left_out.append((key, reason))
        elif match is None:
            unknown.append(key)
        else:
            own = match.expand(text) + key[match.end() :]
            if own in taken:
                twice.append(f"{taken[own][0]} and {key} -> {own}")
            taken[own] = (key, value)
    return taken, left_out, {"unexpected": unknown, "mapped twice": twice}


def _summary(kind: str, lines: Sequence[str]) -> str:
    more = f", and {len(lines) - NAMED} more" if len(lines) > NAMED else ""
    return f"{len(lines)} {kind} ({', '.join(lines[:NAMED])}{more})"


def read_checkpoint(path: Path) -> StateDict:
    """The weights in a file of torch or safetensors, on the CPU; code in the file is never run.

    A wrapping ``{"model": ...}``, ``{"model_state_dict": ...}`` or ``{"state_dict": ...}`` and the ``module.`` of
    DataParallel are taken off. Only tensors, plain values and ``argparse.Namespace`` (the ``args`` of published
    checkpoints) are unpickled; values of numpy's and paths are stepped over.

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
    strange = [str(key) for key, value in values.items() if not _dense(value)]
    if strange:
        raise ModelError(
            f"{path}: {strange[0]} and {len(strange) - 1} more entries are no plain tensors; expected weights"
        )
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
        with torch.serialization.safe_globals(_harmless()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong with a foreign file is said below, on one line
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        what = _foreign_type(str(error))
        raise ModelError(f"{path}: {what}; expected a torch checkpoint that holds tensors and plain values") from error
    except DAMAGED as error:
        if getattr(error, "filename", None) is not None:
            raise ModelError(f"{path}: cannot be read as a checkpoint ({one_line(error)}); check the path") from error
        raise ModelError(  # an OSError without a file's name is a place outside a file that was cut off
            f"{path}: is damaged or no checkpoint ({one_line(error)}); expected a torch checkpoint, download it again"
        ) from error


class _Beside:
    """Stands for a value of numpy's or a path, which nothing here reads: what a file says of it is thrown away.

    The real types are not safe: a dtype with a forged state lets bytes of the file count as addresses of objects.
    """

    def __init__(self, *_values: object) -> None:
        pass

    def __setstate__(self, _state: object) -> None:
        pass


def _harmless() -> list[Any]:
    """What may stand beside the weights in a checkpoint: values whose reading runs no code of the file."""
    numpy = ["numpy.dtype", "numpy.ndarray", *(
        f"numpy.{core}.{name}" for core in ("core", "_core")
        for name in ("multiarray.scalar", "multiarray._reconstruct", "numeric._frombuffer")
    )]  # fmt: skip
    paths = [f"{module}.{name}Path" for module in ("pathlib", "pathlib._local")
             for name in ("Posix", "Windows", "PurePosix", "PureWindows")]  # fmt: skip
    return [argparse.Namespace, _Beside, *((_Beside, name) for name in (*numpy, *paths))]


def _foreign_type(message: str) -> str:
    """The message of torch runs over many lines and offers to run the code; only the type's name is told."""
    named = re.search(r"GLOBAL ([\w.]+)", message)
    if not named:
        return "is damaged or no checkpoint"
    return (
        f"holds {named.group(1)}, which is not unpickled for safety (where you trust the file, save its weights alone: "
        "torch.save(torch.load(FILE, weights_only=False)['model'], NEW))"
    )


def one_line(error: BaseException) -> str:
    """The first sentence: torch goes on with advice to run the file's code."""
    line = next((text.strip() for text in str(error).splitlines() if text.strip()), "").split(". ")[0]
    return line if " " in line else "no such format"


def ignored_lines(ignored: Iterable[tuple[str, str]]) -> list[str]:
    """One line a reason, with how many keys it took and the first of them."""
    by_reason: dict[str, list[str]] = {}
    for key, reason in ignored:
        by_reason.setdefault(reason, []).append(key)
    return [
        f"{len(keys)} x {reason} ({keys[0]}{', ...' if len(keys) > 1 else ''})" for reason, keys in by_reason.items()
    ]


def renamed(values: Mapping[str, Tensor], key_map: Table, ignored: Table) -> dict[str, Tensor]:
    """``values`` under the model's names: the first row whose regex matches a key's beginning replaces that part.

    Keys that a row of ``ignored`` matches are left out; keys that no row names stay as they are.
    """
    return {_renamed(key, key_map): value for key, value in values.items() if not _matches(key, ignored)}


def _matches(key: str, table: Table) -> bool:
    return any(re.match(pattern, key) for pattern, _ in table)


def _renamed(key: str, key_map: Table) -> str:
    for pattern, text in key_map:
        if match := re.match(pattern, key):
            return match.expand(text) + key[match.end() :]
    return key
