"""How far a run is, on a terminal or in a notebook."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from videohoi.pipeline import watch


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
        self._bar = Progress(*columns, console=console, transient=True, disable=disabled)

    def __enter__(self) -> FrameProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    @contextmanager
    def video(self, title: str) -> Iterator[watch.Progress]:
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
