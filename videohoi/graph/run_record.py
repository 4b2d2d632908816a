"""The record of a run: which frames were read, and which were dropped where.

The record is JSON lines: a header, then one line for each item read and one for each drop, in the order in which they
happened, then an end::

    {"schema": "videohoi.run_record", "version": 1, "plan": "decode |latest| detect", "source": "door"}
    ["read", 12, 0.48, 3034512]           frame index, its time in seconds, checksum of its picture
    ["drop", 0, 12, 12]                   edge number, ordinal of the item among those put there, frame index
    ["stale", 0, 14, 14]                  the same, for an item older than the staleness budget
    ["end", {"read": 480, "source_ended": false, "cut": false, "put": [480]}]      put: items that came to each edge

Items that are not frames have null for index, time and checksum. Kept items have no line. A minute of video at 30
frames/s is about 70 KB.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from videohoi.errors import InputError
from videohoi.graph.edge import Loss
from videohoi.graph.node import frame_of

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


Losses = Mapping[int, tuple[Loss, int | None]]
"""ordinal of an item on an edge -> how it was lost, and its frame index"""


@dataclass(frozen=True)
class RunRecord:
    """What ``Graph(record_to=path)`` wrote."""

    path: Path
    plan: str
    """``Graph.describe()`` of the recorded graph"""
    source_id: str
    identities: tuple[Identity, ...]
    """of each item read"""
    losses: Mapping[int, Losses]
    """by edge number"""
    put: tuple[int, ...]
    """items that came to each edge, lost ones included"""
    source_ended: bool
    """by itself; False when the run was stopped or failed"""
    cut: bool
    """items in flight were lost at the end (a failure, a hard stop)"""

    @staticmethod
    def load(path: Path | str) -> RunRecord:
        """Read a record.

        Raises ``InputError`` for a file that cannot be read, is no record, or has no end since its run was killed.
        """
        path = Path(path)
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: not readable as a run record ({error}); expected a file of record_to") from error
        return _Reader(path).record(lines)


class _Reader:
    """Parses a record, line by line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identities: list[Identity] = []
        self._losses: dict[int, dict[int, tuple[Loss, int | None]]] = {}
        self._end: dict[str, Any] | None = None

    def record(self, lines: list[str]) -> RunRecord:
        try:
            header = json.loads(lines[0])
            if (header["schema"], header["version"]) != (SCHEMA, VERSION):
                raise ValueError(f"schema {header['schema']} version {header['version']}")
            plan, source_id = str(header["plan"]), str(header["source"])
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{self._path}: no run record ({error}); expected {SCHEMA} version {VERSION}, as record_to writes it"
            ) from error
        self._take_lines(lines[1:])
        if self._end is None or self._end.get("read") != len(self._identities):
            raise InputError(f"{self._path}: the record has no end, so its run was killed: record the run again")
        put = tuple(map(int, self._end.get("put", ())))
        ended, cut = bool(self._end.get("source_ended")), bool(self._end.get("cut"))
        return RunRecord(self._path, plan, source_id, tuple(self._identities), self._losses, put, ended, cut)

    def _take_lines(self, lines: list[str]) -> None:
        for number, line in enumerate(lines, start=2):
            try:
                self._take(*json.loads(line))
            except (TypeError, ValueError) as error:
                raise InputError(
                    f"{self._path}, line {number}: not a line of a run record ({error}); record the run again"
                ) from error

    def _take(self, kind: str, *values: Any) -> None:
        if kind == "read":
            index, pts_seconds, picture = values
            self._identities.append((index, pts_seconds, picture))
        elif kind in ("drop", "stale"):
            edge, ordinal, index = values
            loss: Loss = "drop" if kind == "drop" else "stale"
            self._losses.setdefault(int(edge), {})[int(ordinal)] = (loss, index)
        elif kind == "end":
            (self._end,) = values
        else:
            raise ValueError(f"unknown kind {kind!r}")
