"""A sink that reports progress and collects the segments of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
