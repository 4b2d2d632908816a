"""Human-object pairs of padded detections: fixed shapes, a mask, and a count of what the cap cut.

A pair is (human row, object row), the human first; the object may be another human. With humans in the first rows, as
UPT's code sorts them, the order of the pairs is that of the public code: by human, then by object.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from videohoi.errors import UsageError


class PaddedDetections(NamedTuple):
    """Detections of B pictures, padded to N rows: the first five arguments of ``UptHead`` and ``LainHead``."""

    boxes_cxcywh: Tensor
    """(B, N, 4) float32 centre and size, in fractions of the picture"""
    scores: Tensor
    """(B, N) float32"""
    class_ids: Tensor
    """(B, N) int64"""
    mask: Tensor
    """(B, N) bool, True where there is a detection"""
    features: Tensor
    """(B, N, D) float32 of the detector (DETR: its last decoder layer)"""

    def neutral(self) -> PaddedDetections:
        """The same with harmless padding: the whole picture as box, zeros elsewhere, whatever was there (also NaN).

        At least one row, so that pictures without any detection need no way of their own.
        """
        boxes, scores, class_ids, mask, features = self._of_a_row() if self.mask.shape[1] == 0 else self
        whole = torch.tensor((0.5, 0.5, 1.0, 1.0), dtype=boxes.dtype, device=boxes.device)
        return PaddedDetections(
            torch.where(mask[..., None], boxes, whole),
            scores.masked_fill(~mask, 0),
            class_ids.masked_fill(~mask, 0),
            mask,
            features.masked_fill(~mask[..., None], 0),
        )

    def _of_a_row(self) -> PaddedDetections:
        """One row of padding, of N = 0 rows."""
        return PaddedDetections(*(values.new_zeros(len(values), 1, *values.shape[2:]) for values in self))


class PaddedPairs(NamedTuple):
    """Pairs of B pictures, padded to P rows."""

    rows: Tensor
    """(B, P, 2) int64 rows of the detections: human, object; 0 where masked"""
    mask: Tensor
    """(B, P) bool"""
    truncated: Tensor
    """(B,) int64 pairs beyond P"""


def padded_pairs(scores: Tensor, class_ids: Tensor, mask: Tensor, *, person_id: int, max_pairs: int) -> PaddedPairs:
    """Every human with every other detection, at most ``max_pairs`` of a picture.

    Of more pairs those with the largest product of scores stay (of equal ones those of the earlier rows); the others
    are counted. Pairs that stay are ordered by human row, then object row.

    Shapes: ``scores`` (B, N), ``class_ids`` (B, N), ``mask`` (B, N) bool.

    Raises:
        UsageError: ``max_pairs`` below 1.
    """
    if max_pairs < 1:
        raise UsageError(f"max_pairs={max_pairs}: expected 1 or more")
    count = scores.shape[1]
    human = mask & (class_ids == person_id)
    apart = ~torch.eye(count, dtype=torch.bool, device=mask.device)
    valid = (human[:, :, None] & mask[:, None, :] & apart).flatten(1)
    product = (scores[:, :, None] * scores[:, None, :]).flatten(1).masked_fill(~valid, -1.0)
    best = torch.sort(product, dim=1, descending=True, stable=True).indices[:, :max_pairs]
    none = count * count
    places = best.masked_fill(~valid.gather(1, best), none).sort(dim=1).values
    places = functional.pad(places, (0, max_pairs - places.shape[1]), value=none)
    kept = places < none
    places = places.masked_fill(~kept, 0)
    rows = torch.stack((places // max(count, 1), places % max(count, 1)), dim=-1)
    return PaddedPairs(rows, kept, valid.sum(1) - kept.sum(1))


def take_rows(values: Tensor, rows: Tensor) -> Tensor:
    """(B, *R, ...) the ``rows`` (B, *R) of ``values`` (B, N, ...), each of its own picture; R is any shape."""
    batch, count = values.shape[:2]
    first = count * torch.arange(batch, device=values.device)
    # not values[batch, rows]: torch counts indexing among the operators whose shape may depend on data
    return (
        values.flatten(0, 1)
        .index_select(0, (rows.flatten(1) + first[:, None]).flatten())
        .reshape(*rows.shape, *values.shape[2:])
    )
