"""Humans and objects found in one frame, and their identity over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.structures import interop
from videohoi.structures.checks import require_dtype, require_shape, short


@dataclass(frozen=True, repr=False)
class FeatureMap:
    """A detector's inner map, to be pooled over boxes by an interaction head."""

    values: NDArray[np.float32]
    """(C, h, w)"""
    cell_px: tuple[float, float]
    """source pixels a cell covers in x and y; cell (0, 0) starts at the picture's top-left corner"""

    def __post_init__(self) -> None:
        require_shape("FeatureMap", "values", self.values, (None, None, None))

    def __repr__(self) -> str:
        return f"FeatureMap(values.shape={self.values.shape}, cell_px={self.cell_px})"


@dataclass(frozen=True, repr=False)
class Detections:
    """N detections of one frame, parallel arrays."""

    boxes_xyxy_px: NDArray[np.float32]
    """(N, 4) corners in source pixels"""
    scores: NDArray[np.float32]
    """(N,) in [0, 1]"""
    class_ids: NDArray[np.int64]
    """(N,) rows of Vocabulary.objects"""
    feature_map: FeatureMap | None = None
    """the detector's inner map, when it offers one"""

    def __post_init__(self) -> None:
        require_shape("Detections", "boxes_xyxy_px", self.boxes_xyxy_px, (None, 4))
        count = len(self.boxes_xyxy_px)
        require_shape("Detections", "scores", self.scores, (count,))
        require_shape("Detections", "class_ids", self.class_ids, (count,))
        require_dtype("Detections", "boxes_xyxy_px", self.boxes_xyxy_px, np.float32)
        require_dtype("Detections", "scores", self.scores, np.float32)
        require_dtype("Detections", "class_ids", self.class_ids, np.int64)

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        return f"Detections(n={len(self)}, class_ids={short(self.class_ids)}, scores={short(self.scores)})"

    def select(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Detections:
        """The given rows (mask or indices), same feature map."""
        return Detections(self.boxes_xyxy_px[rows], self.scores[rows], self.class_ids[rows], self.feature_map)

    def to_supervision(self, objects: Sequence[str] | None = None) -> Any:
        """``supervision.Detections`` of the same rows; ``objects``: names of the class ids, for its labels.

        Raises:
            UsageError: supervision is not installed.
        """
        return interop.to_supervision(self, objects=objects)

    @staticmethod
    def from_supervision(value: Any, objects: Sequence[str] | None = None) -> Detections:
        """From ``supervision.Detections``; without a confidence the scores are 1.

        ``objects``: names by class id, as ``hico_det().objects``. Where they are given and ``value`` has names of
        its own (``data["class_name"]``), classes are matched by name and not by number.

        Raises:
            InputError: no such detections, boxes without a class, or a class that is not among ``objects``.
        """
        boxes, scores = interop.boxes_from_supervision(value)
        return Detections(boxes, scores, interop.classes_from_supervision(value, objects))

    @staticmethod
    def empty() -> Detections:
        """No detection."""
        return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))


@dataclass(frozen=True, repr=False)
class Tracks:
    """Track ids in the SAME row order as the frame's detections."""

    track_ids: NDArray[np.int64]
    """(N,) id of each detection row; -1 = unconfirmed"""
    class_ids: NDArray[np.int64]
    """(N,) class voted over the track's life; the detection's own class where unconfirmed"""
    lost_ids: tuple[int, ...] = ()
    """tracks not seen in this frame but not given up yet"""
    ended_ids: tuple[int, ...] = ()
    """tracks given up in this frame; these ids never return"""
    confidence: NDArray[np.float32] | None = None
    """(N,) confidence of each row: a track's best recent score, else the detection's own; None: not computed"""

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
