"""segments.csv: one row for each finished interaction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from videohoi.files import AtomicFile
from videohoi.sink.csv_rows import csv_bytes
from videohoi.sink.rounding import CSV_TIME_DIGITS, SCORE_DIGITS, Rounding
from videohoi.sink.segment_builder import RunSegments
from videohoi.structures import FrameResult, Segment, SourceInfo

COLUMNS = (
    "human_id", "verb", "object_id", "object_class", "begin_seconds", "end_seconds", "score", "peak_score", "kind",
    "source_id",
)  # fmt: skip


class SegmentsCsv:
    """Writes the segments of a run, sorted by (begin, human, object, verb), when the run is over."""

    name = "segments_csv"

    def __init__(self, path: Path | str, segments: RunSegments | None = None) -> None:
        """``segments``: those of the run, shared with other sinks of its branch; None: its own, all of kind "state"."""
        self.path = Path(path)
        self._file = AtomicFile(path)
        self._segments = segments or RunSegments()

    def open(self, info: SourceInfo, header: dict[str, Any]) -> None:
        """Begin; raises ``SinkError`` when ``path`` cannot be written."""
        self._file.open()
        self._segments.clear()

    def process(self, result: FrameResult) -> None:
        """Take the events of one frame."""
        self._segments.take(result)

    def close(self, *, complete: bool) -> None:
        """Write all rows; interactions still open end at the last time they are known to hold."""
        if self._file.is_open:
            self._file.write(csv_bytes([COLUMNS, *_rows(self._segments.close())]))
            self._file.commit()

    def abort(self) -> None:
        """Leave nothing."""
        self._file.abort()


def _order(segment: Segment) -> tuple[float, int, int, str]:
    return segment.begin_seconds, segment.human_id, segment.object_id, segment.verb


def _rows(segments: list[Segment]) -> list[tuple[object, ...]]:
    field = Rounding().field
    return [
        (
            s.human_id, s.verb, s.object_id, s.object_class,
            field(s.begin_seconds, CSV_TIME_DIGITS), field(s.end_seconds, CSV_TIME_DIGITS),
            field(s.score, SCORE_DIGITS), field(s.peak_score, SCORE_DIGITS), s.kind, s.source_id,
        )
        for s in sorted(segments, key=_order)
    ]  # fmt: skip
