"""``videohoi annotate``: inputs one after another, a progress bar, a summary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from videohoi.commands.summary import show_summary
from videohoi.decode.inputs import InputItem, list_inputs
from videohoi.errors import UsageError, VideohoiError
from videohoi.pipeline.annotate import REPORT_FILE, AnnotatedVideo, annotate, output_folder
from videohoi.pipeline.pipeline import Pipeline

EXIT_OK, EXIT_FAILED, EXIT_SOME_FAILED = 0, 1, 3


@dataclass(frozen=True)
class AnnotateRequest:
    """What was typed."""

    inputs: tuple[str, ...]
    out: Path | None
    detector: str | None
    config: str
    settings: tuple[str, ...]
    overlay: bool
    resume: bool
    quiet: bool


def run_annotate(request: AnnotateRequest) -> int:
    """Annotate every input; returns the exit code. One line on stderr for each input that failed.

    Raises:
        VideohoiError: nothing could be started (unknown option value, no input).
    """
    overrides = list(request.settings)
    if request.detector is not None:
        overrides.append(f"detect.detector={json.dumps(request.detector)}")
    pipeline = Pipeline.from_config(request.config, overrides)
    items = list_inputs(list(request.inputs))
    live = [item.label for item in items if item.live]
    if live:
        raise UsageError(f"{live[0]}: annotate is for recorded video; a camera or stream has no end")
    jobs = _jobs(items, request.out)
    return _run_all(pipeline, jobs, request)


def _jobs(items: Sequence[InputItem], out: Path | None) -> list[tuple[InputItem, Path]]:
    jobs = [(item, output_folder(item, out)) for item in items]
    folders = [folder for _, folder in jobs]
    for item, folder in jobs:
        if folders.count(folder) > 1:
            raise UsageError(f"{item.label}: another input has the same name and would write to {folder}; rename one")
    return jobs


def _run_all(pipeline: Pipeline, jobs: Sequence[tuple[InputItem, Path]], request: AnnotateRequest) -> int:
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    done: list[AnnotatedVideo] = []
    skipped, failed, first_error = 0, 0, None
    with _progress_bar(quiet=request.quiet) as progress:
        for number, (item, folder) in enumerate(jobs, 1):
            if request.resume and _is_done(folder, pipeline):
                skipped += 1
                continue
            task = progress.add_task(_title(item, number, len(jobs)), total=None)
            try:
                done.append(_annotate(pipeline, item, folder, request, progress, task))
            except VideohoiError as error:
                failed, first_error = failed + 1, first_error or error
                errors.print(f"videohoi: {' '.join(str(error).split())}", markup=False)
            progress.remove_task(task)
            if done and done[-1].interrupted:
                break
    if not request.quiet:
        show_summary(Console(highlight=False), done, pipeline, skipped=skipped, failed=failed)
    if done and done[-1].interrupted:
        errors.print(f"videohoi: interrupted; what was processed is in {done[-1].folder}", markup=False)
        return EXIT_FAILED
    if first_error is not None:
        return EXIT_SOME_FAILED if len(jobs) > 1 and failed < len(jobs) else first_error.exit_code
    return EXIT_OK


def _annotate(
    pipeline: Pipeline, item: InputItem, folder: Path, request: AnnotateRequest, progress: Progress, task: TaskID
) -> AnnotatedVideo:
    def advance(frames_done: int, frames_expected: int | None) -> None:
        progress.update(task, completed=frames_done, total=frames_expected)

    return annotate(pipeline, item, folder, overlay=request.overlay, progress=advance)


def _progress_bar(*, quiet: bool) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("frames"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet)


def _title(item: InputItem, number: int, count: int) -> str:
    name = Path(item.label).name
    return name if count == 1 else f"[{number}/{count}] {name}"


def _is_done(folder: Path, pipeline: Pipeline) -> bool:
    """The folder's report says complete, under the same settings."""
    try:
        report = json.loads((folder / REPORT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(report.get("complete")) and report.get("config_sha256") == pipeline.header()["config_sha256"]
