"""Where the results of each input go, and whether they are there already."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from videohoi import __version__
from videohoi.decode.inputs import InputItem
from videohoi.errors import InputError, SinkError, UsageError
from videohoi.pipeline.annotate import REPORT_FILE, input_place, outputs_of
from videohoi.pipeline.fingerprints import InputFingerprint, is_same_input, named_files
from videohoi.pipeline.pipeline import Pipeline
from videohoi.sink.registry import BY_NAME

OUTPUT_SUFFIX = ".videohoi"
Naming = Literal["stem", "name", "parent"]
NAMINGS: tuple[Naming, ...] = ("stem", "name", "parent")
"""how folders are named: ``clip.videohoi``, ``clip.mp4.videohoi``, ``folder_clip.mp4.videohoi``"""


@dataclass(frozen=True)
class Job:
    """An input and the folder of its results."""

    item: InputItem
    folder: Path
    note: str = ""
    """why the folder has another name than usual; empty: it has the usual one"""


def output_folder(item: InputItem, out: Path | None, naming: Naming = "stem") -> Path:
    """The folder of results of one name, beside the input or in ``out``."""
    if isinstance(item.spec, Path):
        path = item.spec
        parent, stem = path.parent, path.stem if path.is_file() or path.suffix else path.name
        if naming != "stem":
            stem = path.name if naming == "name" else f"{path.resolve().parent.name}_{path.name}"
    else:
        parent, stem = Path.cwd(), "".join(c if c.isalnum() else "_" for c in item.label).strip("_") or "input"
    return (parent if out is None else out) / f"{stem}{OUTPUT_SUFFIX}"


def plan_jobs(items: Sequence[InputItem], out: Path | None) -> list[Job]:
    """Each input with a folder of its own, free of the results of other inputs.

    An input whose results are there already keeps their folder. Inputs whose folders would have one name get longer
    names: clip.mp4 beside clip.mkv; a/clip.mp4 and b/clip.mp4 with one ``out``.

    Raises:
        UsageError: two inputs would share a folder even under their full names.
        SinkError: the folders of all names hold results of other inputs.
    """
    names: list[Naming] = ["stem"] * len(items)
    for longer in NAMINGS[1:]:
        folders = [output_folder(item, out, naming) for item, naming in zip(items, names, strict=True)]
        taken = Counter(folders)
        names = [longer if taken[folder] > 1 else naming for folder, naming in zip(folders, names, strict=True)]
    jobs: dict[Path, Job] = {}
    for item, naming in zip(items, names, strict=True):
        job = _job(item, out, naming, jobs)
        jobs[job.folder] = job
    return list(jobs.values())


def _job(item: InputItem, out: Path | None, naming: Naming, others: Mapping[Path, Job]) -> Job:
    """The job under ``naming``, or under another name where that folder is another input's."""
    usual = output_folder(item, out, naming)
    reports = {
        folder: _read(folder / REPORT_FILE)
        for folder in (output_folder(item, out, each) for each in NAMINGS)
        if folder not in others
    }
    own = [folder for folder, report in reports.items() if report and _is_of(item, report)]
    longer = (output_folder(item, out, each) for each in NAMINGS[NAMINGS.index(naming) :])
    free = [folder for folder in longer if reports.get(folder) == {}]
    if not own and not free:
        if usual in others:
            raise UsageError(f"{others[usual].item.label} and {item.label} would both write to {usual}; rename one")
        raise SinkError(
            f"{usual}: holds the results of {_named(reports[usual])}, not of {item.label}; choose another --out, or "
            "move the folder away"
        )
    folder = (*own, *free)[0]
    if folder == usual or not reports.get(usual):
        return Job(item, folder)
    note = f"{usual} holds the results of {_named(reports[usual])}; those of {item.label} go to {folder}"
    return Job(item, folder, note)


def _is_of(item: InputItem, report: Mapping[str, Any]) -> bool:
    """Whether the results are of this input: of the same path or address, or of a file that was moved since."""
    if "input_path" not in report:  # written by an earlier release
        return Path(_named(report)).name == Path(item.label).name
    if report["input_path"] == input_place(item) or Path(str(report["input_path"])).exists():
        return bool(report["input_path"] == input_place(item))
    fingerprint = InputFingerprint.of_record(report.get("input_fingerprint"))
    try:
        return fingerprint is not None and is_same_input(item, fingerprint)
    except InputError:  # the run says what is wrong with the input
        return False


def _named(report: Mapping[str, Any]) -> str:
    return str(report.get("input", "another input"))


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
