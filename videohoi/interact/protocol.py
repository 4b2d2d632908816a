"""The interfaces of heads and one-stage models, and the options that all of them take."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from videohoi.interact.pairs import PAIR_LIMIT
from videohoi.interact.scoring import STREAMING_LAMBDA, Calibration, ScoreRule
from videohoi.structures import Detections, Frame, Interactions
from videohoi.structures.interactions import HOIOutput
from videohoi.vocabulary import Vocabulary


@dataclass(frozen=True)
class HeadInfo:
    """What the run report and the summary say about a head."""

    name: str
    """as given to ``--head``"""
    engine: str
    """what runs it: onnxruntime, eager, ..."""
    weights_sha256: str | None
    verb_count: int
    """V of ``Interactions.verb_scores``"""
    feature_channels: int
    """C of the detector feature map it reads; 0 when it uses boxes only"""
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


class HOIRunner(Protocol):
    """A model with its weights: a frame in, one picture's ``HOIOutput`` of numpy arrays out."""

    @property
    def info(self) -> HeadInfo:
        """Known after ``open``."""
        ...

    @property
    def rule(self) -> ScoreRule:
        """How its logits become scores; known after ``open``."""
        ...

    @property
    def boxes_note(self) -> str:
        """Where the boxes come from, for the run report."""
        ...

    def open(self) -> None:
        """Load weights; raises ``ModelError`` naming the file and what to do."""
        ...

    def run(self, frame: Frame) -> HOIOutput[NDArray[Any]]:
        """B = 1."""
        ...

    def close(self) -> None:
        """Free the model; may be called twice."""
        ...


@dataclass(frozen=True)
class ModelOptions:
    """Settings of one run; each method uses those it needs."""

    vocabulary: Vocabulary
    """the words of the run: HICO-DET's, or those of ``--vocab``"""
    own_words: bool = False
    """the vocabulary is not the one that the method was trained with"""
    weights: Path | None = None
    """file of ``videohoi models import``"""
    detector: Path | None = None
    """DETR weights in place of those that a method carries along"""
    clip_weights: str | None = None
    """file of CLIP weights, or ``random``"""
    config: Any = None
    """an instance of the method's config dataclass; None: its defaults"""
    calibration: Calibration = field(default_factory=Calibration)
    device: str = "auto"
    human_score: float = 0.3
    """humans below are not paired"""
    object_score: float = 0.2
    """objects below are not paired"""
    box_lambda: float = STREAMING_LAMBDA
    """exponent of the box scores, see ``fusion``"""
    pair_limit: int = PAIR_LIMIT
    """most pairs scored in a frame"""
    box_score: float = 0.1
    """boxes that a method finds itself are dropped below"""
    input_size_px: int | None = None
    """long side of the picture of a method that finds its own boxes; None: as published"""
