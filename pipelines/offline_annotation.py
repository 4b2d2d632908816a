"""Annotate recorded video: every frame, bounded queues that wait, decisions that may look ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from videohoi.decode.protocol import Source
from videohoi.decode.scene_cuts import CutSettings
from videohoi.graph import AnyNode, EdgePolicy
from videohoi.pipeline.kept_models import ModelShelf
from videohoi.pipeline.model_stages import model_stages
from videohoi.pipeline.nodes import CutNode, SinkNode, SmoothNode, TrackNode
from videohoi.pipeline.settings import DecodeSettings, DetectSettings, InteractSettings, ModelSettings, OverlaySettings
from videohoi.pipeline.stage_graph import StageGraph
from videohoi.pipeline.words import vocabulary_of
from videohoi.sink.protocol import Sink
from videohoi.smooth.config import SmoothingConfig
from videohoi.smooth.smoother import InteractionSmoother
from videohoi.track.byte import ByteTracker
from videohoi.track.byte_config import ByteConfig


@dataclass(frozen=True)
class Config:
    """Settings of offline annotation; ``configs/pipelines/offline_annotation.yaml`` lists them."""

    decode: DecodeSettings = field(default_factory=DecodeSettings)
    cuts: CutSettings = field(default_factory=CutSettings)
    detect: DetectSettings = field(default_factory=DetectSettings)
    interact: InteractSettings = field(default_factory=InteractSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    track: ByteConfig = field(default_factory=ByteConfig)
    smooth: SmoothingConfig = field(default_factory=SmoothingConfig)
    overlay: OverlaySettings = field(default_factory=OverlaySettings)
    edge_capacity: int = 2
    """frames that may wait between two threads"""


def build(
    config: Config,
    source: Source,
    branches: Sequence[Sequence[Sink]] = (),
    header: dict[str, Any] | None = None,
    shelf: ModelShelf | None = None,
) -> StageGraph:
    """One graph: decode | cuts > detect | track > interact > smooth | one thread for each branch of sinks.

    A method that finds boxes and verbs at once does both at ``detect``. The models come from ``shelf``, where they
    stay open for the next run; without one they are loaded for this run.
    """
    vocabulary = vocabulary_of(config)
    model = model_stages(config.model, config.detect, config.interact, vocabulary, shelf)
    post: list[AnyNode] = [
        TrackNode(ByteTracker(config.track, human_class_id=vocabulary.person_id)),
        *model.after,
        SmoothNode(InteractionSmoother(vocabulary, config.smooth)),
    ]
    sinks: list[list[AnyNode]] = [[SinkNode(sink, header or {}) for sink in branch] for branch in branches]
    edges = EdgePolicy("lossless", config.edge_capacity)
    return StageGraph(source, [[], [CutNode(config.cuts), *model.before], post], sinks, edges)
