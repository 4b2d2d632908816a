"""Text embeddings of prompts: computed once, kept in a file, loadable without the model that made them."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import InputError, UsageError
from videohoi.files import replacing, sink_error
from videohoi.structures.checks import require_shape

_FORMAT = 1
"""raised when the meaning of a bank file changes; part of every fingerprint"""
_UNIT_TOLERANCE = 1e-3
"""how far from 1 a row's length may be; banks stored as float16 keep three digits"""
Prompts = tuple[tuple[str, ...], ...]


class TextEncoder(Protocol):
    """Turns sentences into vectors."""

    @property
    def identity(self) -> str:
        """Architecture and weights as text that changes whenever the vectors would."""

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """(len(sentences), D), of any length of rows."""


@dataclass(frozen=True, repr=False)
class TextBank:
    """One unit vector a class."""

    embeddings: NDArray[np.float32]
    """(C, D), rows of length 1"""
    names: tuple[str, ...]
    """(C,) class names, for display and error messages"""
    prompts: Prompts
    """(C,) sentences of each class; several are averaged"""
    encoder: str
    """``TextEncoder.identity``"""
    fingerprint: str
    """SHA-256 of format, encoder and prompts: equal = same embeddings"""

    def __post_init__(self) -> None:
        require_shape("TextBank", "embeddings", self.embeddings, (len(self.names), None))
        if len(self.prompts) != len(self.names):
            raise ValueError(f"TextBank.prompts must have {len(self.names)} entries, got {len(self.prompts)}")
        lengths = np.linalg.norm(self.embeddings, axis=1)
        if not (np.abs(lengths - 1) < _UNIT_TOLERANCE).all():
            raise ValueError("TextBank.embeddings must have rows of length 1")

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"TextBank(embeddings.shape={self.embeddings.shape}, encoder={self.encoder!r})"


def fingerprint(prompts: Prompts, encoder: str) -> str:
    """SHA-256 of everything the embeddings depend on."""
    text = json.dumps([_FORMAT, encoder, prompts], ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def sentences_of(prompts: Sequence[str] | Sequence[Sequence[str]]) -> Prompts:
    """One or several sentences a class, in the bank's form; ``UsageError`` where a class has none."""
    rows = tuple((row,) if isinstance(row, str) else tuple(row) for row in prompts)
    empty = [number for number, row in enumerate(rows) if not row or not all(row)]
    if not rows or empty:
        raise UsageError(f"text bank: every class needs a prompt; empty: {empty[:3] or 'all of them'}")
    return rows


def compute_text_bank(
    names: Sequence[str], prompts: Sequence[str] | Sequence[Sequence[str]], encoder: TextEncoder
) -> TextBank:
    """Encode; each sentence is brought to length 1, a class's sentences are averaged, the mean is brought to length 1.

    As in CLIP (Radford et al. 2021), section 3.1.4, prompt ensembling in embedding space.

    Raises:
        UsageError: names and prompts differ in number, a class has no prompt, or the encoder gives a useless vector.
    """
    rows = sentences_of(prompts)
    if len(names) != len(rows):
        raise UsageError(f"text bank: {len(names)} names but {len(rows)} prompts; give one entry per class")
    flat = [sentence for row in rows for sentence in row]
    vectors = _unit(np.asarray(encoder.encode(flat), np.float32), flat)
    row_of = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    sums = np.zeros((len(rows), vectors.shape[1]), np.float64)
    np.add.at(sums, row_of, vectors)
    embeddings = _unit(sums, names)
    return TextBank(embeddings, tuple(names), rows, encoder.identity, fingerprint(rows, encoder.identity))


def _unit(vectors: NDArray[np.float32] | NDArray[np.float64], of: Sequence[str]) -> NDArray[np.float32]:
    if vectors.ndim != 2 or len(vectors) != len(of):
        raise UsageError(f"text encoder: expected ({len(of)}, D) vectors, got shape {vectors.shape}")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    bad = np.flatnonzero(~np.isfinite(lengths[:, 0]) | (lengths[:, 0] == 0))
    if len(bad):
        raise UsageError(f"text encoder: the vector of {of[bad[0]]!r} is zero or not finite; check the weights")
    return np.asarray(vectors / lengths, np.float32)


def save_text_bank(bank: TextBank, path: Path) -> None:
    """Write a ``.npz`` that appears whole or not at all; ``SinkError`` when it cannot be written."""
    about = json.dumps({"format": _FORMAT, "names": bank.names, "prompts": bank.prompts, "encoder": bank.encoder,
                        "fingerprint": bank.fingerprint})  # fmt: skip
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez(file, embeddings=bank.embeddings, about=np.array(about))
    except OSError as error:
        raise sink_error(path, error) from error


def load_text_bank(path: Path) -> TextBank:
    """Read a bank; needs numpy only.

    Raises:
        InputError: no such file, no text bank, or one whose contents do not fit its fingerprint.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as values:
            about = json.loads(str(values["about"]))
            embeddings = np.asarray(values["embeddings"], np.float32)
        if about["format"] != _FORMAT:
            raise ValueError(f"format {about['format']}, expected {_FORMAT}")
        rows = sentences_of(about["prompts"])
        bank = TextBank(embeddings, tuple(about["names"]), rows, about["encoder"], about["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError, EOFError, UsageError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: cannot be read as a text bank ({error}); compute it again") from error
    if fingerprint(bank.prompts, bank.encoder) != bank.fingerprint:
        raise InputError(f"{path}: the prompts do not fit the fingerprint; the file was changed, compute it again")
    return bank


def cached_text_bank(
    names: Sequence[str],
    prompts: Sequence[str] | Sequence[Sequence[str]],
    encoder: TextEncoder,
    folder: Path,
) -> TextBank:
    """The bank of these prompts: read from ``folder`` if it was computed before, else computed and stored there.

    The file's name is the fingerprint, so an old file is never used for a changed prompt or other weights. A damaged
    file is an ``InputError``; it is not recomputed silently.
    """
    rows = sentences_of(prompts)
    path = folder / f"{fingerprint(rows, encoder.identity)}.npz"
    if path.is_file():
        return replace(load_text_bank(path), names=tuple(names))  # other class names may have the same sentences
    bank = compute_text_bank(names, rows, encoder)
    save_text_bank(bank, path)
    return bank
