"""The kinds of detectors: one table, from which the factory, ``--help``, ``models`` and its errors come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from videohoi.plugins import build_part

if TYPE_CHECKING:  # it loads numpy
    from videohoi.detect.protocol import Detector

DEFAULT_SCORE_THRESHOLD = 0.1
"""low enough for the tracker's second association; see ``SelectionSettings``"""
STARTER_SCORE_THRESHOLD = 0.15
"""0.05 before the starter's calibration: of the boxes below, about one in ten is right"""


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
    """required besides this package; empty: nothing"""
    licence: str
    builder: str
    """``module:function``, imported when it is used; the function takes a ``DetectorRequest``"""
    score_threshold: float = DEFAULT_SCORE_THRESHOLD
    on_torch: bool = False
    """imports torch when it opens, and spreads over the cores by itself"""

    @property
    def usage(self) -> str:
        """As in help: ``onnx:FILE``."""
        return f"{self.name}{self.argument}"

    def build(self, request: DetectorRequest) -> Detector:
        """The detector, not yet opened."""
        detector: Detector = build_part(self.builder, request)
        return detector


STARTER, ONNX_PREFIX, DETR_PREFIX, HUB_PREFIX = "starter", "onnx:", "detr:", "hf:"
KINDS: tuple[DetectorKind, ...] = (
    DetectorKind(STARTER, "", "shipped, trained by this project: person and 80 classes", "", "Apache-2.0",
                 "videohoi.detect.starter:build", score_threshold=STARTER_SCORE_THRESHOLD),
    DetectorKind(ONNX_PREFIX, "FILE", "any YOLOX- or PicoDet-style ONNX file of 80 COCO classes", "", "yours",
                 "videohoi.detect.onnx_detector:build"),
    DetectorKind(DETR_PREFIX, "FILE", "DETR-R50 checkpoint", "torch", "Apache-2.0",
                 "videohoi.detect.torch_detectors:build_detr", on_torch=True),
    DetectorKind(HUB_PREFIX, "FOLDER", "D-FINE, RT-DETR, RT-DETRv2 of transformers", "torch", "Apache-2.0",
                 "videohoi.detect.torch_detectors:build_hub", on_torch=True),
)  # fmt: skip


def kind_of(spec: str) -> tuple[DetectorKind, str] | None:
    """The kind that ``spec`` is of and its argument; None where it is the name of something else, or incomplete."""
    for kind in KINDS:
        if not kind.argument and spec == kind.name:
            return kind, ""
        if kind.argument and spec.startswith(kind.name) and len(spec) > len(kind.name):
            return kind, spec.removeprefix(kind.name)
    return None
