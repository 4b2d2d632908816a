"""Weights as ``videohoi models import`` writes them: safetensors with a description of their contents and origin.

The file says which method, vocabulary, configuration and text bank its tensors belong to, so that a wrong file is
refused by name and not by the shape of some layer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch

from videohoi.errors import ModelError, SinkError
from videohoi.files import replacing

FORMAT = "1"
"""raised when the meaning of the metadata changes"""
_PREFIX = "videohoi."
"""of the keys of the metadata"""


@dataclass(frozen=True)
class WeightsOrigin:
    """Where the tensors of a file come from."""

    method: str
    """a name of ``interact/methods.py``"""
    vocabulary: str
    """name of the ``Vocabulary`` whose classes the outputs are"""
    config: Mapping[str, Any] = field(default_factory=dict)
    """values of the head's config dataclass"""
    text_bank: str | None = None
    """fingerprint of the text rows inside, where the method has any"""
    source_sha256: str | None = None
    """the published file; None for weights trained here"""
    source_name: str = ""
    """its file name"""


@dataclass(frozen=True, repr=False)
class ImportedWeights:
    """A file's tensors under our names, and their origin."""

    state_dict: dict[str, Any]
    """name -> torch tensor on the CPU"""
    origin: WeightsOrigin

    def __repr__(self) -> str:
        return f"ImportedWeights({self.origin.method}, tensors={len(self.state_dict)})"


def save_imported(path: Path, state_dict: Mapping[str, Any], origin: WeightsOrigin) -> None:
    """Write safetensors, whole or not at all; ``SinkError`` when it cannot be written."""
    about = {
        "format": FORMAT,
        "method": origin.method,
        "vocabulary": origin.vocabulary,
        "config": json.dumps(dict(origin.config), sort_keys=True),
        "text_bank": origin.text_bank or "",
        "source_sha256": origin.source_sha256 or "",
        "source_name": origin.source_name,
    }
    # tensors that share memory cannot be stored; a copy of each shares none
    values = {name: value.detach().clone().contiguous() for name, value in state_dict.items()}
    if not path.name or (path.exists() and not path.is_file()):  # replacing would turn a device into a file
        raise SinkError(f"cannot write weights {path}: it is not a file; choose another path")
    metadata = {f"{_PREFIX}{key}": text for key, text in about.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            partial.touch()
            # mode of the file that is replaced, or the user's default: safetensors would make it unreadable for others
            mode = (path if path.exists() else partial).stat().st_mode
            safetensors.torch.save_file(values, partial, metadata=metadata)
            partial.chmod(mode)
    except (OSError, safetensors.SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SinkError(f"cannot write weights {path}: {reason}; choose another file") from error


def load_imported(path: Path, method: str | None = None) -> ImportedWeights:
    """Read what ``save_imported`` wrote.

    Args:
        path: the safetensors file.
        method: refuse weights of another method.

    Raises:
        ModelError: missing, damaged, not written by ``videohoi models import``, or of another method.
    """
    try:
        with safetensors.safe_open(path, framework="pt", device="cpu") as file:
            origin = _origin(path, file.metadata() or {}, method)
            values = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, safetensors.SafetensorError) as error:
        raise _unreadable(path, error) from error
    return ImportedWeights(values, origin)


def load_origin(path: Path, method: str | None = None) -> WeightsOrigin:
    """What a file holds, without its tensors; errors as ``load_imported``."""
    try:
        with safetensors.safe_open(path, framework="np") as file:
            return _origin(path, file.metadata() or {}, method)
    except (OSError, safetensors.SafetensorError) as error:
        raise _unreadable(path, error) from error


def is_imported(path: Path) -> bool:
    """``path`` was written by ``save_imported``, and is no published file."""
    if not path.is_file():  # reading a pipe would wait for ever
        return False
    try:
        with safetensors.safe_open(path, framework="np") as file:
            return f"{_PREFIX}format" in (file.metadata() or {})
    except (OSError, safetensors.SafetensorError):
        return False


def _unreadable(path: Path, error: Exception) -> ModelError:
    reason = " ".join(str(error).split())
    return ModelError(
        f"{path}: cannot be read as imported weights ({reason}); make it with: videohoi models import CKPT --as NAME"
    )


def _origin(path: Path, metadata: Mapping[str, str], method: str | None) -> WeightsOrigin:
    about = {key.removeprefix(_PREFIX): text for key, text in metadata.items()}
    if about.get("format") != FORMAT:
        raise ModelError(f"{path}: not made by `videohoi models import`; import the published file first")
    try:
        origin = WeightsOrigin(
            about["method"], about["vocabulary"], dict(json.loads(about["config"])), about["text_bank"] or None,
            about["source_sha256"] or None, about["source_name"],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(path, error) from error
    if method is not None and origin.method != method:
        raise ModelError(f"{path}: holds weights of {origin.method}, expected {method}; use --model {origin.method}")
    return origin
