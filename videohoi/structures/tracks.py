"""Identity of the detections of one frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.structures.checks import require_dtype, require_shape


@dataclass(frozen=True)
class Tracks:
    """Track ids in the SAME row order as the frame's detections."""

    track_ids: NDArray[np.int64]
    """(N,) id of each detection row; -1 = unconfirmed"""
    class_ids: NDArray[np.int64]
    """(N,) class voted over the track's life; the detection's own class where unconfirmed"""
    lost_ids: tuple[int, ...] = ()
    """tracks not seen in this frame but still waited for"""
    ended_ids: tuple[int, ...] = ()
    """tracks given up in this frame; these ids never return"""

    def __post_init__(self) -> None:
        require_shape("Tracks", "track_ids", self.track_ids, (None,))
        require_shape("Tracks", "class_ids", self.class_ids, (len(self.track_ids),))
        require_dtype("Tracks", "track_ids", self.track_ids, np.int64)
        require_dtype("Tracks", "class_ids", self.class_ids, np.int64)

    def __len__(self) -> int:
        return len(self.track_ids)

    @staticmethod
    def empty() -> Tracks:
        """No detection, no track."""
        return Tracks(np.zeros(0, np.int64), np.zeros(0, np.int64))
