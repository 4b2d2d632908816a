"""Pictures of pairs: the box around human and object, cut out, made square with black, sized for CLIP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videohoi.layers.box_coding import centre_and_size
from videohoi.layers.clip import CLIP_MEAN, CLIP_STD
from videohoi.layers.resizing import as_picture, normalised, resized
from videohoi.structures import Detections, HumanObjectPairs


class PairInputs(NamedTuple):
    """A detector's boxes and the pairs among them, for B pictures; padded and masked as in ``HOIOutput``."""

    boxes_cxcywh: Tensor
    """(B, N, 4) fractions of the picture"""
    pair_rows: Tensor
    """(B, P, 2) int64"""
    pair_mask: Tensor
    """(B, P) bool"""
    scores: Tensor
    """(B, N)"""
    class_ids: Tensor
    """(B, N) int64"""
    truncated: Tensor
    """(B,) int64"""
    crop_rows: Tensor
    """(B, P) int64 which of the crops shows the pair; two humans are two pairs in one crop"""


def pair_inputs(
    detections: Detections,
    pairs: HumanObjectPairs,
    crop_rows: NDArray[np.int64],
    picture_size_px: tuple[int, int],
    device: torch.device,
) -> PairInputs:
    """The inputs of one picture (B = 1) of (width, height) pixels, without padding; ``crop_rows`` is (P,)."""
    size = torch.tensor([*picture_size_px, *picture_size_px], dtype=torch.float32)
    boxes_cxcywh = centre_and_size(torch.from_numpy(detections.boxes_xyxy_px)) / size
    rows = np.stack([pairs.human_rows, pairs.object_rows], axis=1)
    values = (
        boxes_cxcywh,
        torch.from_numpy(rows),
        torch.ones(len(pairs), dtype=torch.bool),
        torch.from_numpy(detections.scores),
        torch.from_numpy(detections.class_ids),
        torch.tensor(pairs.truncated),
        torch.from_numpy(crop_rows),
    )
    return PairInputs(*(value[None].to(device) for value in values))


def union_boxes(detections: Detections, pairs: HumanObjectPairs) -> NDArray[np.float32]:
    """(P, 4) corners in pixels of the smallest box around each pair."""
    humans, objects = detections.boxes_xyxy_px[pairs.human_rows], detections.boxes_xyxy_px[pairs.object_rows]
    low, high = np.minimum(humans[:, :2], objects[:, :2]), np.maximum(humans[:, 2:], objects[:, 2:])
    return np.concatenate([low, high], axis=1)


def square_crop(image_rgb: NDArray[np.uint8], box_xyxy_px: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(S, S, 3): the box rounded to pixels and kept inside the picture, centred on black; at least one pixel.

    As EoID prepares regions for CLIP (mrwu-mac/EoID models/EoID.py: PIL's ``crop`` and a black square); the odd pixel
    of an uneven margin goes below or to the right.
    """
    height, width = image_rgb.shape[:2]
    left, top, right, bottom = np.rint(np.nan_to_num(box_xyxy_px)).astype(int).tolist()
    left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    right, bottom = min(max(right, left + 1), width), min(max(bottom, top + 1), height)
    region = image_rgb[top:bottom, left:right]
    side = max(region.shape[:2])
    square = np.zeros((side, side, 3), np.uint8)
    down, across = (side - region.shape[0]) // 2, (side - region.shape[1]) // 2
    square[down : down + region.shape[0], across : across + region.shape[1]] = region
    return square


def clip_pictures(pictures_rgb: Sequence[NDArray[np.uint8]], size_px: int) -> Tensor:
    """(P, 3, size, size) float32 of P pictures (H, W, 3) of any sizes, squeezed to a square, as CLIP takes them.

    Bicubic with antialiasing on uint8, which is what PIL's resize does for OpenAI's preprocessing.
    """
    if not pictures_rgb:
        return torch.zeros((0, 3, size_px, size_px))
    shape = (size_px, size_px)
    resampled = (resized(as_picture(picture), shape, "bicubic") for picture in pictures_rgb)
    return torch.stack([normalised(picture, CLIP_MEAN, CLIP_STD) for picture in resampled])


def clip_whole(picture: Tensor, size_px: int) -> Tensor:
    """(1, 3, size, size) float32 of grey values (3, H, W): short side resized, centre cut out, as OpenAI does."""
    height, width = picture.shape[1:]
    grown = int(size_px * max(height, width) / min(height, width))
    shape = (size_px, grown) if height <= width else (grown, size_px)
    top, left = round((shape[0] - size_px) / 2), round((shape[1] - size_px) / 2)
    centre = resized(picture, shape, "bicubic")[:, top : top + size_px, left : left + size_px]
    return normalised(centre, CLIP_MEAN, CLIP_STD)[None]
