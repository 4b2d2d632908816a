"""Human-object pairs of padded detections: fixed shapes, a mask, a count of what the cap cut, and spatial features.

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
        """The same with harmless padding: the whole picture as box, zeros elsewhere, whatever it held (NaN included).

        At least one row, so that pictures without detections need no special case.
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

    Of more pairs those with the largest product of scores are kept (of equal ones those of the earlier rows); the
    others are counted. Kept pairs are ordered by human row, then object row.

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
    is_kept = places < none
    places = places.masked_fill(~is_kept, 0)
    rows = torch.stack((places // max(count, 1), places % max(count, 1)), dim=-1)
    return PaddedPairs(rows, is_kept, valid.sum(1) - is_kept.sum(1))


def take_rows(values: Tensor, rows: Tensor) -> Tensor:
    """(B, *R, ...) the ``rows`` (B, *R) of ``values`` (B, N, ...), each of its own picture; R is any shape."""
    batch, count = values.shape[:2]
    first = count * torch.arange(batch, device=values.device)
    # not values[batch, rows]: for torch the shape of an indexing result may depend on data
    return (
        values.flatten(0, 1)
        .index_select(0, (rows.flatten(1) + first[:, None]).flatten())
        .reshape(*rows.shape, *values.shape[2:])
    )


SPATIAL_FEATURES = 36
EPSILON = 1e-10
"""keeps divisions and logarithms finite (value of the public code)"""


def spatial_features(first_xyxy: Tensor, second_xyxy: Tensor, picture_sizes_px: Tensor) -> Tensor:
    """(..., 36) of the boxes ``first_xyxy`` (..., 4) against ``second_xyxy`` (..., 4), both in pixels; they broadcast.

    The encoding of SCG (arXiv 2012.06060, appendix) that UPT takes (arXiv 2112.01838, section 3.2): 18 numbers and
    their logarithms. Centres, sizes and areas relative to the picture, ratio of areas, aspect ratios, IoU, and distance
    in each direction relative to the first box. ``geometry.pair_features`` has a relative of it in numpy for the
    starter: there pairs are mirrored, two constant numbers are left out and long tails are cut; here the numbers are
    those of the public code, for its weights.

    ``picture_sizes_px`` (..., 2) is width and height and broadcasts to the pairs. Every number is finite, for boxes
    without area too (the public code has no IoU for two of them). Computed in single precision: 1e-10 is 0 in half.
    """
    dtype = first_xyxy.dtype
    first_xyxy, second_xyxy, picture_sizes_px = (
        values.to(torch.promote_types(dtype, torch.float32)) for values in (first_xyxy, second_xyxy, picture_sizes_px)
    )
    size_1, size_2 = first_xyxy[..., 2:] - first_xyxy[..., :2], second_xyxy[..., 2:] - second_xyxy[..., :2]
    centre_1 = (first_xyxy[..., :2] + first_xyxy[..., 2:]) / 2
    centre_2 = (second_xyxy[..., :2] + second_xyxy[..., 2:]) / 2
    area_1, area_2 = size_1.prod(-1, keepdim=True), size_2.prod(-1, keepdim=True)
    apart = (centre_2 - centre_1).abs() / (size_1 + EPSILON)
    beyond, before = (centre_2 > centre_1) * apart, (centre_2 < centre_1) * apart
    plain = [
        centre_1 / picture_sizes_px,
        centre_2 / picture_sizes_px,
        size_1 / picture_sizes_px,
        size_2 / picture_sizes_px,
        area_1 / picture_sizes_px.prod(-1, keepdim=True),
        area_2 / picture_sizes_px.prod(-1, keepdim=True),
        area_2 / (area_1 + EPSILON),
        size_1[..., :1] / (size_1[..., 1:] + EPSILON),
        size_2[..., :1] / (size_2[..., 1:] + EPSILON),
        _iou(first_xyxy, second_xyxy, area_1, area_2),
        *(side for axis in (0, 1) for side in (beyond[..., axis : axis + 1], before[..., axis : axis + 1])),
    ]
    pairs = apart.shape[:-1]
    numbers = torch.cat([column.expand(*pairs, column.shape[-1]) for column in plain], dim=-1)
    largest = torch.finfo(dtype).max
    return torch.cat((numbers, torch.log(numbers + EPSILON)), dim=-1).clamp(-largest, largest).to(dtype)


def _iou(first: Tensor, second: Tensor, area_1: Tensor, area_2: Tensor) -> Tensor:
    """(..., 1); 0 where both boxes have no area."""
    low = torch.maximum(first[..., :2], second[..., :2])
    high = torch.minimum(first[..., 2:], second[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1, keepdim=True)
    union = area_1 + area_2 - shared
    return shared / union.clamp(min=torch.finfo(union.dtype).tiny)
