"""Writes what was measured: JSON with the machine, and ``RESULTS.md`` for people."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.harness import Row, Timing

PACKAGES = (
    "numpy",
    "scipy",
    "numba",
    "opencv-python-headless",
    "opencv-python",
    "av",
    "onnxruntime",
    "supervision",
    "trackers",
    "boxmot",
    "lap",
    "torch",
)
RESULTS = Path(__file__).with_name("RESULTS.md")
RECORDS = Path(__file__).with_name("results.json")
"""the newest measurement of each claim, round by round"""


def machine() -> dict[str, Any]:
    """Processor, cores, system and package versions; nothing that names the computer."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_1min_at_start": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "system": platform.system(),
        "packages": {name: version for name in PACKAGES if (version := _version(name)) is not None},
    }


@dataclass(frozen=True)
class Measured:
    """The rows of one claim, and the machine at that time."""

    text: str
    rows: tuple[Row, ...]
    machine: Mapping[str, Any]


def as_json(measured: Mapping[str, Measured]) -> str:
    """Everything, round by round."""
    claims = {
        name: {"text": one.text, "machine": dict(one.machine), "rows": [_row_json(row) for row in one.rows]}
        for name, one in measured.items()
    }
    return json.dumps(claims, indent=1) + "\n"


def from_json(text: str) -> dict[str, Measured]:
    """What ``as_json`` wrote."""
    return {
        name: Measured(one["text"], tuple(_row_of(row) for row in one["rows"]), one["machine"])
        for name, one in json.loads(text).items()
    }


def as_markdown(measured: Mapping[str, Measured]) -> str:
    """A section a claim: the claim, a table of its rows, the machine."""
    lines = [
        "# Results",
        "",
        "Written by `python -m benchmarks`; do not edit. A ratio is the peer's time over ours: the median over rounds,",
        "smallest and largest round in brackets. Answers were compared before anything was timed.",
    ]
    for name, one in measured.items():
        lines += ["", f"## {name}", "", one.text, "", *_table(one.rows), *_absent(one.rows), ""]
        lines += [_rounds(one.rows) + _machine(one.machine)]
    return "\n".join(lines) + "\n"


def _rounds(rows: Sequence[Row]) -> str:
    counts = sorted({len(timing.seconds) for row in rows for timing in row.timings})
    return f"{' to '.join(map(str, {counts[0]: 0, counts[-1]: 0}))} rounds. " if counts else ""


def _machine(about: Mapping[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    return (
        f"*{about['processor']}, {about['cores']} cores, {about['system']}, Python {about['python']}, "
        f"load {about['load_1min_at_start']} at the start; {packages}.*"
    )


def _table(rows: Sequence[Row]) -> list[str]:
    lines = ["| case | ours | against | ratio | goal | met | compared first |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        lines += _lines_of(row)
    return lines


def _lines_of(row: Row) -> list[str]:
    figures = ", ".join(f"{key} {_number(value)}" for key, value in row.figures.items())
    verdict = {True: "yes", False: "**no**", None: ""}
    ours = _duration(row.timings[0].median_seconds) if row.timings else ""
    lines = []
    for timing in row.timings[1:]:
        median, low, high = row.ratio(timing.name)
        goal = row.goals.get(timing.name)
        met = verdict[None if goal is None else median >= goal]
        lines.append(
            f"| {row.case} | {ours} | {timing.name} ({_duration(timing.median_seconds)}) | "
            f"{median:.3g} ({low:.3g}-{high:.3g}) | {'' if goal is None else f'>= {goal:g}'} | {met} | {row.equality} |"
        )
    if figures or not lines:
        lines.append(
            f"| {row.case} | {ours if not lines else ''} | {figures} | | | {verdict[row.met]} | {row.equality} |"
        )
    return lines


def _absent(rows: Sequence[Row]) -> list[str]:
    absent = sorted({peer for row in rows for peer in row.absent})
    return ["", "Not run here: " + "; ".join(absent) + "."] if absent else []


def _row_json(row: Row) -> dict[str, Any]:
    derived = {"goal_met": row.goal_met, "ratios": {timing.name: row.ratio(timing.name) for timing in row.timings[1:]}}
    return {**dataclasses.asdict(row), **derived}


def _row_of(values: Mapping[str, Any]) -> Row:
    own = {field.name: values[field.name] for field in dataclasses.fields(Row)}
    timings = tuple(Timing(timing["name"], tuple(timing["seconds"])) for timing in own.pop("timings"))
    return Row(**{**own, "timings": timings, "absent": tuple(own["absent"])})


def _duration(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 1.0:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
