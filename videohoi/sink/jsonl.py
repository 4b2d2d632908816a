"""events.jsonl and frames.jsonl: one JSON object a line, from a header record to an end record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from videohoi.errors import SinkError
from videohoi.files import AtomicFile
from videohoi.sink.records import Record, event_record, frame_record, header_record
from videohoi.sink.rounding import TIME_DIGITS, Rounding
from videohoi.structures import FrameResult, SourceInfo
from videohoi.vocabulary import Vocabulary


class RecordFile:
    """A file of JSON Lines that begins with a header record and finishes with an end record.

    Lines reach the operating system as they are written, so a crash leaves valid lines in the partial file.
    """

    def __init__(self, path: Path | str, contents: str) -> None:
        """``contents``: "events" or "frames", for the header record."""
        self.rounding = Rounding()
        self._contents = contents
        self._file = AtomicFile(path)
        self._frames = 0
        self._records = 0
        self._pts_range_seconds: list[float] = []

    def open(self, info: SourceInfo, header: dict[str, Any]) -> None:
        """Begin with the header record; raises ``SinkError`` when the path cannot be written."""
        self._file.open()
        self.rounding = Rounding()
        self._frames = self._records = 0
        self._pts_range_seconds = []
        self._write([header_record(self._contents, info, header)])

    def add(self, result: FrameResult, records: list[Record]) -> None:
        """Write what one frame has to say, which may be nothing."""
        self._write(records)
        pts_seconds = round(float(result.frame.pts_seconds), TIME_DIGITS)
        self._pts_range_seconds = [*self._pts_range_seconds[:1], pts_seconds]
        self._frames += 1
        self._records += len(records)

    def close(self, *, complete: bool) -> None:
        """Write the end record and give the file its name.

        Where the end record cannot be written (full disk), the whole lines before it still get their name, and the
        ``SinkError`` is raised: a file without an end record is one that was cut off.
        """
        if not self._file.is_open:
            return
        try:
            self._write([self._end_record(complete)])
        finally:
            self._file.commit()

    def abort(self) -> None:
        """Leave nothing."""
        self._file.abort()

    def _end_record(self, complete: bool) -> Record:
        pts_range = self._pts_range_seconds
        return {
            "type": "end",
            "complete": complete,
            "frames": self._frames,
            "records": self._records,
            "first_pts_seconds": pts_range[0] if pts_range else None,
            "last_pts_seconds": pts_range[-1] if pts_range else None,
            "non_finite": self.rounding.non_finite,
        }

    def _write(self, records: list[Record]) -> None:
        if not records:
            return
        try:
            lines = [json.dumps(record, separators=(",", ":"), allow_nan=False) for record in records]
        except ValueError as error:
            raise SinkError(f"cannot write {self._file.path}: a time of the result is NaN or infinite") from error
        self._file.write("".join(f"{line}\n" for line in lines).encode("ascii"))


class EventsJsonl:
    """Writes each ``InteractionEvent`` as it is decided."""

    name = "events_jsonl"

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._file = RecordFile(path, "events")

    def open(self, info: SourceInfo, header: dict[str, Any]) -> None:
        """Begin; raises ``SinkError`` when ``path`` cannot be written."""
        self._file.open(info, header)

    def process(self, result: FrameResult) -> None:
        """Write the events of one frame."""
        self._file.add(result, [event_record(event, self._file.rounding) for event in result.events])

    def close(self, *, complete: bool) -> None:
        """Write the end record and give the file its name."""
        self._file.close(complete=complete)

    def abort(self) -> None:
        """Leave nothing."""
        self._file.abort()


class FramesJsonl:
    """Writes each frame's detections, track ids and the interactions that are on."""

    name = "frames_jsonl"

    def __init__(self, path: Path | str, vocabulary: Vocabulary) -> None:
        """``vocabulary`` names classes and verbs."""
        self.path = Path(path)
        self.vocabulary = vocabulary
        self._file = RecordFile(path, "frames")

    def open(self, info: SourceInfo, header: dict[str, Any]) -> None:
        """Begin; raises ``SinkError`` when ``path`` cannot be written."""
        self._file.open(info, header)

    def process(self, result: FrameResult) -> None:
        """Write the record of one frame."""
        self._file.add(result, [frame_record(result, self.vocabulary, self._file.rounding)])

    def close(self, *, complete: bool) -> None:
        """Write the end record and give the file its name."""
        self._file.close(complete=complete)

    def abort(self) -> None:
        """Leave nothing."""
        self._file.abort()
