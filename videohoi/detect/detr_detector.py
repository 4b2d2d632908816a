"""DETR as a detector of the streaming graph; torch is imported when it opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from videohoi.detect.protocol import DetectorInfo
from videohoi.detect.registry import DetectorRequest
from videohoi.errors import InputError, ModelError, UsageError
from videohoi.files import is_file, known_sha256, user_path
from videohoi.structures import Detections, Frame
from videohoi.vocabulary import hico_det
from videohoi.vocabulary.objects import coco, coco_category_ids, object_rows

if TYPE_CHECKING:
    from videohoi.detect.detr import Best, DetrRunner

WEIGHTS_FILE = "detr-r50-e632da11.pth"
WEIGHTS_URL = f"https://dl.fbaipublicfiles.com/detr/{WEIGHTS_FILE}"
WEIGHTS_MB = 159
SHORT_SIDE_PX, LONG_SIDE_PX = 800, 1333
"""DETR's evaluation size (arXiv 2005.12872, section 4)"""
COCO_OUTPUTS = 92
"""COCO's category ids 0 to 90 and nothing (facebookresearch/detr)"""


class DetrDetector:
    """DETR with weights from a file: facebookresearch/detr's, or a fine-tune on the 80 classes (UPT's on HICO-DET).

    Args:
        weights: path of the checkpoint; None or a missing file is one error when it opens.
        score_threshold: lowest score kept, in [0, 1].
        short_side_px: pictures are resized to this short side,
        long_side_px: unless the long one would pass this.
        dilated: the weights are of a DC5 model; None: as the file says.
        threads: CPU threads of torch, for the whole process; None leaves torch's own.
        device: auto, cpu, cuda or any other name of torch's.
        name: how messages and the run report call it.

    Raises:
        UsageError: a threshold outside [0, 1], or a side below 32 px.
    """

    def __init__(
        self,
        weights: str | Path | None,
        *,
        score_threshold: float = 0.1,
        short_side_px: int = SHORT_SIDE_PX,
        long_side_px: int = LONG_SIDE_PX,
        dilated: bool | None = None,
        threads: int | None = None,
        device: str = "cpu",
        name: str = "detr",
    ) -> None:
        if not 0.0 <= score_threshold <= 1.0:
            raise UsageError(f"detector score threshold {score_threshold}: expected a number from 0 to 1")
        if min(short_side_px, long_side_px) < 32:  # one cell of the feature map
            raise UsageError(f"detector input {short_side_px} x {long_side_px} px: expected sides of 32 px or more")
        self._weights = None if weights is None else user_path(weights)
        self._score_threshold = score_threshold
        self._sides = short_side_px, max(short_side_px, long_side_px)
        self._dilated, self._threads, self._device = dilated, threads, device
        self._runner: DetrRunner | None = None
        self._info = DetectorInfo(name, "torch", None, self._sides[1], 0)

    @property
    def info(self) -> DetectorInfo:
        """See ``Detector.info``."""
        return self._info

    def open(self) -> None:
        """Load the weights.

        Raises:
            ModelError: torch or the weights are missing, or the file is no DETR; one line that says what to do.
        """
        weights = existing_weights(self._weights, self._info.name)
        try:
            from videohoi.detect.detr import DetrRunner
        except ModuleNotFoundError as error:
            raise ModelError(
                f"detector {self._info.name} needs {error.name}; run: pip install 'videohoi[models]'"
            ) from error
        runner = DetrRunner(weights, dilated=self._dilated, threads=self._threads, device=self._device)
        self._class_of_output = class_of_output(runner.model.config.class_outputs, str(weights))
        self._info = replace(self._info, weights_sha256=known_sha256(weights))
        self._runner = runner

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """One ``Detections`` per frame, best score first; all frames run as one batch.

        Raises:
            ModelError: called before ``open`` or after ``close``.
            InputError: a picture has no pixels.
        """
        if self._runner is None:
            raise ModelError(f"{self._info.name}: the detector is not open; call open() first")
        empty = next((frame for frame in frames if not frame.image.size), None)
        if empty is not None:
            raise InputError(f"{empty.source_id}: frame {empty.index} has no pixels; expected at least 1 x 1")
        found = self._runner([frame.image for frame in frames], *self._sides) if frames else []
        return [self._kept(best, frame) for best, frame in zip(found, frames, strict=True)]

    def _kept(self, best: Best, frame: Frame) -> Detections:
        classes = self._class_of_output[best.outputs]
        kept = np.flatnonzero((best.scores >= self._score_threshold) & (classes >= 0))
        kept = kept[np.argsort(-best.scores[kept], kind="stable")]
        size = np.array([frame.width_px, frame.height_px] * 2, np.float32)
        boxes = np.clip(best.boxes_xyxy[kept], 0, 1) * size
        return Detections(boxes.astype(np.float32), best.scores[kept], classes[kept])

    def close(self) -> None:
        """Free the model; may be called twice."""
        self._runner = None


def existing_weights(weights: Path | None, name: str) -> Path:
    """``weights``, or one ``ModelError`` of the detector ``name`` that says where to get them."""
    if weights is not None and is_file(weights):
        return weights
    missing = "no weights were given" if weights is None else f"weights {weights} do not exist"
    raise ModelError(
        f"detector {name}: {missing}; download {WEIGHTS_FILE} ({WEIGHTS_MB} MB) from {WEIGHTS_URL} and give its path; "
        "without a network copy it from another machine, or leave --detector out"
    )


def class_of_output(outputs: int, label: str) -> NDArray[np.int64]:
    """(outputs,) class id of HICO-DET's vocabulary for each output of a DETR; -1 where an output is no class.

    Raises:
        ModelError: the number of outputs is neither COCO's 92 nor 80 classes and nothing.
    """
    ids = object_rows(coco().objects, hico_det())
    table = np.full(outputs, -1, np.int64)
    if outputs == COCO_OUTPUTS:
        table[list(coco_category_ids())] = ids
    elif outputs == len(ids) + 1:
        table[:-1] = ids
    else:
        raise ModelError(f"{label}: has {outputs} class outputs; expected {COCO_OUTPUTS} (COCO) or {len(ids) + 1}")
    return table


def build(request: DetectorRequest) -> DetrDetector:
    """The checkpoint at ``request.argument``."""
    return DetrDetector(
        request.argument, score_threshold=request.score_threshold,
        short_side_px=request.input_size_px or SHORT_SIDE_PX, long_side_px=request.input_size_px or LONG_SIDE_PX,
        device=request.device, name=request.spec,
    )  # fmt: skip
