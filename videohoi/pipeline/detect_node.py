"""The detect stage: several frames in flight, results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from queue import SimpleQueue
from typing import Any

from videohoi.detect.protocol import Detector
from videohoi.errors import StageError, UsageError
from videohoi.graph import BaseNode
from videohoi.structures import Detections, Frame, FrameResult, SourceInfo

NAME = "detect"


class DetectNode(BaseNode[Frame, FrameResult]):
    """Humans and objects of a frame.

    With several detectors, which must be alike, each works on a frame of its own: on a CPU two single-threaded engines
    do more frames than one engine with two threads, which wait for each other at every layer. A result then leaves
    after as many later frames as there are detectors.
    """

    def __init__(self, detectors: Sequence[Detector]) -> None:
        """``detectors``: one or more, not yet opened; none is a ``UsageError``."""
        super().__init__(NAME)
        if not detectors:
            raise UsageError("detect.workers: expected 1 or more detectors side by side")
        self._detectors = tuple(detectors)
        self._idle: SimpleQueue[Detector] = SimpleQueue()
        self._workers: ThreadPoolExecutor | None = None
        self._in_flight: deque[tuple[Frame, Future[Detections]]] = deque()

    def open(self, info: SourceInfo) -> None:
        """Load the weights."""
        self._idle = SimpleQueue()
        for detector in self._detectors:
            detector.open()
            self._idle.put(detector)
        if len(self._detectors) > 1:
            self._workers = ThreadPoolExecutor(len(self._detectors), thread_name_prefix=f"videohoi: {NAME}")

    def process(self, item: Frame) -> Iterable[FrameResult]:
        """The frame or an earlier one with its detections, or nothing yet."""
        if self._workers is None:
            return (FrameResult(item, detections=self._detectors[0].detect([item])[0]),)
        self._in_flight.append((item, self._workers.submit(self._detect, item)))
        return (self._oldest(),) if len(self._in_flight) > len(self._detectors) else ()

    def drain(self) -> Iterator[FrameResult]:
        """The frames still in flight."""
        while self._in_flight:
            yield self._oldest()

    def reset(self) -> None:
        """Forget what is in flight."""
        self._in_flight.clear()

    def facts(self) -> dict[str, Any]:
        """Which detector it is, and how many run side by side; known after ``open``."""
        return {"detector": {**asdict(self._detectors[0].info), "workers": len(self._detectors)}}

    def close(self, *, complete: bool) -> None:
        """Free the engines; waits for the frames that are being worked on."""
        self._in_flight.clear()
        if self._workers is not None:
            self._workers.shutdown(cancel_futures=True)
            self._workers = None
        for detector in self._detectors:
            detector.close()

    def _detect(self, frame: Frame) -> Detections:
        detector = self._idle.get()
        try:
            return detector.detect([frame])[0]
        finally:
            self._idle.put(detector)

    def _oldest(self) -> FrameResult:
        frame, future = self._in_flight.popleft()
        try:
            return FrameResult(frame, detections=future.result())
        except Exception as cause:
            raise StageError(NAME, frame.source_id, frame.index, cause) from cause
