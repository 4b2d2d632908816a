"""Settings of the stages that have no settings class of their own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DetectSettings:
    """Which detector, and how it runs."""

    detector: str = "starter"
    """starter, onnx:FILE, or a name of ``videohoi models``"""
    score_threshold: float | None = None
    """boxes below are dropped; None = the detector's own, low enough for the tracker's second association"""
    input_size_px: int | None = None
    """long side of the network input; None = the detector's own"""
    threads: int = 1
    """threads of each engine"""
    workers: int = 2
    """frames detected at once, each by an engine of its own; results lag behind by as many frames"""
    engine: str = "onnxruntime"
    """onnxruntime, openvino or auto"""


@dataclass(frozen=True)
class InteractSettings:
    """Which boxes are paired, and how box scores enter verb scores."""

    human_score: float = 0.3
    """humans below are not paired"""
    object_score: float = 0.2
    """objects below are not paired"""
    box_lambda: float = 0.3
    """exponent of the box scores in the verb score (interact/fusion.py)"""
    pair_limit: int = 64
    """most pairs scored in a frame"""


@dataclass(frozen=True)
class OverlaySettings:
    """The overlay video."""

    window_seconds: float = 10.0
    """time span of the timeline strip"""
    lanes: int = 4
    """interactions the strip shows at once"""
    preset: str = "ultrafast"
    """x264 preset"""
    crf: int = 23
    """x264 quality; lower is better"""
