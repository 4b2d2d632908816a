"""``videohoi annotate``: inputs one after another, a progress bar, a summary."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from videohoi.commands.summary import show_summary
from videohoi.decode.inputs import InputItem, list_inputs
from videohoi.errors import InputError, ModelError, UsageError, VideohoiError
from videohoi.names import counted
from videohoi.pipeline.annotate import AnnotatedVideo, annotate
from videohoi.pipeline.interrupts import Interrupt, interrupts_raise, interrupts_wait
from videohoi.pipeline.model_stages import check_model, finds_boxes
from videohoi.pipeline.pipeline import Pipeline
from videohoi.pipeline.progress import FrameProgress
from videohoi.pipeline.result_folders import OUTPUT_SUFFIX, Job, is_done, plan_jobs
from videohoi.pipeline.settings import DetectSettings, base_config

EXIT_OK, EXIT_FAILED, EXIT_SOME_FAILED = 0, 1, 3


@dataclass(frozen=True)
class AnnotateRequest:
    """The command line of ``videohoi annotate``."""

    inputs: tuple[str, ...]
    out: Path | None
    detector: str | None
    config: str
    settings: tuple[str, ...]
    overlay: bool
    resume: bool
    quiet: bool
    model: str | None = None
    weights: Path | None = None
    clip_weights: str | None = None
    words: str | None = None
    whole_hash: bool = False

    def overrides(self) -> list[str]:
        """Settings in the order in which they are laid over each other."""
        named = (
            ("detect.detector", self.detector),
            ("model.name", self.model),
            ("model.weights", self.weights),
            ("model.clip_weights", self.clip_weights),
            ("model.words", self.words),
        )
        return [*self.settings, *(f"{key}={json.dumps(str(value))}" for key, value in named if value is not None)]


def run_annotate(request: AnnotateRequest) -> int:
    """Annotate every input; returns the exit code. One line on stderr for each input that failed.

    Raises:
        VideohoiError: nothing could be started (unknown option value, no input).
    """
    pipeline = Pipeline.from_config(request.config, request.overrides())
    check_model(pipeline.config)
    _check_detector(pipeline.config, request.detector)
    with interrupts_wait() as interrupt, pipeline:  # a second Ctrl-C must not cut the summary short
        return _Batch(pipeline, request).run(interrupt)


def _check_detector(config: Any, typed: str | None) -> None:
    """Refuse a detector on the command line for a method that has its own; in the settings the default is ignored."""
    model = base_config(config).model
    if typed == DetectSettings.detector and finds_boxes(model):
        raise UsageError(f"model {model.name} finds its own boxes; leave --detector {typed} out")


class _Batch:
    """Annotates inputs one after another and keeps their results."""

    def __init__(self, pipeline: Pipeline, request: AnnotateRequest) -> None:
        self._pipeline, self._request = pipeline, request
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True)
        self._done: list[AnnotatedVideo] = []
        self._skipped = self._not_started = 0
        self._failures: list[VideohoiError] = []

    def run(self, interrupt: Interrupt) -> int:
        """Annotate all inputs; an interrupt raises while inputs are listed and videos run, else it is noted."""
        with interrupts_raise():
            items = self._list_inputs()
        jobs = plan_jobs(items, self._request.out)
        for note in (job.note for job in jobs if job.note and not self._request.quiet):
            self._complain(note)
        with FrameProgress(self._errors, hidden=self._request.quiet) as progress:
            for number, job in enumerate(jobs, 1):
                self._not_started = len(jobs) - number
                if self._request.resume and self._is_done(job):
                    self._skipped += 1
                elif not self._annotate(job, progress, _title(job.item, number, len(jobs))):
                    break
                if interrupt.came:
                    break
        return self._conclude(interrupt.came)

    def _list_inputs(self) -> list[InputItem]:
        """The inputs of all arguments; a wrong argument is reported and the others are annotated."""
        good: list[str] = []
        for spec in self._request.inputs:
            try:
                list_inputs([spec])
            except InputError as error:
                self._fail(error)
            else:
                good.append(spec)
        items = self._without_results(list_inputs(good)) if good else []
        live = [item.label for item in items if item.live]
        if live:
            raise UsageError(f"{live[0]}: annotate is for recorded video; a camera or stream has no end")
        return items

    def _without_results(self, items: list[InputItem]) -> list[InputItem]:
        """Leave out overlays of earlier runs that a pattern such as ``**/*.mp4`` matched, unless they are named."""
        named = set(self._request.inputs)
        results = {
            item.label
            for item in items
            if item.label not in named and any(part.endswith(OUTPUT_SUFFIX) for part in Path(item.label).parts[:-1])
        }
        if results and not self._request.quiet:
            self._complain(f"left out {counted(len(results), 'result')} of earlier runs, such as {min(results)}")
        return [item for item in items if item.label not in results]

    def _is_done(self, job: Job) -> bool:
        request = self._request
        return is_done(job.folder, self._pipeline, job.item, overlay=request.overlay, whole_hash=request.whole_hash)

    def _annotate(self, job: Job, progress: FrameProgress, title: str) -> bool:
        """Annotate one input; False if the inputs that follow must not be started."""
        try:
            with progress.video(title) as advance, interrupts_raise():
                done = annotate(
                    self._pipeline, job.item, job.folder,
                    overlay=self._request.overlay, whole_hash=self._request.whole_hash, progress=advance,
                )  # fmt: skip
            self._done.append(done)
        except VideohoiError as error:
            self._fail(error)
            return not isinstance(error, (UsageError, ModelError))
        return not self._done[-1].interrupted

    def _fail(self, error: VideohoiError) -> None:
        self._failures.append(error)
        self._complain(str(error))

    def _complain(self, message: str) -> None:
        self._errors.print(f"videohoi: {' '.join(message.split())}", markup=False)

    def _conclude(self, interrupted: bool) -> int:
        """Show the summary; gives the exit code."""
        if not self._request.quiet:
            failed = len(self._failures)
            console = Console(highlight=False)
            show_summary(console, self._done, skipped=self._skipped, failed=failed, not_started=self._not_started)
        if self._done and self._done[-1].interrupted:
            self._complain(f"interrupted; what was processed is in {self._done[-1].folder}")
            return EXIT_FAILED
        if interrupted:
            raise KeyboardInterrupt
        if not self._failures:
            return EXIT_OK
        return EXIT_SOME_FAILED if self._done or self._skipped else self._failures[0].exit_code


def _title(item: InputItem, number: int, count: int) -> str:
    name = Path(item.label).name
    return name if count == 1 else f"[{number}/{count}] {name}"
