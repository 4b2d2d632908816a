"""The compiled form of the tracker: its arrays, and room for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.structures import Detections, Tracks
from videohoi.track import _byte_layout as layout
from videohoi.track._byte_kernels import step_kernel
from videohoi.track.byte_config import ByteConfig
from videohoi.track.byte_plain import Followed
from videohoi.track.clock import StampClock

FIRST_SIZE = 64
"""tracks and rows there is room for at first; the room doubles when it is used up"""


class CompiledByte:
    """Same interface and answers as ``byte_plain.PlainByte``."""

    def __init__(self, config: ByteConfig, human_class_id: int, next_id: int = 1) -> None:
        self._settings = np.array([getattr(config, name) for name in layout.SETTINGS], np.float64)
        self._human_class_id = human_class_id
        self._clock = np.zeros(layout.CLOCK)
        self._header = np.zeros(layout.HEADER, np.int64)
        self._header[layout.NEXT_ID] = next_id
        self._size = FIRST_SIZE
        self._ints, self._floats, self._motion = _arrays(FIRST_SIZE)

    def step(self, detections: Detections, clock: StampClock, jumped: bool) -> Followed:
        """The next frame, at the time of ``clock``; ``jumped`` ends all tracks before it."""
        need = self.track_count + len(detections)
        if need > self._size:
            self._make_room(need)
        times = self._clock
        times[layout.STEP], times[layout.NOW], times[layout.PREVIOUS] = (
            clock.dt_seconds,
            clock.now_seconds,
            clock.previous_seconds,
        )
        times[layout.JUMPED], times[layout.FIRST] = jumped, clock.at_first_frame
        # fresh arrays of one layout: another one would be compiled anew in the middle of a stream
        track_ids, class_ids, boxes = step_kernel(
            self._settings,
            self._clock,
            self._human_class_id,
            (self._header, self._ints, self._floats, self._motion),
            detections.boxes_xyxy_px.astype(np.float64, order="C"),
            detections.scores.astype(np.float64, order="C"),
            detections.class_ids.astype(np.int64, order="C"),
        )
        lost, ended = self._ids(layout.LOST, layout.LOST_COUNT), self._ids(layout.ENDED, layout.ENDED_COUNT)
        return Followed(Tracks(track_ids, class_ids, lost, ended), boxes)

    @property
    def next_id(self) -> int:
        """The id the next new track gets."""
        return int(self._header[layout.NEXT_ID])

    @property
    def track_count(self) -> int:
        """Tracks held, confirmed or not, seen or lost."""
        return int(self._header[layout.TRACKS])

    def _ids(self, row: int, count: int) -> tuple[int, ...]:
        held = int(self._header[count])
        return tuple(self._ints[row, :held].tolist()) if held else ()

    def _make_room(self, need: int) -> None:
        """Longer arrays with the same content; what is only working space starts empty."""
        size, before = self._size, self._size
        while size < need:
            size *= 2
        ints, floats, motion = _arrays(size)
        ints[: layout.KEPT_INTS, :before] = self._ints[: layout.KEPT_INTS, :before]
        floats[: layout.KEPT_FLOATS, :before] = self._floats[: layout.KEPT_FLOATS, :before]
        motion[:before] = self._motion
        self._ints, self._floats, self._motion, self._size = ints, floats, motion, size


def _arrays(size: int) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    return (
        np.zeros((layout.INT_ROWS, size + 1), np.int64),
        np.zeros((layout.FLOAT_ROWS, size + 1)),
        np.zeros((size, 4, 5)),
    )


def warm_up() -> None:
    """Compile (or load from the cache) the step."""
    engine = CompiledByte(ByteConfig(), 0)
    clock = StampClock(ByteConfig().min_dt_seconds, ByteConfig().lost_seconds)
    engine.step(Detections.empty(), clock, clock.tick(0.0))
