"""The table that every reader returns: all annotated pairs of a data set in flat arrays, picture after picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videohoi.datasets.records import record_error
from videohoi.structures.checks import require_shape
from videohoi.vocabulary import Vocabulary

Rows = NDArray[np.int64]
Boxes = NDArray[np.float32]
NO_CLASS = -1
"""interaction of a (verb, object) pair that the vocabulary does not list; HICO-DET has none"""


@dataclass(frozen=True, repr=False)
class HoiAnnotations:
    """I pictures (or video frames) with P annotated (human, verb, object) pairs."""

    path: Path
    vocabulary: Vocabulary
    file_names: tuple[str, ...]
    """(I,) as the file names them; for video ``folder/video/frame``"""
    sizes_wh_px: Rows
    """(I, 2) width and height; 0 where the file does not say"""
    pair_start: Rows
    """(I + 1,) pairs of picture i are rows ``pair_start[i]`` to ``pair_start[i + 1]``"""
    human_boxes_xyxy_px: Boxes
    """(P, 4) corners; coordinate 0 is the left or upper edge of the first pixel"""
    object_boxes_xyxy_px: Boxes
    """(P, 4)"""
    verb_ids: Rows
    """(P,) columns of Vocabulary.verbs"""
    object_ids: Rows
    """(P,) rows of Vocabulary.objects"""
    track_ids: Rows | None = None
    """(P, 2) human and object track, in video"""
    pts_seconds: NDArray[np.float64] | None = None
    """(I,) media time, in video"""
    unboxed: Rows = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    """(U, 2) picture and interaction of labels that have no box"""
    left_out: tuple[tuple[str, int], ...] = ()
    """(what, how many) that a table of pairs cannot hold or the caller asked to leave out"""

    def __post_init__(self) -> None:
        images, pairs = len(self.file_names), len(self.verb_ids)
        for name, shape in (
            ("sizes_wh_px", (images, 2)), ("pair_start", (images + 1,)), ("human_boxes_xyxy_px", (pairs, 4)),
            ("object_boxes_xyxy_px", (pairs, 4)), ("object_ids", (pairs,)), ("unboxed", (None, 2)),
        ):  # fmt: skip
            require_shape("HoiAnnotations", name, getattr(self, name), shape)

    def __len__(self) -> int:
        return len(self.file_names)

    def __repr__(self) -> str:
        return f"HoiAnnotations({self.path.name!r}, images={len(self)}, pairs={self.pair_count})"

    @property
    def pair_count(self) -> int:
        """P."""
        return len(self.verb_ids)

    @property
    def image_rows(self) -> Rows:
        """(P,) the picture of each pair."""
        return np.repeat(np.arange(len(self)), np.diff(self.pair_start))

    @property
    def empty_images(self) -> Rows:
        """Pictures without any pair."""
        return np.flatnonzero(np.diff(self.pair_start) == 0)

    @property
    def interaction_ids(self) -> Rows:
        """(P,) rows of Vocabulary.interactions; ``NO_CLASS`` where the vocabulary has no such pair."""
        return np.asarray(self.vocabulary.interaction_table[self.object_ids, self.verb_ids], np.int64)

    def outside_picture(self) -> int:
        """Boxes that reach more than a pixel (rounding) beyond a picture of known size; they are kept as they are."""
        sizes = np.tile(self.sizes_wh_px[self.image_rows], 2)
        known = sizes[:, 0] > 0
        bad = [((boxes < -1) | (boxes > sizes + 1)).any(axis=1) & known
               for boxes in (self.human_boxes_xyxy_px, self.object_boxes_xyxy_px)]  # fmt: skip
        return int(sum(part.sum() for part in bad))


def starts(counts: Sequence[int]) -> Rows:
    """(I + 1,) first pair of each picture, from the number of pairs of each."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)


def flat_boxes(per_image: Sequence[Sequence[Sequence[float]]]) -> NDArray[np.float64]:
    """(P, 4) of the boxes of all pictures."""
    return np.array([box for boxes in per_image for box in boxes], np.float64).reshape(-1, 4)


def check_corners(
    path: Path, names: Sequence[str], pair_start: Rows, boxes: NDArray[np.float64], field_name: str
) -> None:
    """Raise ``InputError`` at the first box whose right or lower edge lies before its left or upper one."""
    bad = np.flatnonzero((boxes[:, 2] < boxes[:, 0]) | (boxes[:, 3] < boxes[:, 1]))
    if len(bad):
        record = int(np.searchsorted(pair_start, bad[0], side="right")) - 1
        number = int(bad[0] - pair_start[record])
        corners = ", ".join(f"{value:g}" for value in boxes[bad[0]])
        raise record_error(path, f"record {record} ({names[record]})", f"{field_name}[{number}]",
                           f"the box is inside out: x1, y1, x2, y2 as edges are {corners}")  # fmt: skip
