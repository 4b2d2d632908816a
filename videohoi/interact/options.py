"""What a head or one-stage model is made with, whatever the method."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from videohoi.interact.fusion import STREAMING_LAMBDA
from videohoi.interact.pairs import PAIR_LIMIT
from videohoi.interact.scoring import Calibration
from videohoi.vocabulary import Vocabulary


@dataclass(frozen=True)
class ModelOptions:
    """Settings of one run; each method takes what it needs."""

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
