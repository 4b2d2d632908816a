"""The settings that every shipped pipeline has, and how they are read from a pipeline of the user's own."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from videohoi.decode.scene_cuts import CutSettings
from videohoi.pipeline.settings import DecodeSettings, DetectSettings, InteractSettings, ModelSettings, OverlaySettings
from videohoi.pipeline.words import requested_vocabulary
from videohoi.sink.registry import BY_NAME
from videohoi.smooth.config import SmoothingConfig
from videohoi.track.byte_config import ByteConfig
from videohoi.vocabulary import Vocabulary, hico_det


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
    """``config`` itself if it is one; of any other class the sections that it has, with defaults for the others."""
    if isinstance(config, PipelineConfig):
        return config
    sections = {section.name: getattr(config, section.name, None) for section in fields(PipelineConfig)}
    defaults = PipelineConfig()
    kept = {name: value for name, value in sections.items() if isinstance(value, type(getattr(defaults, name)))}
    return PipelineConfig(**kept)
