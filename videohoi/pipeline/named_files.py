"""What the files are that a run's settings name: a name alone does not say that nothing changed behind it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from videohoi.detect.factory import DETR_PREFIX, weights_sha256
from videohoi.pipeline.input_hash import file_sha256
from videohoi.pipeline.model_stages import finds_boxes
from videohoi.pipeline.words import is_word_list


def named_files(config: Any) -> dict[str, str | None]:
    """Role -> SHA-256 of each file: ``detector`` (shipped weights too), ``weights``, ``clip_weights``, ``words``.

    None for a file that is not there, and for what the cache of a hub names by its content.

    Raises:
        UsageError: unknown detector.
        ModelError: a named detector that was not downloaded yet.
        InputError: a file cannot be read.
    """
    model, spec = getattr(config, "model", None), getattr(getattr(config, "detect", None), "detector", None)
    found: dict[str, str | None] = {}
    if spec is not None and (not finds_boxes(model) or str(spec).startswith(DETR_PREFIX)):
        found["detector"] = weights_sha256(str(spec))
    for role in ("weights", "clip_weights"):
        named = getattr(model, role, None)
        if named is not None:
            found[role] = _digest(Path(named).expanduser())
    words = getattr(model, "words", None)
    if words is not None and is_word_list(str(words)):
        found["words"] = _digest(Path(str(words).strip()).expanduser())
    return found


def _digest(path: Path) -> str | None:
    if not path.is_file():
        return None
    state = path.stat()
    return _digest_of(str(path.resolve()), state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=16)
def _digest_of(path: str, _size: int, _mtime_ns: int) -> str:
    """A batch asks for the same gigabyte once an input."""
    return file_sha256(Path(path))
