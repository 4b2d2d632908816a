"""The JSON files that ship with the vocabulary; each names its source and licence."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def read_packed(file_name: str) -> dict[str, Any]:
    """The values of ``videohoi/vocabulary/data/<file_name>``."""
    text = resources.files("videohoi.vocabulary").joinpath(f"data/{file_name}").read_text(encoding="utf-8")
    values: dict[str, Any] = json.loads(text)
    return values
