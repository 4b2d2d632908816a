"""Whether an input's results are there already."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from videohoi import __version__
from videohoi.decode.inputs import InputItem
from videohoi.detect.factory import weights_sha256
from videohoi.pipeline.annotate import OUTPUT_FILES, OVERLAY_FILE, REPORT_FILE
from videohoi.pipeline.input_hash import file_sha256, input_sha256
from videohoi.pipeline.model_stages import finds_boxes
from videohoi.pipeline.pipeline import Pipeline


def is_done(folder: Path, pipeline: Pipeline, item: InputItem, *, overlay: bool) -> bool:
    """``folder`` holds complete results of this input, these settings and weights, and this release."""
    report = _read(folder / REPORT_FILE)
    wanted = [name for name in OUTPUT_FILES if overlay or name != OVERLAY_FILE]
    return (
        report.get("complete") is True
        and all((folder / name).is_file() for name in wanted)
        and report.get("config_sha256") == pipeline.header()["config_sha256"]
        and _section(report, "machine").get("videohoi") == __version__
        and _same_weights(pipeline, _section(report, "detector"))
        and _same_model(pipeline, _section(report, "head"))
        and report.get("input_sha256") == input_sha256(item) is not None
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return report if isinstance(report, dict) else {}


def _section(report: dict[str, Any], name: str) -> dict[str, Any]:
    section = report.get(name)
    return section if isinstance(section, dict) else {}


def _same_weights(pipeline: Pipeline, detector: dict[str, Any]) -> bool:
    """A file may have changed under its name, and so may shipped weights between two installs of one release."""
    if finds_boxes(getattr(pipeline.config, "model", None)):
        return True  # no detector ran; the method's weights are compared as the head's
    spec = getattr(getattr(pipeline.config, "detect", None), "detector", None)
    return spec is None or detector.get("weights_sha256") == weights_sha256(str(spec))


def _same_model(pipeline: Pipeline, head: dict[str, Any]) -> bool:
    """The method's own file, or CLIP's where the method has none; the starter's head ships with the release."""
    model = getattr(pipeline.config, "model", None)
    named = getattr(model, "weights", None) or getattr(model, "clip_weights", None)
    if named is None:
        return True
    path = Path(named).expanduser()
    return head.get("weights_sha256") == (file_sha256(path) if path.is_file() else None)
