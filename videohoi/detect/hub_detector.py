"""Models of transformers as detectors of the streaming graph; torch is imported when they open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from videohoi.detect.hub_files import hub_files, local_name
from videohoi.detect.protocol import DetectorInfo
from videohoi.detect.registry import DetectorRequest
from videohoi.errors import InputError, ModelError, UsageError
from videohoi.names import normal_form
from videohoi.structures import Detections, Frame
from videohoi.vocabulary import Vocabulary, hico_det
from videohoi.vocabulary.objects import coco

if TYPE_CHECKING:
    from videohoi.detect.hub import Best, HubModel

_SAME_ORDER = 60
"""of COCO's 80 names; so many at their place say that a model has COCO's order, though some are spelled differently
(``diningtable``)"""


class HubDetector:
    """D-FINE or RT-DETR from a folder, or from the cache of the Hugging Face hub.

    Args:
        name: folder with config.json and model.safetensors, or OWNER/NAME of a model that was downloaded before.
        score_threshold: lowest score kept, in [0, 1].
        input_size_px: side of the square that pictures are squeezed to; None: the model's own.
        device: auto, cpu, cuda or any other name of torch's.

    Raises:
        UsageError: a threshold outside [0, 1], or a side that is no multiple of 32.
    """

    def __init__(
        self, name: str, *, score_threshold: float = 0.1, input_size_px: int | None = None, device: str = "cpu"
    ) -> None:
        if not 0.0 <= score_threshold <= 1.0:
            raise UsageError(f"detector score threshold {score_threshold}: expected a number from 0 to 1")
        if input_size_px is not None and (input_size_px < 32 or input_size_px % 32):
            raise UsageError(f"detector input {input_size_px} px: expected a multiple of 32")
        self._name = local_name(name)
        self._score_threshold, self._size_px, self._device = score_threshold, input_size_px, device
        self._model: HubModel | None = None
        self._info = DetectorInfo(f"hf:{name}", "torch", None, input_size_px, 0)

    @property
    def info(self) -> DetectorInfo:
        """See ``Detector.info``."""
        return self._info

    def open(self) -> None:
        """Load the model; ``ModelError`` when packages or weights are missing, or it finds no person."""
        try:
            from videohoi.detect.hub import HubModel
        except ImportError as error:
            raise ModelError(
                f"detector {self._info.name} needs {error.name}; run: pip install 'videohoi[models]'"
            ) from error
        model = HubModel(self._name, device=self._device, size_px=self._size_px)
        self._class_of_label, dropped = class_of_label(model.labels, self._info.name)
        note = (
            f"{dropped} of its {len(model.labels)} labels are no class of HICO-DET and are left out" if dropped else ""
        )
        size = max(model.preparation.height_px, model.preparation.width_px)
        digest = hub_files(self._name).get("detector")
        self._info = replace(self._info, weights_sha256=digest, input_size_px=size, note=note)
        self._model = model

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """One ``Detections`` per frame, best score first; all frames run as one batch.

        Raises:
            ModelError: called before ``open`` or after ``close``.
            InputError: a picture has no pixels.
        """
        if self._model is None:
            raise ModelError(f"{self._info.name}: the detector is not open; call open() first")
        empty = next((frame for frame in frames if not frame.image.size), None)
        if empty is not None:
            raise InputError(f"{empty.source_id}: frame {empty.index} has no pixels; expected at least 1 x 1")
        found = self._model([frame.image for frame in frames], self._score_threshold) if frames else []
        return [self._kept(best, frame) for best, frame in zip(found, frames, strict=True)]

    def _kept(self, best: Best, frame: Frame) -> Detections:
        classes = self._class_of_label[best.labels]
        kept = np.flatnonzero(classes >= 0)
        size = np.array([frame.width_px, frame.height_px] * 2, np.float32)
        return Detections((best.boxes_xyxy[kept] * size).astype(np.float32), best.scores[kept], classes[kept])

    def close(self) -> None:
        """Free the model; may be called twice."""
        self._model = None


def class_of_label(labels: Mapping[int, str], owner: str) -> tuple[NDArray[np.int64], int]:
    """(L,) class id of HICO-DET's vocabulary for each label id, -1 for what it lacks; and how many it lacks.

    Labels are matched by name and synonym; 80 labels in COCO's order by their place.

    Raises:
        ModelError: no label is a person.
    """
    words, names = hico_det(), coco().objects
    table = np.full(max(labels, default=-1) + 1, -1, np.int64)
    in_place = sum(_object_id(words, label) == _object_id(words, names[number]) for number, label in labels.items()
                   if number < len(names))  # fmt: skip
    by_place = len(labels) == len(names) == len(table) and in_place >= _SAME_ORDER
    for number, label in labels.items():
        table[number] = _object_id(words, names[number] if by_place else label)
    if words.person_id not in table:
        raise ModelError(f"detector {owner}: none of its {len(labels)} labels is a person; expected COCO's 80 classes")
    return table, int((table < 0).sum())


def _object_id(words: Vocabulary, label: str) -> int:
    name = normal_form(label)
    name = dict(words.object_synonyms).get(name, name)
    return words.objects.index(name) if name in words.objects else -1


def build(request: DetectorRequest) -> HubDetector:
    """The model in the folder ``request.argument``."""
    return HubDetector(
        request.argument, score_threshold=request.score_threshold, input_size_px=request.input_size_px,
        device=request.device,
    )  # fmt: skip
