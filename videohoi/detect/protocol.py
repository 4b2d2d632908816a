"""The interface of a detector, as the rest of the package uses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from videohoi.structures import Detections, Frame


@dataclass(frozen=True)
class DetectorInfo:
    """What the run report and the summary say about a detector."""

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


class LabelledBoxes(NamedTuple):
    """Q boxes of one picture under the model's own labels."""

    boxes_xyxy: NDArray[np.float32]
    """(Q, 4) corners in fractions of the picture"""
    scores: NDArray[np.float32]
    """(Q,)"""
    labels: NDArray[np.int64]
    """(Q,) which output of the model each box's class is"""


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
