"""The interface of a detector, as the rest of the package uses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from videohoi.structures import Detections, Frame


@dataclass(frozen=True)
class DetectorInfo:
    """What the run report and the summary say of a detector."""

    name: str
    """as given to ``--detector``"""
    engine: str
    """what runs it: onnxruntime, openvino, scripted, ..."""
    weights_sha256: str | None
    input_size_px: int | None
    """long side of the network input"""
    feature_channels: int
    """C of ``Detections.feature_map``; 0 when it has none"""
    note: str = ""
    """one sentence for the end-of-run summary: what it is and what would be better"""


class Detector(Protocol):
    """Finds humans and objects. One thread at a time; ``open`` loads and warms up, ``close`` frees."""

    @property
    def info(self) -> DetectorInfo:
        """Known after ``open``."""
        ...

    def open(self) -> None:
        """Load weights; raises ``ModelError`` naming the file and what to do."""
        ...

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """One ``Detections`` per frame, boxes in that frame's pixels, class ids of the HICO-DET/COCO vocabulary."""
        ...

    def close(self) -> None:
        """Free the engine; may be called twice."""
        ...
