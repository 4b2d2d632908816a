"""The run-time side that ``clip_prior`` and ``hts`` share: a detector's pairs, their pictures, CLIP, verb scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from videohoi.errors import ModelError
from videohoi.interact.heads.union_crops import clip_pictures, pair_inputs, square_crop, union_boxes
from videohoi.interact.options import ModelOptions
from videohoi.interact.pairs import build_pairs
from videohoi.interact.protocol import HeadInfo
from videohoi.interact.scoring import ScoreRule, score_pairs
from videohoi.interact.torch_engine import to_arrays
from videohoi.layers.devices import choose_device
from videohoi.structures import Detections, Frame, HumanObjectPairs, Interactions


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
    """A ``HOIHead`` that looks at the box around each pair. Stateless between frames; one thread at a time."""

    name: str

    def __init__(self, options: ModelOptions) -> None:
        self._options = options
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
        boxes, crop_rows = np.unique(union_boxes(detections, pairs), axis=0, return_inverse=True)
        crops = clip_pictures([square_crop(frame.image, box) for box in boxes], loaded.image_size_px)
        extent_px = frame.width_px, frame.height_px
        inputs = pair_inputs(detections, pairs, crop_rows.reshape(-1), extent_px, self._device)
        output = loaded.model(crops[None].to(self._device), self._text_rows, *inputs)
        return score_pairs(to_arrays(output), loaded.rule).verb_scores

    def close(self) -> None:
        """Free the model; may be called twice."""
        self._loaded = None
