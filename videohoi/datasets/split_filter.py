"""What a zero-shot split lets training see.

The rule of LAIN, CMMP and ADA-CM: annotations of unseen interactions are removed, and pictures that keep at least one
stay. On the official HICO-DET train file it keeps 37528 (RF-UC), 16631 (NF-UC), 31162 (UO) and 35555 (UV) of the 37633
pictures with pairs, by the index lists that LAIN ships.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.datasets.annotations import HoiAnnotations, Rows
from videohoi.vocabulary import ZeroShotSplit


@dataclass(frozen=True, repr=False)
class TrainingFilter:
    """Which annotations of a data set a split keeps, and how much it removes."""

    split: ZeroShotSplit
    pairs: NDArray[np.bool_]
    """(P,) the pair's interaction is seen"""
    images: Rows
    """pictures with at least one such pair, ascending"""
    removed_pairs: int
    removed_images: int
    """pictures that had pairs, all of them unseen"""
    empty_images: int
    """pictures that had none to begin with; training does not see them either"""

    def __repr__(self) -> str:
        return (
            f"TrainingFilter({self.split.name!r}, images={len(self.images)}, pairs={int(self.pairs.sum())}, "
            f"removed_images={self.removed_images}, removed_pairs={self.removed_pairs})"
        )


def training_filter(annotations: HoiAnnotations, split: ZeroShotSplit) -> TrainingFilter:
    """The training filter of ``split``.

    Raises:
        UsageError: the split counts the interactions of another vocabulary.
    """
    split.require(annotations.vocabulary)
    pairs = np.asarray(split.seen[annotations.interaction_ids], np.bool_)
    images = np.unique(annotations.image_rows[pairs])
    empty = len(annotations.empty_images)
    return TrainingFilter(split, pairs, images, int((~pairs).sum()), len(annotations) - empty - len(images), empty)
