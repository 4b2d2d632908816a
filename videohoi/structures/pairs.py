"""Which human goes with which object, as rows of the frame's detections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.structures.checks import require_dtype, require_shape, short


@dataclass(frozen=True, repr=False)
class HumanObjectPairs:
    """P candidate pairs of one frame."""

    human_rows: NDArray[np.int64]
    """(P,) detection rows of the humans"""
    object_rows: NDArray[np.int64]
    """(P,) detection rows of the objects (another human counts as an object)"""
    truncated: int = 0
    """how many pairs the cap cut; reported, never silent"""

    def __post_init__(self) -> None:
        require_shape("HumanObjectPairs", "human_rows", self.human_rows, (None,))
        require_shape("HumanObjectPairs", "object_rows", self.object_rows, (len(self.human_rows),))
        require_dtype("HumanObjectPairs", "human_rows", self.human_rows, np.int64)
        require_dtype("HumanObjectPairs", "object_rows", self.object_rows, np.int64)

    def __len__(self) -> int:
        return len(self.human_rows)

    def __repr__(self) -> str:
        rows = f"human_rows={short(self.human_rows)}, object_rows={short(self.object_rows)}"
        return f"HumanObjectPairs(n={len(self)}, {rows}, truncated={self.truncated})"
