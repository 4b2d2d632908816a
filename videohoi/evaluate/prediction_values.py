"""Reads a file of predictions, JSON or pickle, into plain values; the forms of each benchmark are its own affair."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from videohoi.errors import TruthError
from videohoi.evaluate.safe_pickle import read_pickle
from videohoi.files import decoded_text

PICKLE_SUFFIXES = (".pkl", ".pickle")


def read_values(path: Path) -> Any:
    """The value of a JSON or pickle file; ``TruthError`` where it is neither."""
    if path.suffix in PICKLE_SUFFIXES:
        return read_pickle(path)
    try:
        return json.loads(decoded_text(path.read_bytes()))
    except (OSError, ValueError, RecursionError) as cause:
        raise TruthError(
            f"{path}: cannot be read as JSON: {cause}; expected .json, .pkl, .jsonl or a run's folder"
        ) from cause
