"""A sink that reports progress and collects the segments of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from videohoi.sink.segment_builder import SegmentBuilder
from videohoi.structures import FrameResult, Segment, SourceInfo

Progress = Callable[[int, int | None], None]
"""called with (frames done, frames expected or None); the expectation is the container's estimate"""


class Watch:
    """Calls ``progress`` once at the start and after each frame."""

    name = "watch"

    def __init__(self, momentary_verbs: frozenset[str], progress: Progress | None = None) -> None:
        """``momentary_verbs``: see ``SegmentBuilder``."""
        self._builder = SegmentBuilder(momentary_verbs)
        self._progress = progress
        self.info: SourceInfo | None = None
        """None until opened"""
        self.segments: list[Segment] = []
        """finished ones; all of them after ``close``"""
        self.frames_done = 0

    def open(self, info: SourceInfo, header: dict[str, Any]) -> None:
        """Report the number of frames to expect."""
        self.info = info
        self._tell()

    def process(self, result: FrameResult) -> None:
        """Count a frame and collect its events."""
        self.segments += self._builder.feed(result.events)
        self.frames_done += 1
        self._tell()

    def close(self, *, complete: bool) -> None:
        """Finish the segments still open."""
        self.segments += self._builder.finish()

    def abort(self) -> None:
        """Nothing to remove: no file is written."""

    def _tell(self) -> None:
        if self._progress is not None and self.info is not None:
            self._progress(self.frames_done, self.info.frame_count)
