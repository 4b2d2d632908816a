"""Whether the results of an input exist already."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from videohoi import __version__
from videohoi.decode.inputs import InputItem
from videohoi.pipeline.annotate import REPORT_FILE, outputs_of
from videohoi.pipeline.input_fingerprint import InputFingerprint, is_same_input
from videohoi.pipeline.named_files import named_files
from videohoi.pipeline.pipeline import Pipeline
from videohoi.sink.registry import BY_NAME


def is_done(folder: Path, pipeline: Pipeline, item: InputItem, *, overlay: bool, whole_hash: bool = False) -> bool:
    """Whether ``folder`` holds complete results of this input, with these settings, weights and this release.

    ``whole_hash``: all bytes of the input are compared, not samples of them.
    """
    report = _read(folder / REPORT_FILE)
    names = outputs_of(pipeline.config, overlay=overlay)
    wanted = [BY_NAME[name].file for name in names if name in BY_NAME]
    fingerprint = InputFingerprint.of_record(report.get("input_fingerprint"))
    return (
        report.get("complete") is True
        and all((folder / name).is_file() for name in wanted)
        and report.get("config_sha256") == pipeline.header()["config_sha256"]
        and _section(report, "machine").get("videohoi") == __version__
        and report.get("files") == named_files(pipeline.config)
        and fingerprint is not None
        and is_same_input(item, fingerprint, whole=whole_hash)
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
