"""Annotate recorded video: every frame, bounded queues that wait, decisions that may look ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from videohoi.decode.protocol import Source
from videohoi.detect.factory import create_detector
from videohoi.graph import AnyNode, EdgePolicy
from videohoi.interact.heads.starter import StarterPairHead
from videohoi.pipeline.detect_node import DetectNode
from videohoi.pipeline.nodes import InteractNode, SinkNode, SmoothNode, TrackNode
from videohoi.pipeline.settings import DetectSettings, InteractSettings, OverlaySettings
from videohoi.pipeline.stage_graph import StageGraph
from videohoi.sink.protocol import Sink
from videohoi.smooth.config import SmoothingConfig
from videohoi.smooth.smoother import InteractionSmoother
from videohoi.track.byte import ByteTracker
from videohoi.track.byte_config import ByteConfig
from videohoi.vocabulary import hico_det


@dataclass(frozen=True)
class Config:
    """Settings of offline annotation; ``configs/pipelines/offline_annotation.yaml`` lists them."""

    detect: DetectSettings = field(default_factory=DetectSettings)
    interact: InteractSettings = field(default_factory=InteractSettings)
    track: ByteConfig = field(default_factory=ByteConfig)
    smooth: SmoothingConfig = field(default_factory=SmoothingConfig)
    overlay: OverlaySettings = field(default_factory=OverlaySettings)
    edge_capacity: int = 2
    """frames that may wait between two threads"""


def build(
    config: Config, source: Source, branches: Sequence[Sequence[Sink]] = (), header: dict[str, Any] | None = None
) -> StageGraph:
    """One graph: decode | detect | track > interact > smooth | one thread for each branch of sinks."""
    detect, pair, vocabulary = config.detect, config.interact, hico_det()
    detectors = [
        create_detector(
            detect.detector,
            threads=detect.threads,
            score_threshold=detect.score_threshold,
            input_size_px=detect.input_size_px,
            engine=detect.engine,
        )
        for _ in range(detect.workers)
    ]
    head = StarterPairHead(
        human_score=pair.human_score,
        object_score=pair.object_score,
        box_lambda=pair.box_lambda,
        pair_limit=pair.pair_limit,
        use_appearance=detect.detector == "starter",
    )
    post: list[AnyNode] = [
        TrackNode(ByteTracker(config.track, human_class_id=vocabulary.person_id)),
        InteractNode(head),
        SmoothNode(InteractionSmoother(vocabulary, config.smooth)),
    ]
    sinks: list[list[AnyNode]] = [[SinkNode(sink, header or {}) for sink in branch] for branch in branches]
    edges = EdgePolicy("lossless", config.edge_capacity)
    return StageGraph(source, [[], [DetectNode(detectors)], post], sinks, edges)
