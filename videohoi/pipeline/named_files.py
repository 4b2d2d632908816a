"""Hashes of the files that a run's settings name: the content may change while the name stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from videohoi.detect.factory import detector_files
from videohoi.detect.registry import DETR_PREFIX
from videohoi.errors import ModelError, UsageError
from videohoi.files import is_file, known_sha256, user_path
from videohoi.pipeline.base_config import base_config
from videohoi.pipeline.bundled import bundled_folder
from videohoi.pipeline.model_stages import CALIBRATION_FILE, finds_boxes
from videohoi.pipeline.words import is_word_list


def named_files(config: Any) -> dict[str, str]:
    """Role -> SHA-256 of each file: those of ``detector_files``, ``weights``, ``clip_weights``, ``words``, and the
    shipped ``calibration`` and ``method`` settings, which a user may have edited.

    A file that is not there or cannot be read has no entry: the stage that opens it says what is wrong, and a pipeline
    of the user's own may mean something else by these settings.
    """
    base = base_config(config)
    model, spec = base.model, base.detect.detector
    needs_detector = not finds_boxes(model) or spec.startswith(DETR_PREFIX)
    shipped = bundled_folder("configs") / "models"
    named = {
        "weights": model.weights,
        "clip_weights": model.clip_weights,
        "words": model.words if model.words is not None and is_word_list(model.words) else None,
        "calibration": shipped / CALIBRATION_FILE,
        "method": shipped / f"{model.name}.yaml",
    }
    digests = {role: _digest(user_path(str(name).strip())) for role, name in named.items() if name is not None}
    found = _of_detector(spec) if needs_detector else {}
    return found | {role: digest for role, digest in digests.items() if digest is not None}


def _of_detector(spec: str) -> dict[str, str]:
    try:
        return detector_files(spec)
    except (UsageError, ModelError):
        return {}


def _digest(path: Path) -> str | None:
    try:
        return known_sha256(path) if is_file(path) else None
    except ModelError:
        return None
