"""CLIP's text encoder through open_clip, the only place that imports it; needed once per vocabulary."""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import ModelError
from videohoi.files import file_sha256
from videohoi.names import did_you_mean, nearest_names

INSTALL = "pip install 'videohoi[models]'"
_BATCH = 64
"""sentences at a time: bounds the memory on small machines"""
_SHOWN = 160
"""characters of open_clip's own message that an error shows; some messages list every model"""
_LOAD_ERRORS = (OSError, RuntimeError, ValueError, KeyError, TypeError, AssertionError, pickle.UnpicklingError)
"""what open_clip raises for a wrong tag, no network, a file that is no checkpoint and one of another architecture"""


class OpenClipTextEncoder:
    """A CLIP model of open_clip. Weights load at the first ``encode``; a cached text bank needs none."""

    def __init__(self, architecture: str = "ViT-B-32", weights: str = "openai") -> None:
        """Choose a model.

        Args:
            architecture: a name of open_clip's model list, as ``ViT-B-16``. OpenAI's weights in a local file need the
                name that ends in ``-quickgelu``; with the tag ``openai`` open_clip chooses it.
            weights: a name of open_clip's pretrained tags, or the path of a weights file.
        """
        self._architecture, self._weights = architecture, weights
        self._model: Any = None
        self._tokenizer: Any = None
        self._identity: str | None = None

    @property
    def identity(self) -> str:
        """``open_clip:ARCHITECTURE/WEIGHTS``; a weights file is named by its SHA-256."""
        if self._identity is None:
            path = Path(self._weights)
            weights = f"sha256:{file_sha256(path)}" if path.is_file() else self._weights
            self._identity = f"open_clip:{self._architecture}/{weights}"
        return self._identity

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """(len(sentences), D).

        Raises:
            ModelError: open_clip is not installed, or the weights cannot be loaded.
        """
        if self._model is None:
            self._load()
        parts = [
            self._model.encode_text(self._tokenizer(list(sentences[start : start + _BATCH]))).cpu().numpy()
            for start in range(0, len(sentences), _BATCH)
        ]
        return np.concatenate(parts).astype(np.float32)

    def _load(self) -> None:
        name = f"{self._architecture}/{self._weights}"
        try:
            open_clip = importlib.import_module("open_clip")
        except ImportError as error:
            raise ModelError(
                f"text encoder {name}: open_clip is not installed; install it with {INSTALL}, or load a text bank that "
                "was computed elsewhere"
            ) from error
        known = tuple(open_clip.list_models())
        if self._architecture not in known and ":" not in self._architecture:  # hf-hub:NAME is looked up by open_clip
            hint = did_you_mean(nearest_names(self._architecture, known)) or "; see open_clip.list_models()"
            raise ModelError(f"text encoder {name}: open_clip has no architecture {self._architecture!r}{hint}")
        try:
            model = open_clip.create_model(self._architecture, pretrained=self._weights)
            self._tokenizer = open_clip.get_tokenizer(self._architecture)
        except _LOAD_ERRORS as error:
            reason = " ".join(str(error).split())[:_SHOWN]
            raise ModelError(
                f"text encoder {name}: cannot be loaded ({reason}); give a weights file of this architecture that is "
                "on this machine"
            ) from error
        self._model = model.eval().requires_grad_(False)  # no graph is kept, so that no torch import is needed here
