"""The compiled form of BYTE's public tracker: its arrays, and room for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.track import _original_layout as layout
from videohoi.track._original_kernels import step_kernel
from videohoi.track.original_config import OriginalByteConfig

FIRST_SIZE = 64
"""tracks and rows there is room for at first; the room doubles when it is used up"""


class CompiledOriginal:
    """Same interface and answers as ``original_plain.PlainOriginal``."""

    def __init__(self, config: OriginalByteConfig, next_id: int = 1) -> None:
        self._settings = np.zeros(5)
        self._settings[layout.TRACK_THRESH] = config.track_thresh
        self._settings[layout.NEW_THRESH] = config.new_thresh
        self._settings[layout.MATCH_THRESH] = config.match_thresh
        self._settings[layout.MAX_LOST] = config.max_lost_frames
        self._settings[layout.FUSED] = not config.mot20
        self._header = np.zeros(layout.HEADER, np.int64)
        self._header[layout.NEXT_ID] = next_id
        self._held = 0
        self._size = FIRST_SIZE
        self._ints, self._floats, self._motion = _arrays(FIRST_SIZE)

    def step(
        self, boxes: NDArray[np.float64], scores: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        """Ids (K,), boxes (K, 4) and input rows (K,) of what is followed in this frame."""
        need = self._held + len(scores)
        if need > self._size:
            self._make_room(need)
        ids, at, rows, self._held = step_kernel(
            self._settings, self._header, self._ints, self._floats, self._motion, boxes, scores
        )
        return ids, at, rows

    @property
    def next_id(self) -> int:
        """The id the next new track gets."""
        return int(self._header[layout.NEXT_ID])

    @property
    def track_count(self) -> int:
        """Tracks that may still be seen."""
        return self._held

    @property
    def lost_ids(self) -> tuple[int, ...]:
        """Not seen in the last frame, still waited for."""
        slots = self._ints[layout.LOST, : self._header[layout.LOST_COUNT]]
        return tuple(self._ints[layout.ID, slots].tolist())

    @property
    def ended_ids(self) -> tuple[int, ...]:
        """Given up in the last frame."""
        return tuple(self._ints[layout.ENDED, : self._header[layout.ENDED_COUNT]].tolist())

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
        np.zeros((size, layout.MOTION)),
    )
