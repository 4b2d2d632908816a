"""True and predicted (human, object, class) triplets of a set of pictures, as flat arrays: what the matching reads."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import TruthError, UsageError
from videohoi.structures.checks import require_shape


@dataclass(frozen=True, repr=False)
class TripletTruth:
    """G annotated triplets of I pictures, grouped by picture."""

    image_names: tuple[str, ...]
    """(I,) file names; a prediction's ``image_rows`` counts in this order"""
    image_offsets: NDArray[np.int64]
    """(I + 1,) triplets of picture i are rows ``image_offsets[i]`` to ``image_offsets[i + 1]``"""
    class_ids: NDArray[np.int64]
    """(G,) interaction class"""
    human_boxes_xyxy_px: NDArray[np.float64]
    """(G, 4) as annotated"""
    object_boxes_xyxy_px: NDArray[np.float64]
    """(G, 4) as annotated"""
    class_count: int
    """K"""
    image_sizes_wh_px: NDArray[np.int64] | None = None
    """(I, 2) width and height; 0 where the annotation file gives none"""

    def __post_init__(self) -> None:
        count = len(self.class_ids)
        require_shape("TripletTruth", "image_offsets", self.image_offsets, (len(self.image_names) + 1,))
        for name in ("human_boxes_xyxy_px", "object_boxes_xyxy_px"):
            require_shape("TripletTruth", name, getattr(self, name), (count, 4))
        if self.image_offsets[0] != 0 or self.image_offsets[-1] != count or (np.diff(self.image_offsets) < 0).any():
            raise TruthError(f"image_offsets: expected to rise from 0 to {count} triplets")
        if count and not 0 <= self.class_ids.min() <= self.class_ids.max() < self.class_count:
            raise TruthError(f"class_ids: expected 0 to {self.class_count - 1}, got {_range(self.class_ids)}")

    def __len__(self) -> int:
        return len(self.class_ids)

    def __repr__(self) -> str:
        return f"TripletTruth(images={len(self.image_names)}, triplets={len(self)}, classes={self.class_count})"

    def positives(self) -> NDArray[np.int64]:
        """(K,) annotated triplets of each class."""
        return np.bincount(self.class_ids, minlength=self.class_count).astype(np.int64)

    def moved(self, shift_xyxy_px: tuple[float, float, float, float]) -> TripletTruth:
        """The same triplets with every box moved by ``shift_xyxy_px``."""
        if not any(shift_xyxy_px):
            return self
        shift = np.array(shift_xyxy_px)
        return replace(
            self,
            human_boxes_xyxy_px=self.human_boxes_xyxy_px + shift,
            object_boxes_xyxy_px=self.object_boxes_xyxy_px + shift,
        )


@dataclass(frozen=True, repr=False)
class TripletPredictions:
    """D predicted triplets, in any order."""

    image_rows: NDArray[np.int64]
    """(D,) row of ``TripletTruth.image_names``"""
    class_ids: NDArray[np.int64]
    """(D,) interaction class"""
    human_boxes_xyxy_px: NDArray[np.float64]
    """(D, 4) source pixels"""
    object_boxes_xyxy_px: NDArray[np.float64]
    """(D, 4) source pixels"""
    scores: NDArray[np.float64]
    """(D,) higher is surer; any finite number"""

    def __post_init__(self) -> None:
        count = len(self.scores)
        for name in ("image_rows", "class_ids"):
            require_shape("TripletPredictions", name, getattr(self, name), (count,))
        for name in ("human_boxes_xyxy_px", "object_boxes_xyxy_px"):
            require_shape("TripletPredictions", name, getattr(self, name), (count, 4))

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        return f"TripletPredictions(triplets={len(self)})"

    def require_fit(self, truth: TripletTruth) -> None:
        """Raise ``UsageError`` for a picture, class, box or score that cannot be matched with ``truth``."""
        limits = (("image_rows", len(truth.image_names)), ("class_ids", truth.class_count))
        for name, limit in limits:
            values = getattr(self, name)
            if len(values) and not 0 <= values.min() <= values.max() < limit:
                row = int(np.flatnonzero((values < 0) | (values >= limit))[0])
                raise UsageError(f"prediction {row}: {name}: expected 0 to {limit - 1}, got {values[row]}")
        for name in ("scores", "human_boxes_xyxy_px", "object_boxes_xyxy_px"):
            values = getattr(self, name)
            if not np.isfinite(values).all():
                row = int(np.argwhere(~np.isfinite(values))[0][0])
                raise UsageError(f"prediction {row}: {name}: expected finite numbers, got {values[row]}")


def no_predictions() -> TripletPredictions:
    """Nothing was predicted."""
    rows, boxes = np.zeros(0, np.int64), np.zeros((0, 4), np.float64)
    return TripletPredictions(rows, rows, boxes, boxes, np.zeros(0, np.float64))


def joined(parts: list[TripletPredictions]) -> TripletPredictions:
    """All predictions of ``parts``, in order."""
    if not parts:
        return no_predictions()
    return TripletPredictions(
        np.concatenate([part.image_rows for part in parts]),
        np.concatenate([part.class_ids for part in parts]),
        np.concatenate([part.human_boxes_xyxy_px for part in parts]),
        np.concatenate([part.object_boxes_xyxy_px for part in parts]),
        np.concatenate([part.scores for part in parts]),
    )


def _range(values: NDArray[np.int64]) -> str:
    return f"{values.min()} to {values.max()}"
