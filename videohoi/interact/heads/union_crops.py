"""What ``clip_prior`` and ``hts`` share: a detector's pairs, the box around each cut out for CLIP, verb scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from videohoi.errors import ModelError
from videohoi.interact.pairs import build_pairs, union_boxes
from videohoi.interact.protocol import HeadInfo, ModelOptions
from videohoi.interact.scoring import ScoreRule, score_pairs
from videohoi.interact.torch_engine import to_arrays
from videohoi.layers.box_head import centre_and_size
from videohoi.layers.clip import ClipConfig
from videohoi.layers.pictures import choose_device, clip_pictures
from videohoi.structures import Detections, Frame, HumanObjectPairs, Interactions


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


@dataclass(frozen=True, repr=False)
class LoadedModel:
    """What a method's ``load`` gives."""

    model: nn.Module
    """``forward(crops, text_rows, *PairInputs) -> HOIOutput``"""
    text_rows: Tensor
    """(K, E)"""
    rule: ScoreRule
    image_size_px: int
    """S of the crops"""
    weights_sha256: str | None
    note: str


class UnionCropHead(ABC):
    """A ``HOIHead`` on the union box of each pair. Stateless between frames; one thread at a time."""

    name: str

    def __init__(self, options: ModelOptions, sizes: ClipConfig | None = None) -> None:
        """``sizes``: of CLIP; None: those of the method's configuration."""
        self._options = options
        self.sizes = sizes
        self._loaded: LoadedModel | None = None
        self._device = torch.device("cpu")
        self._info = HeadInfo(self.name, "torch", None, len(options.vocabulary.verbs), 0)

    @abstractmethod
    def load(self, options: ModelOptions) -> LoadedModel:
        """The method's model with weights and text rows, on the CPU."""

    @property
    def info(self) -> HeadInfo:
        """Known after ``open``."""
        return self._info

    def open(self) -> None:
        """Load the weights and the text; raises ``ModelError`` when they are missing or do not fit."""
        self._device = choose_device(self._options.device)
        loaded = self.load(self._options)
        loaded.model.eval().to(self._device)
        self._text_rows = loaded.text_rows.to(self._device)
        self._loaded = loaded
        note = self._options.calibration.added_to(loaded.note)
        self._info = HeadInfo(
            self.name, f"torch {self._device.type}", loaded.weights_sha256, self._info.verb_count, 0, note
        )

    def score(self, frame: Frame, detections: Detections) -> Interactions:
        """Verb scores of the frame's pairs; ``ModelError`` when the head is not open."""
        loaded, options = self._loaded, self._options
        if loaded is None:
            raise ModelError(f"{self.name} is closed; call open() before score()")
        pairs = build_pairs(
            detections, options.vocabulary.person_id,
            human_score=options.human_score, object_score=options.object_score, limit=options.pair_limit,
        )  # fmt: skip
        if len(pairs) == 0:
            return Interactions(pairs, np.zeros((0, self._info.verb_count), np.float32))
        return Interactions(pairs, self._scored(loaded, frame, detections, pairs))

    @torch.inference_mode()
    def _scored(
        self, loaded: LoadedModel, frame: Frame, detections: Detections, pairs: HumanObjectPairs
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        corners = detections.boxes_xyxy_px
        unions = union_boxes(corners[pairs.human_rows], corners[pairs.object_rows])
        boxes, crop_rows = np.unique(unions, axis=0, return_inverse=True)
        crops = clip_pictures([square_crop(frame.image, box) for box in boxes], loaded.image_size_px)
        extent_px = frame.width_px, frame.height_px
        inputs = pair_inputs(detections, pairs, crop_rows.reshape(-1), extent_px, self._device)
        output = loaded.model(crops[None].to(self._device), self._text_rows, *inputs)
        return score_pairs(to_arrays(output), loaded.rule).verb_scores

    def close(self) -> None:
        """Free the model; may be called twice."""
        self._loaded = None
