"""Annotate recorded video: every frame, bounded queues that wait, decisions that may look ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from videohoi.decode.protocol import Source
from videohoi.graph import AnyNode, EdgePolicy
from videohoi.pipeline.between_runs import ModelShelf
from videohoi.pipeline.model_stages import model_stages
from videohoi.pipeline.nodes import CutNode, SinkNode, SmoothNode, TrackNode
from videohoi.pipeline.settings import PipelineConfig
from videohoi.pipeline.stage_graph import StageGraph
from videohoi.ranges import Range, check_ranges
from videohoi.sink.protocol import Sink
from videohoi.smooth.smoother import InteractionSmoother
from videohoi.track.byte import ByteTracker


@dataclass(frozen=True)
class Config(PipelineConfig):
    """Settings of offline annotation; ``configs/pipelines/offline_annotation.yaml`` lists them."""

    edge_capacity: Annotated[int, Range(1, 1000)] = 2
    """frames that may wait between two threads"""

    def __post_init__(self) -> None:
        check_ranges(self, "pipeline")


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
    vocabulary = config.vocabulary
    model = model_stages(config.model, config.detect, config.interact, vocabulary, shelf)
    post: list[AnyNode] = [
        TrackNode(ByteTracker(config.track, human_class_id=vocabulary.person_id)),
        *model.after,
        SmoothNode(InteractionSmoother(vocabulary, config.smooth)),
    ]
    sinks: list[list[AnyNode]] = [[SinkNode(sink, header or {}) for sink in branch] for branch in branches]
    edges = EdgePolicy("lossless", config.edge_capacity)
    return StageGraph(source, [[], [CutNode(config.cuts), *model.before], post], sinks, edges)
