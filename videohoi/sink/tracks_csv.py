"""tracks.csv: one row for each tracked box of each frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from videohoi.files import AtomicFile
from videohoi.sink.csv_rows import csv_bytes
from videohoi.sink.frame_rows import detection_rows
from videohoi.sink.rounding import CSV_TIME_DIGITS, PIXEL_DIGITS, SCORE_DIGITS, Rounding
from videohoi.structures import FrameResult, SourceInfo
from videohoi.vocabulary import Vocabulary

COLUMNS = ("frame", "pts_seconds", "track_id", "object_class", "x1", "y1", "x2", "y2", "score")


class TracksCsv:
    """Writes boxes (source pixels) of confirmed tracks as they come; memory does not grow with the video."""

    name = "tracks_csv"

    def __init__(self, path: Path | str, vocabulary: Vocabulary) -> None:
        """``vocabulary`` names the classes."""
        self.path = Path(path)
        self.vocabulary = vocabulary
        self._file = AtomicFile(path)
        self._rounding = Rounding()

    def open(self, info: SourceInfo, header: dict[str, Any]) -> None:
        """Begin with the header row; raises ``SinkError`` when ``path`` cannot be written."""
        self._file.open()
        self._file.write(csv_bytes([COLUMNS]))

    def process(self, result: FrameResult) -> None:
        """Write the rows of one frame, in detection order."""
        rows = self._rows(result)
        if rows:
            self._file.write(csv_bytes(rows))

    def close(self, *, complete: bool) -> None:
        """Give the file its name."""
        self._file.commit()

    def abort(self) -> None:
        """Leave nothing."""
        self._file.abort()

    def _rows(self, result: FrameResult) -> list[tuple[object, ...]]:
        detections = detection_rows(result, self.vocabulary)
        field = self._rounding.field
        pts = field(result.frame.pts_seconds, CSV_TIME_DIGITS)
        return [
            (
                result.frame.index, pts, track_id, detections.names[row],
                *(field(corner, PIXEL_DIGITS) for corner in detections.boxes_xyxy_px[row]),
                field(detections.scores[row], SCORE_DIGITS),
            )
            for row, track_id in enumerate(detections.track_ids.tolist())
            if track_id >= 0
        ]  # fmt: skip
