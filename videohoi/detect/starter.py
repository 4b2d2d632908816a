"""The starter detector: the weights that ship with the package. Needs no download and no torch."""

from __future__ import annotations

from videohoi.detect.onnx_detector import OnnxDetector
from videohoi.detect.registry import STARTER_SCORE_THRESHOLD as SCORE_THRESHOLD
from videohoi.detect.registry import DetectorRequest
from videohoi.errors import ModelError
from videohoi.shipped_weights import DETECTOR

INPUT_SIZE_PX = 384
"""between the training sizes: a 16:9 picture becomes 384x224, 86 % of the work of 416 px"""
SCORE_EXPONENT = 0.637
"""makes a score about the share of boxes that are right; fitted by ``train.calibrate_detector``, see the model card"""
CROSS_CLASS_IOU = 0.65
"""it often gives one object two classes; the box with the higher score is kept"""
HUMAN_OBJECT_IOU = 0.7
"""it also detects some animals as humans; the boxes of a rider and a horse overlap less than this"""
NOTE = "The starter detector is small: it misses small and rare objects; --detector onnx:FILE takes a larger one."


def starter_weights() -> bytes | None:
    """The shipped ONNX file, or None in a build without it; ``ModelError`` where it is damaged."""
    return DETECTOR.read() if DETECTOR.is_present else None


class StarterDetector(OnnxDetector):
    """``OnnxDetector`` on the shipped weights.

    Arguments as there; without an ``input_size_px`` it runs at 384. Scores are calibrated.

    Raises:
        ModelError: this build carries no starter weights, or they are damaged.
    """

    def __init__(
        self,
        *,
        score_threshold: float = SCORE_THRESHOLD,
        nms_iou: float = 0.6,
        input_size_px: int | None = None,
        threads: int = 2,
        engine: str = "onnxruntime",
    ) -> None:
        weights = starter_weights()
        if weights is None:
            raise ModelError("this build carries no starter weights; use --detector onnx:FILE")
        super().__init__(
            weights,
            score_threshold=score_threshold,
            nms_iou=nms_iou,
            input_size_px=input_size_px or INPUT_SIZE_PX,
            threads=threads,
            engine=engine,
            name="starter",
            note=NOTE,
            score_exponent=SCORE_EXPONENT,
            cross_class_iou=CROSS_CLASS_IOU,
            human_object_iou=HUMAN_OBJECT_IOU,
        )


def build(request: DetectorRequest) -> StarterDetector:
    """The shipped detector."""
    return StarterDetector(
        score_threshold=request.score_threshold, input_size_px=request.input_size_px, threads=request.threads,
        engine=request.engine,
    )  # fmt: skip
