"""How far a run is: counted by a sink, shown by a bar on a terminal or in a notebook."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from videohoi.sink.segment_builder import RunSegments
from videohoi.structures import FrameResult, Segment, SourceInfo

Progress = Callable[[int, int | None], None]
"""called with (frames done, frames expected or None); the expectation is the container's estimate"""


class Watch:
    """Calls ``progress`` once at the start and after each frame."""

    name = "watch"

    def __init__(self, segments: RunSegments, progress: Progress | None = None) -> None:
        """``segments``: those of the run, shared with its outputs."""
        self._run_segments = segments
        self._progress = progress
        self.info: SourceInfo | None = None
        """None until opened"""
        self.segments: tuple[Segment, ...] = ()
        """all of the run, after ``close``"""
        self.frames_done = 0

    def open(self, info: SourceInfo, header: dict[str, Any]) -> None:
        """Report the number of frames to expect."""
        self.info = info
        self._run_segments.clear()
        self._tell()

    def process(self, result: FrameResult) -> None:
        """Count a frame and collect its events."""
        self._run_segments.take(result)
        self.frames_done += 1
        self._tell()

    def close(self, *, complete: bool) -> None:
        """Finish the segments still open."""
        self.segments = tuple(self._run_segments.close())

    def abort(self) -> None:
        """Nothing to remove: no file is written."""

    def _tell(self) -> None:
        if self._progress is not None and self.info is not None:
            self._progress(self.frames_done, self.info.frame_count)


class FrameProgress:
    """A bar for each video; shown on terminals and in notebooks, never in files and pipes."""

    def __init__(self, console: Console, *, hidden: bool = False) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("frames"),
            TimeRemainingColumn(),
        )
        disabled = hidden or not _can_draw(console)
        self._bar = Bars(*columns, console=console, transient=True, disable=disabled)

    def __enter__(self) -> FrameProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    @contextmanager
    def video(self, title: str) -> Iterator[Progress]:
        """The bar of one video; gives the function that moves it."""
        task = self._bar.add_task(title, total=None)

        def advance(frames_done: int, frames_expected: int | None) -> None:
            # the container's count is an estimate: more frames than that may come
            total = None if frames_expected is None else max(frames_done, frames_expected)
            self._bar.update(task, completed=frames_done, total=total)

        try:
            yield advance
        finally:
            self._bar.remove_task(task)


def _can_draw(console: Console) -> bool:
    """Rich draws in notebooks with ipywidgets, and warns there without."""
    if console.is_jupyter:
        return importlib.util.find_spec("ipywidgets") is not None
    return console.is_terminal
