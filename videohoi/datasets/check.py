"""Is a data set complete? What is missing, where to get it, and what each zero-shot split would train on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from videohoi.datasets.annotations import HoiAnnotations
from videohoi.datasets.layouts import LAYOUTS, Form, Layout, Part
from videohoi.datasets.split_filter import TrainingFilter, training_filter
from videohoi.errors import InputError, UsageError, VideohoiError
from videohoi.names import did_you_mean, nearest_names
from videohoi.vocabulary import hico_det, hico_splits

NAMED = 3
"""missing pictures that a finding names"""


@dataclass(frozen=True)
class Finding:
    """One line of the answer."""

    part: str
    status: str
    """ok, differs (readable, but not the published numbers), missing or broken"""
    detail: str
    get: str = ""
    """where to get what is missing"""
    required: bool = True


@dataclass(frozen=True)
class DataReport:
    """What a folder holds."""

    layout: Layout
    findings: tuple[Finding, ...]
    filters: tuple[TrainingFilter, ...]
    """of the training part, one per zero-shot split; empty for other vocabularies than HICO-DET's"""

    @property
    def complete(self) -> bool:
        """Nothing that is required is missing or broken."""
        return not any(finding.required and finding.status in ("missing", "broken") for finding in self.findings)


def check_folder(folder: Path, kind: str | None = None) -> DataReport:
    """Read everything that is there; never raises for what the folder lacks.

    Raises:
        InputError: no such folder, or it holds no known data set and ``kind`` is not given.
        UsageError: an unknown kind.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give the folder of a data set")
    layout = _layout(folder, kind)
    findings: list[Finding] = []
    filters: tuple[TrainingFilter, ...] = ()
    for part in layout.parts:
        annotations = _annotations(folder, layout, part, findings)
        if annotations is not None or part.required:
            findings.append(_pictures(folder, layout, part, annotations))
            findings += _labels(folder, layout, part, annotations)
        if annotations is not None and part.name in ("train", "all"):
            filters = _filters(annotations)
    return DataReport(layout, tuple(findings), filters)


def _layout(folder: Path, kind: str | None) -> Layout:
    if kind is not None:
        if kind in LAYOUTS:
            return LAYOUTS[kind]
        hint = did_you_mean(nearest_names(kind, tuple(LAYOUTS))) or f"; known: {', '.join(LAYOUTS)}"
        raise UsageError(f"unknown data set {kind!r}{hint}")
    layout = _found(folder)
    if layout is not None:
        return layout
    below = [f"{child.name}/ ({found.title})" for child in sorted(folder.iterdir())
             if child.is_dir() and (found := _found(child)) is not None]  # fmt: skip
    if below:
        raise InputError(f"{folder}: holds data sets, but is none itself; give one of {', '.join(below)}")
    raise InputError(f"{folder}: holds the annotations of no known data set; name it with --kind "
                     f"({', '.join(LAYOUTS)}) to see what is missing")  # fmt: skip


def _found(folder: Path) -> Layout | None:
    """The data set of which an annotation file lies in ``folder``."""
    for layout in LAYOUTS.values():
        if any((folder / form.path).is_file() for part in layout.parts for form in part.files):
            return layout
    return None


def _annotations(folder: Path, layout: Layout, part: Part, findings: list[Finding]) -> HoiAnnotations | None:
    """Add the finding on a part's annotations; return them if they can be read."""
    for form in part.files:
        if not (folder / form.path).is_file():
            continue
        try:
            annotations = form.read(folder / form.path)
        except VideohoiError as error:
            findings.append(Finding(f"{part.name} annotations", "broken", str(error), layout.annotations_from,
                                    part.required))  # fmt: skip
            return None
        findings.append(_counted(part, form, annotations))
        return annotations
    if part.required:
        findings.append(Finding(f"{part.name} annotations", "missing", _expected(part), layout.annotations_from))
    return None


def _expected(part: Part) -> str:
    return " or ".join(dict.fromkeys(Path(form.path).name for form in part.files))


def _labels(folder: Path, layout: Layout, part: Part, annotations: HoiAnnotations | None) -> list[Finding]:
    """The finding on labels of whole pictures, for a data set that has them; they are never required."""
    name = f"{part.name} image labels"
    for path, reader in part.labels:
        if (folder / path).is_file():
            try:
                labels = reader(folder / path)
            except VideohoiError as error:
                return [Finding(name, "broken", str(error), layout.annotations_from, required=False)]
            lacking = set(() if annotations is None else annotations.file_names) - set(labels.file_names)
            detail = f"{path}: {len(labels.file_names)} pictures, {int(labels.positive.sum())} positive labels"
            status = "differs" if lacking else "ok"
            detail += f"; {len(lacking)} annotated pictures are not in it, as {min(lacking)}" if lacking else ""
            return [Finding(name, status, detail, required=False)]
    wanted = " or ".join(dict.fromkeys(Path(path).name for path, _ in part.labels))
    detail = f"{wanted} (optional, for scores with known objects)"
    return [Finding(name, "missing", detail, layout.annotations_from, required=False)] if part.labels else []


def _counted(part: Part, form: Form, annotations: HoiAnnotations) -> Finding:
    detail = (f"{form.path}: {len(annotations)} pictures, {annotations.pair_count} pairs, "
              f"{len(annotations.empty_images)} without pairs")  # fmt: skip
    notes = [(f"{what}", count) for what, count in annotations.left_out]
    notes += [("labels without box", len(annotations.unboxed)),
              ("boxes beyond their picture", annotations.outside_picture())]  # fmt: skip
    detail += "".join(f", {count} {what}" for what, count in notes if count)
    published = form.published
    wanted = [(published.images, len(annotations), "pictures"), (published.pairs, annotations.pair_count, "pairs")]
    differing = [f"{expected} {what}" for expected, found, what in wanted if expected is not None and expected != found]
    if not differing:
        return Finding(f"{part.name} annotations", "ok", detail, required=part.required)
    return Finding(f"{part.name} annotations", "differs", f"{detail}; published are {', '.join(differing)} "
                   f"({published.source})", required=part.required)  # fmt: skip


def _pictures(folder: Path, layout: Layout, part: Part, annotations: HoiAnnotations | None) -> Finding:
    name = f"{part.name} pictures"
    there = next((place for place in part.pictures if (folder / place).is_dir()), None)
    if there is None:
        return Finding(name, "missing", f"folder {part.pictures[0]}/", layout.pictures_from, part.required)
    if annotations is None:
        return Finding(name, "ok", f"{there}/ is there; not compared without annotations", required=part.required)
    found = _stems(folder / there)
    lacking = [file for file in annotations.file_names if os.path.splitext(file)[0] not in found]  # noqa: PTH122
    if not lacking:
        return Finding(name, "ok", f"{there}/: all {len(annotations)}", required=part.required)
    named = ", ".join(lacking[:NAMED]) + (", ..." if len(lacking) > NAMED else "")
    return Finding(name, "missing", f"{there}/: {len(lacking)} of {len(annotations)}: {named}", layout.pictures_from,
                   part.required)  # fmt: skip


def _stems(folder: Path) -> set[str]:
    """Files below ``folder`` by relative path without ending: VidHOI's frames come as .png or .jpg."""
    stems = set()
    for base, _, files in os.walk(folder):
        inside = Path(base).relative_to(folder)
        stems |= {(inside / file).with_suffix("").as_posix() for file in files}
    return stems


def _filters(annotations: HoiAnnotations) -> tuple[TrainingFilter, ...]:
    if annotations.vocabulary != hico_det():
        return ()
    return tuple(training_filter(annotations, split) for split in hico_splits().values())
