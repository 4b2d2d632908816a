"""Settings of the stages that have no settings class of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from videohoi.decode.factory import BACKENDS, open_source
from videohoi.decode.protocol import Source
from videohoi.errors import UsageError


@dataclass(frozen=True)
class DecodeSettings:
    """How inputs are read."""

    frame_rate_hz: float | None = None
    """pictures a second of files, in place of their own times; None: their own, or 25 where they have none"""
    backend: str = "pyav"
    """what reads video files: pyav, or decord (needs the extra of that name)"""
    threads: int = 2
    """most threads that decode a video file"""
    stream: int | None = None
    """index of the video stream of files that have several, as FFmpeg counts; None: the film"""

    def __post_init__(self) -> None:
        if self.frame_rate_hz is not None and not 0 < self.frame_rate_hz < float("inf"):
            raise UsageError(f"decode.frame_rate_hz={self.frame_rate_hz}: expected images a second, above 0")
        if self.backend not in BACKENDS:
            raise UsageError(f"decode.backend={self.backend!r}: expected one of {', '.join(BACKENDS)}")
        if self.threads < 1:
            raise UsageError(f"decode.threads={self.threads}: expected 1 or more")

    def open(self, spec: str | int | Path, *, source_id: str | None = None) -> Source:
        """The source that reads ``spec``; errors as ``decode.factory.open_source``."""
        return open_source(
            spec,
            source_id=source_id,
            backend=self.backend,
            frame_rate_hz=self.frame_rate_hz,
            decode_threads=self.threads,
            stream=self.stream,
        )


LEAST_INPUT_PX = 32
"""one cell of the coarsest feature map of every detector here"""


@dataclass(frozen=True)
class DetectSettings:
    """Which detector, and how it runs."""

    detector: str = "starter"
    """starter, onnx:FILE, hf:FOLDER, detr:FILE, or a name of ``videohoi models``"""
    score_threshold: float | None = None
    """boxes below are dropped; None = the detector's own, low enough for the tracker's second association"""
    input_size_px: int | None = None
    """long side of the network input; None = the detector's own"""
    threads: int = 1
    """threads of each ONNX engine; torch spreads over the cores by itself"""
    workers: int = 2
    """frames detected at once, each by an engine of its own; results lag behind by as many frames"""
    engine: str = "onnxruntime"
    """onnxruntime, openvino or auto; of ONNX files"""
    device: str = "auto"
    """auto, cpu, cuda; of detectors that run on torch (detr:, hf:)"""

    def __post_init__(self) -> None:
        if self.input_size_px is not None and self.input_size_px < LEAST_INPUT_PX:
            raise UsageError(f"detect.input_size_px={self.input_size_px}: expected {LEAST_INPUT_PX} or more")
        if self.score_threshold is not None and not 0 <= self.score_threshold <= 1:
            raise UsageError(f"detect.score_threshold={self.score_threshold}: expected a number from 0 to 1")
        for name in ("threads", "workers"):
            if getattr(self, name) < 1:
                raise UsageError(f"detect.{name}={getattr(self, name)}: expected 1 or more")


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
class CalibrationSettings:
    """Monotone map of scores (interact/scoring.py); None: the method's row of configs/models/calibration.yaml."""

    slope: float | None = None
    """above 0"""
    offset: float | None = None


@dataclass(frozen=True)
class ModelSettings:
    """Which method names the verbs; see docs/methods.md."""

    name: str = "starter"
    """starter, or a method of ``videohoi models``"""
    weights: str | None = None
    """file of ``videohoi models import``"""
    clip_weights: str | None = None
    """file of CLIP weights, or ``random`` to try the wiring"""
    words: str | None = None
    """``hold cup, drink from bottle`` or a word list FILE.yaml, for methods that compare with text"""
    device: str = "auto"
    """auto, cpu, cuda"""
    options: dict[str, Any] = field(default_factory=dict)
    """values of the method's own settings (configs/models/NAME.yaml)"""
    calibration: CalibrationSettings = field(default_factory=CalibrationSettings)


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


def decode_settings(config: Any) -> DecodeSettings:
    """Of a pipeline's config; the usual ones where a user's own pipeline has none."""
    found = getattr(config, "decode", None)
    return found if isinstance(found, DecodeSettings) else DecodeSettings()
