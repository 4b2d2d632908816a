"""Writes down what a live run did with each frame, so that the run can be replayed; ``replay`` reads it.

The file is JSON lines: a header, then one line for each item read and one for each drop, in the order in which they
happened, then an end::

    {"schema": "videohoi.run_record", "version": 1, "plan": "decode |latest| detect", "source": "door"}
    ["read", 12, 0.48, 3034512]           frame index, its time in seconds, check sum of its picture
    ["drop", 0, 12, 12]                   edge number, ordinal of the item among those put there, frame index
    ["stale", 0, 14, 14]                  the same, for an item older than the staleness budget
    ["end", {"read": 480, "source_ended": false, "cut": false, "put": [480]}]      put: items that came to each edge

Items that are no frames have null for index, time and check sum. What is not dropped is kept, so nothing is written
for it. A minute of video at 30 frames/s is about 70 KB.
"""

from __future__ import annotations

import json
import math
import threading
import zlib
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from videohoi.errors import SinkError
from videohoi.graph.clock import Clock
from videohoi.graph.edge import Edge, EdgePolicy, Loss
from videohoi.graph.source import frame_of
from videohoi.graph.tape import Tape

SCHEMA, VERSION = "videohoi.run_record", 1
CHECKED_STEP_PX = 16
"""every 16th pixel of every 16th row enters the check sum: 20 us at 1080p, and two videos still differ in it"""

Identity = tuple[int | None, float | None, int | None]
"""frame index, pts_seconds, check sum of the picture; all None for an item that is no frame"""


def identity_of(item: object) -> Identity:
    """What must be equal when a record is replayed."""
    frame = frame_of(item)
    if frame is None:
        return (None, None, None)
    sample = np.ascontiguousarray(frame.image[::CHECKED_STEP_PX, ::CHECKED_STEP_PX])
    seconds = float(frame.pts_seconds)
    return (frame.index, seconds if math.isfinite(seconds) else None, zlib.crc32(sample.data))


class RecordingTape(Tape):
    """Writes ``path`` while the run goes; constant memory."""

    def __init__(self, path: Path | str, plan: str) -> None:
        self._path = Path(path)
        self._plan = plan
        self._lock = threading.Lock()
        self._file: IO[str] | None = None
        self._count = 0
        self._edges: list[Edge[Any]] = []

    def begin(self, source_id: str) -> None:
        """Create the file, in the place of one that was there."""
        header = {"schema": SCHEMA, "version": VERSION, "plan": self._plan, "source": source_id}
        try:
            self._file = self._path.open("w", encoding="utf-8")
        except OSError as error:
            raise self._error(error) from error
        self._write(header)

    def read(self, number: int, item: object) -> None:
        """Write which frame it is."""
        self._count = number + 1
        self._write(["read", *identity_of(item)])

    def edge(self, number: int, name: str, policy: EdgePolicy, clock: Clock) -> Edge[Any]:
        """An edge that tells what it drops."""
        edge: Edge[Any] = Edge(name, policy, clock, on_loss=partial(self._lost, number))
        self._edges.append(edge)
        return edge

    def finish(self, source_ended: bool, cut: bool) -> None:
        """Write the end and close the file; a thread left behind writes no more."""
        put = [edge.counts().put for edge in self._edges]
        self._write(["end", {"read": self._count, "source_ended": source_ended, "cut": cut, "put": put}])
        with self._lock:
            file, self._file = self._file, None
        try:
            if file is not None:
                file.close()
        except OSError as error:
            raise self._error(error) from error

    def _lost(self, edge: int, loss: Loss, ordinal: int, item: object) -> None:
        frame = frame_of(item)
        self._write([loss, edge, ordinal, None if frame is None else frame.index])

    def _write(self, line: object) -> None:
        text = json.dumps(line, separators=(",", ":")) + "\n"
        with self._lock:
            try:
                if self._file is not None:
                    self._file.write(text)
            except OSError as error:
                raise self._error(error) from error

    def _error(self, error: OSError) -> SinkError:
        return SinkError(f"cannot write the run record {self._path}: {error.strerror or error}; free or choose a place")
