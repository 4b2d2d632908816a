"""Whether an input's results are there already."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from videohoi import __version__
from videohoi.decode.inputs import InputItem
from videohoi.pipeline.annotate import OUTPUT_FILES, OVERLAY_FILE, REPORT_FILE
from videohoi.pipeline.input_hash import input_sha256
from videohoi.pipeline.named_files import named_files
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
        and report.get("files") == named_files(pipeline.config)
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
