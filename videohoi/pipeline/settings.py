"""The settings of a pipeline: one section for each stage."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from videohoi.compile.registry import engine_names
from videohoi.decode.factory import open_source
from videohoi.decode.protocol import Source
from videohoi.decode.registry import BACKENDS
from videohoi.decode.scene_cuts import CutSettings
from videohoi.errors import ConfigError
from videohoi.names import did_you_mean, nearest_names
from videohoi.pipeline.words import requested_vocabulary
from videohoi.ranges import Positive, PositiveSeconds, Range, Share, Threads, check_ranges
from videohoi.sink.registry import BY_NAME
from videohoi.smooth.config import SmoothingConfig
from videohoi.track.byte_config import ByteConfig
from videohoi.vocabulary import Vocabulary, hico_det


@dataclass(frozen=True)
class DecodeSettings:
    """How inputs are read."""

    frame_rate_hz: Positive | None = None
    """pictures a second of files, in place of their own times; None: their own, or 25 where they have none"""
    backend: str = "pyav"
    """what reads video files: pyav, or decord (needs the extra of that name)"""
    threads: Threads = 2
    """most threads that decode a video file"""
    stream: Annotated[int, Range(0, 1000)] | None = None
    """index of the video stream of files that have several, as FFmpeg counts; None: the film"""

    def __post_init__(self) -> None:
        check_ranges(self, "decode")
        check_name("decode.backend", self.backend, BACKENDS)

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
MOST_INPUT_PX = 8192
"""beyond it a picture alone takes more memory than most machines have"""


@dataclass(frozen=True)
class DetectSettings:
    """Which detector, and how it runs."""

    detector: str = "starter"
    """starter, onnx:FILE, hf:FOLDER, detr:FILE, or a name of ``videohoi models``"""
    score_threshold: Share | None = None
    """boxes below are dropped; None = the detector's own, low enough for the tracker's second association"""
    input_size_px: Annotated[int, Range(LEAST_INPUT_PX, MOST_INPUT_PX)] | None = None
    """long side of the network input; None = the detector's own"""
    threads: Threads = 1
    """threads of each ONNX engine; torch spreads over the cores by itself"""
    workers: Annotated[int, Range(1, 64)] = 2
    """frames detected at once, each by its own engine; results lag behind by as many frames"""
    engine: str = "onnxruntime"
    """onnxruntime, openvino, auto, or one that a package adds; of ONNX files"""
    device: str = "auto"
    """auto, cpu, cuda; of detectors that run on torch (detr:, hf:)"""

    def __post_init__(self) -> None:
        check_ranges(self, "detect")
        check_name("detect.engine", self.engine, engine_names())


@dataclass(frozen=True)
class InteractSettings:
    """Which boxes are paired, and how box scores enter verb scores."""

    human_score: Share = 0.3
    """humans below are not paired"""
    object_score: Share = 0.2
    """objects below are not paired"""
    box_lambda: Annotated[float, Range(0.0, 10.0)] = 0.3
    """exponent of the box scores in the verb score (interact/scoring.py)"""
    pair_limit: Annotated[int, Range(1, 10_000)] = 64
    """most pairs scored in a frame"""
    engine: str = "onnxruntime"
    """onnxruntime, openvino, auto, or one that a package adds; of the starter's pair head"""
    threads: Threads = 1
    """threads of that engine: the pairs of a frame are too little work for several"""

    def __post_init__(self) -> None:
        check_ranges(self, "interact")
        check_name("interact.engine", self.engine, engine_names())


@dataclass(frozen=True)
class CalibrationSettings:
    """Monotone map of scores (interact/scoring.py); None: the method's row of configs/models/calibration.yaml."""

    slope: Positive | None = None
    """above 0"""
    offset: Annotated[float, Range(-100.0, 100.0)] | None = None
    """added to the logit; above 100 every score is 0 or 1"""

    def __post_init__(self) -> None:
        check_ranges(self, "model.calibration")


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

    window_seconds: PositiveSeconds = 10.0
    """time span of the timeline strip"""
    lanes: Annotated[int, Range(0, 50)] = 4
    """interactions the strip shows at once"""
    preset: str = "superfast"
    """x264 preset; slower ones make smaller files"""
    crf: Annotated[int, Range(0, 51)] = 29
    """x264 quality, chosen for the screen: lower is better and larger"""
    max_width_px: Annotated[int, Range(160, 7680)] = 1280
    """wider pictures are scaled down to it; pictures narrower than 640 px are scaled up to that"""
    show_all: bool = False
    """boxes that take part in no interaction are named too, not only drawn thin and faint"""

    def __post_init__(self) -> None:
        check_ranges(self, "overlay")


def check_name(key: str, value: str, known: Collection[str]) -> None:
    """Raise ``ConfigError`` unless ``value`` is one of ``known``; the nearest is offered."""
    if value not in known:
        near = did_you_mean(nearest_names(value, known)[:1])
        raise ConfigError(f"{key}={value!r}: expected one of {', '.join(known)}{near}")


@dataclass(frozen=True)
class PipelineConfig:
    """Base of a pipeline's ``Config``: one section for each stage."""

    decode: DecodeSettings = field(default_factory=DecodeSettings)
    cuts: CutSettings = field(default_factory=CutSettings)
    detect: DetectSettings = field(default_factory=DetectSettings)
    interact: InteractSettings = field(default_factory=InteractSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    track: ByteConfig = field(default_factory=ByteConfig)
    smooth: SmoothingConfig = field(default_factory=SmoothingConfig)
    overlay: OverlaySettings = field(default_factory=OverlaySettings)
    outputs: tuple[str, ...] = tuple(BY_NAME)
    """what ``annotate`` writes beside report.json: some of these, and names of outputs that packages add"""

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The words of class ids and verb columns: HICO-DET's, or the user's own (``model.words``); read once.

        Raises:
            UsageError: as ``requested_vocabulary``.
        """
        return hico_det() if self.model.words is None else requested_vocabulary(self.model.words)


def base_config(config: Any) -> PipelineConfig:
    """``config`` itself if it is one; else the sections that it has, with defaults for the others."""
    if isinstance(config, PipelineConfig):
        return config
    sections = {section.name: getattr(config, section.name, None) for section in fields(PipelineConfig)}
    defaults = PipelineConfig()
    own = {name: value for name, value in sections.items() if isinstance(value, type(getattr(defaults, name)))}
    return PipelineConfig(**own)
