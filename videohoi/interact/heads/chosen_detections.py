"""Which of a detector's boxes UPT and LAIN look at, and how they are padded: before the head, outside the graph.

The rules are those of both public codes (``prepare_region_proposals`` of fredzzhang/upt, BSD-3, and OreoChocolate/LAIN,
MIT): non-maximum suppression within each class, then the boxes above a score, but at least 3 and at most 15 humans and
as many objects, so that a picture of unsure boxes still has pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videohoi.errors import UsageError
from videohoi.geometry.nms import class_aware_nms
from videohoi.layers.pair_padding import PaddedDetections


@dataclass(frozen=True)
class ChoiceRules:
    """Defaults are those of UPT and LAIN."""

    iou_threshold: float = 0.5
    """a box goes when it overlaps a better one of its class by more"""
    least_score: float = 0.2
    least: int = 3
    """humans, and objects, that are kept below the score"""
    most: int = 15
    """humans, and objects"""

    @property
    def rows(self) -> int:
        """N, the most detections that the rules keep."""
        return 2 * self.most


def chosen_rows(
    boxes_xyxy: NDArray[np.floating[Any]],
    scores: NDArray[np.floating[Any]],
    class_ids: NDArray[np.int64],
    *,
    person_id: int = 0,
    rules: ChoiceRules | None = None,
) -> NDArray[np.int64]:
    """Rows to keep of one picture's Q boxes (Q, 4) in any unit: humans first, each group best first."""
    rules = ChoiceRules() if rules is None else rules
    best = class_aware_nms(boxes_xyxy, scores, class_ids, iou_threshold=rules.iou_threshold)
    human = class_ids[best] == person_id
    return np.concatenate([_bounded(best[group], scores, rules) for group in (human, ~human)])


def _bounded(rows: NDArray[np.int64], scores: NDArray[np.floating[Any]], rules: ChoiceRules) -> NDArray[np.int64]:
    sure = int(np.count_nonzero(scores[rows] >= rules.least_score))
    return rows[: min(max(sure, rules.least), rules.most)]


def padded(
    pictures: Sequence[tuple[Tensor, Tensor, Tensor, Tensor]], rows: Sequence[NDArray[np.int64]], count: int
) -> PaddedDetections:
    """B pictures' (boxes_cxcywh (Q, 4), scores (Q,), class_ids (Q,), features (Q, D)), cut to ``rows``, padded to N.

    Raises:
        UsageError: there is no picture, or one keeps more than ``count`` rows.
    """
    most = max((len(kept) for kept in rows), default=-1)
    if not 0 <= most <= count:
        raise UsageError(
            f"{most} detections chosen of {len(rows)} pictures; expected a picture, at most {count} of each"
        )
    counts = torch.tensor([len(kept) for kept in rows], device=pictures[0][0].device)
    mask = torch.arange(count, device=counts.device) < counts[:, None]
    chosen = [
        [_filled(values[torch.from_numpy(kept).to(values.device)], count) for values in picture]
        for picture, kept in zip(pictures, rows, strict=True)
    ]
    boxes, scores, class_ids, features = (torch.stack(column) for column in zip(*chosen, strict=True))
    return PaddedDetections(boxes, scores, class_ids, mask, features)


def _filled(values: Tensor, count: int) -> Tensor:
    return torch.cat((values, values.new_zeros(count - len(values), *values.shape[1:])))
