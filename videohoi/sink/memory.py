"""Sinks that write no file: a list, and a function of the caller's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from videohoi.structures import FrameResult, SourceInfo


class ListSink:
    """Keeps results as they come, pictures included: for short clips and tests."""

    name = "list"

    def __init__(self) -> None:
        self.results: list[FrameResult] = []
        self.info: SourceInfo | None = None
        self.header: dict[str, Any] = {}
        self.complete: bool | None = None
        """None until closed"""

    def open(self, info: SourceInfo, header: dict[str, Any]) -> None:
        """Begin with an empty list."""
        self.results = []
        self.info, self.header, self.complete = info, dict(header), None

    def process(self, result: FrameResult) -> None:
        """Append one result."""
        self.results.append(result)

    def close(self, *, complete: bool) -> None:
        """Note whether the run went to its end."""
        self.complete = complete

    def abort(self) -> None:
        """Forget the results of a run that is not closed yet."""
        if self.complete is None:
            self.results = []


class CallbackSink:
    """Calls a function with each result. An exception of the function stops the run."""

    name = "callback"

    def __init__(self, callback: Callable[[FrameResult], object]) -> None:
        """``callback`` runs on the sink's thread: while it works, later results wait."""
        self.callback = callback

    def open(self, info: SourceInfo, header: dict[str, Any]) -> None:
        """Nothing to do."""

    def process(self, result: FrameResult) -> None:
        """Hand one result over."""
        self.callback(result)

    def close(self, *, complete: bool) -> None:
        """Nothing to do."""

    def abort(self) -> None:
        """Nothing to do."""
