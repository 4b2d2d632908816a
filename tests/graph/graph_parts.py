"""Nodes and sources that write down what the runtime does to them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import numpy as np

from videohoi.graph import BaseNode, Graph
from videohoi.structures import Frame, SourceInfo

LIMIT_SECONDS = 20.0
"""a wait this long in a test means a hang"""


PatientGraph = functools.partial(Graph, drain_seconds=9 * LIMIT_SECONDS, stop_seconds=9 * LIMIT_SECONDS)
"""for tests of what happens without the help of a limit, however busy the machine is"""


def make_frames(count: int, source_id: str = "clip.mp4") -> list[Frame]:
    image = np.zeros((2, 2, 3), np.uint8)
    return [Frame(image, index, index / 25, source_id) for index in range(count)]


class ManualClock:
    """A clock that moves only when told."""

    def __init__(self, start_seconds: float = 0.0) -> None:
        self._seconds = start_seconds

    def now(self) -> float:
        """Seconds, as last set."""
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Move forward; raises ``ValueError`` on a negative step."""
        if seconds < 0:
            raise ValueError(f"a clock cannot go back: advance({seconds})")
        self._seconds += seconds


class RecordingNode(BaseNode):
    """Passes items on and writes down every call; ``fail_in`` names the call that raises."""

    def __init__(self, name: str, fail_in: str = "", fail_at: int = 0, error: Exception | None = None) -> None:
        super().__init__(name)
        self.calls: list[str] = []
        self.items: list[object] = []
        self.complete: bool | None = None
        self._fail_in, self._fail_at = fail_in, fail_at
        self._error = error or RuntimeError(f"{name} broke in {fail_in}")

    def _record(self, call: str) -> None:
        self.calls.append(call)
        if call == self._fail_in and (call != "process" or len(self.items) == self._fail_at):
            raise self._error

    def open(self, info: SourceInfo) -> None:
        self._record("open")

    def process(self, item: object) -> list[object]:
        self._record("process")
        self.items.append(item)
        return [item]

    def drain(self) -> list[object]:
        self._record("drain")
        return []

    def reset(self) -> None:
        self._record("reset")

    def close(self, *, complete: bool) -> None:
        self.complete = complete
        self._record("close")


class RecordingSource:
    """Yields items; can fail in open, while reading or in close; calls ``before(index)`` before each item."""

    def __init__(
        self, items: list, fail_in: str = "", fail_at: int = 0, before: Callable[[int], object] | None = None
    ) -> None:
        self.calls: list[str] = []
        self._items, self._fail_in, self._fail_at, self._before = items, fail_in, fail_at, before

    def _record(self, call: str) -> None:
        self.calls.append(call)
        if call == self._fail_in:
            raise OSError(f"source broke in {call}")

    def open(self) -> SourceInfo:
        self._record("open")
        return SourceInfo("clip.mp4", 2, 2, 25.0, len(self._items), None)

    def frames(self) -> Iterator[object]:
        for index, item in enumerate(self._items):
            if self._before is not None:
                self._before(index)
            if self._fail_in == "frames" and index == self._fail_at:
                raise OSError("source broke in frames")
            yield item

    def close(self) -> None:
        self._record("close")
