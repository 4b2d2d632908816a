"""The kinds of detectors: one table, from which the factory, ``--help``, ``models`` and its errors come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from videohoi.detect.detr_detector import LONG_SIDE_PX, SHORT_SIDE_PX, DetrDetector
from videohoi.detect.hub_detector import HubDetector
from videohoi.detect.onnx_detector import OnnxDetector
from videohoi.detect.protocol import Detector
from videohoi.detect.starter import SCORE_THRESHOLD, StarterDetector
from videohoi.files import user_path

DEFAULT_SCORE_THRESHOLD = 0.1
"""low enough for the tracker's second association; see ``SelectionSettings``"""


@dataclass(frozen=True)
class DetectorRequest:
    """What a builder is given: the settings of ``detect`` for one detector."""

    spec: str
    """as after ``--detector``"""
    argument: str
    """what follows the prefix of ``spec``; empty for a name"""
    score_threshold: float
    """boxes below are dropped"""
    input_size_px: int | None = None
    """long side of the network input; None: the detector's own"""
    threads: int = 2
    engine: str = "onnxruntime"
    device: str = "auto"


@dataclass(frozen=True)
class DetectorKind:
    """One row of the table."""

    name: str
    """as typed; what ends with a colon is a prefix before ``argument``"""
    argument: str
    what: str
    needs: str
    """beside this package; empty: nothing"""
    licence: str
    build: Callable[[DetectorRequest], Detector]
    score_threshold: float = DEFAULT_SCORE_THRESHOLD
    on_torch: bool = False
    """imports torch when it opens, and spreads over the cores by itself"""

    @property
    def usage(self) -> str:
        """As in help: ``onnx:FILE``."""
        return f"{self.name}{self.argument}"


def _starter(request: DetectorRequest) -> Detector:
    return StarterDetector(
        score_threshold=request.score_threshold,
        input_size_px=request.input_size_px,
        threads=request.threads,
        engine=request.engine,
    )


def build_onnx(request: DetectorRequest) -> Detector:
    """A YOLOX- or PicoDet-style ONNX file at ``request.argument``."""
    return OnnxDetector(
        user_path(request.argument),
        score_threshold=request.score_threshold,
        input_size_px=request.input_size_px,
        threads=request.threads,
        engine=request.engine,
        name=request.spec,
    )


def _detr(request: DetectorRequest) -> Detector:
    return DetrDetector(
        request.argument,
        score_threshold=request.score_threshold,
        short_side_px=request.input_size_px or SHORT_SIDE_PX,
        long_side_px=request.input_size_px or LONG_SIDE_PX,
        device=request.device,
        name=request.spec,
    )


def _hub(request: DetectorRequest) -> Detector:
    return HubDetector(
        request.argument,
        score_threshold=request.score_threshold,
        input_size_px=request.input_size_px,
        device=request.device,
    )


STARTER, ONNX_PREFIX, DETR_PREFIX, HUB_PREFIX = "starter", "onnx:", "detr:", "hf:"
KINDS: tuple[DetectorKind, ...] = (
    DetectorKind(STARTER, "", "shipped, trained by this project: person and 80 classes", "", "Apache-2.0", _starter,
                 score_threshold=SCORE_THRESHOLD),
    DetectorKind(ONNX_PREFIX, "FILE", "any YOLOX- or PicoDet-style ONNX file of 80 COCO classes", "", "yours",
                 build_onnx),
    DetectorKind(DETR_PREFIX, "FILE", "DETR-R50 checkpoint", "torch", "Apache-2.0", _detr, on_torch=True),
    DetectorKind(HUB_PREFIX, "FOLDER", "D-FINE, RT-DETR, RT-DETRv2 of transformers", "torch", "Apache-2.0", _hub,
                 on_torch=True),
)  # fmt: skip


def kind_of(spec: str) -> tuple[DetectorKind, str] | None:
    """The kind that ``spec`` is of and its argument; None where it is the name of something else, or incomplete."""
    for kind in KINDS:
        if not kind.argument and spec == kind.name:
            return kind, ""
        if kind.argument and spec.startswith(kind.name) and len(spec) > len(kind.name):
            return kind, spec.removeprefix(kind.name)
    return None
