"""The interface of an interaction head, as the rest of the package uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from videohoi.structures import Detections, Frame, Interactions


@dataclass(frozen=True)
class HeadInfo:
    """What the run report and the summary say of a head."""

    name: str
    """as given to ``--head``"""
    engine: str
    """what runs it: onnxruntime, eager, ..."""
    weights_sha256: str | None
    verb_count: int
    """V of ``Interactions.verb_scores``"""
    feature_channels: int
    """C of the detector feature map it looks at; 0 when it uses boxes only"""
    note: str = ""
    """one sentence for the end-of-run summary: what it is and what would be better"""


class HOIHead(Protocol):
    """Scores the verbs of a frame's human-object pairs. One thread at a time."""

    @property
    def info(self) -> HeadInfo:
        """Known after ``open``."""
        ...

    def open(self) -> None:
        """Load weights; raises ``ModelError`` naming the file and what to do."""
        ...

    def score(self, frame: Frame, detections: Detections) -> Interactions:
        """Pairs of the frame with verb scores after fusion; no pair gives an empty result, never an error."""
        ...

    def close(self) -> None:
        """Free the engine; may be called twice."""
        ...
