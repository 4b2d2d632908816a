"""Identity of the detections of one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.structures import interop
from videohoi.structures.checks import require_dtype, require_shape, short
from videohoi.structures.detections import Detections


@dataclass(frozen=True, repr=False)
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
    confidence: NDArray[np.float32] | None = None
    """(N,) how sure each row is: of a track its best recent score, else the detection's own; None: not computed"""

    def __post_init__(self) -> None:
        require_shape("Tracks", "track_ids", self.track_ids, (None,))
        require_shape("Tracks", "class_ids", self.class_ids, (len(self.track_ids),))
        require_dtype("Tracks", "track_ids", self.track_ids, np.int64)
        require_dtype("Tracks", "class_ids", self.class_ids, np.int64)
        if self.confidence is not None:
            require_shape("Tracks", "confidence", self.confidence, (len(self.track_ids),))
            require_dtype("Tracks", "confidence", self.confidence, np.float32)

    def __len__(self) -> int:
        return len(self.track_ids)

    @property
    def confirmed(self) -> NDArray[np.bool_]:
        """(N,) rows that have a track id."""
        return self.track_ids >= 0

    def __repr__(self) -> str:
        confirmed = int(np.count_nonzero(self.confirmed))
        return f"Tracks(n={len(self)}, confirmed={confirmed}, track_ids={short(self.track_ids)}, lost={self.lost_ids})"

    def to_supervision(self, detections: Detections, objects: Sequence[str] | None = None) -> Any:
        """``supervision.Detections`` of ``detections``, the rows these tracks belong to, with voted classes and ids.

        Raises:
            UsageError: the rows do not fit, or supervision is not installed.
        """
        if len(detections) != len(self):
            raise UsageError(f"{len(self)} rows of tracks do not belong to {len(detections)} detections")
        return interop.to_supervision(replace(detections, class_ids=self.class_ids), self.track_ids, objects)

    @staticmethod
    def from_supervision(value: Any, objects: Sequence[str] | None = None) -> Tracks:
        """Ids of ``supervision.Detections``, -1 where it has none; errors and ``objects`` as for ``Detections``."""
        interop.boxes_from_supervision(value)
        return Tracks(interop.track_ids_from_supervision(value), interop.classes_from_supervision(value, objects))

    @staticmethod
    def empty() -> Tracks:
        """No detection, no track."""
        return Tracks(np.zeros(0, np.int64), np.zeros(0, np.int64))
