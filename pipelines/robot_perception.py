"""Perception of a robot: one camera or several, the newest frame wins, decisions that do not look ahead.

Where the model is slower than a camera, frames are dropped before it, and counted; what the model has seen is never
lost. Each camera has a graph of its own, so one that stalls or fails does not hold up the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from videohoi.decode.protocol import Source
from videohoi.detect.factory import create_detector
from videohoi.errors import UsageError
from videohoi.graph import AnyNode, Batcher, BatchPolicy, EdgePolicy, MultiGraph, RunRecord
from videohoi.pipeline.between_runs import ModelShelf
from videohoi.pipeline.model_stages import model_stages
from videohoi.pipeline.nodes import CutNode, DetectBatch, SinkNode, SmoothNode, TrackNode
from videohoi.pipeline.settings import DetectSettings, PipelineConfig
from videohoi.pipeline.stage_graph import StageGraph
from videohoi.ranges import PositiveSeconds, Seconds, check_ranges
from videohoi.sink.protocol import Sink
from videohoi.smooth.config import SmoothingConfig
from videohoi.smooth.smoother import InteractionSmoother
from videohoi.track.byte import ByteTracker

POLICY = "latest"
Branches = Sequence[Sequence[Sink]]


@dataclass(frozen=True)
class Config(PipelineConfig):
    """Settings of live perception; ``configs/pipelines/robot_perception.yaml`` lists them."""

    detect: DetectSettings = field(default_factory=lambda: DetectSettings(threads=2, workers=1))  # workers cost frames
    smooth: SmoothingConfig = field(default_factory=lambda: SmoothingConfig(lookahead_seconds=0.0))
    staleness_seconds: PositiveSeconds | None = 0.5
    """a frame older than this when its turn comes is dropped and counted; None: never"""
    batch_wait_seconds: Seconds = 0.01
    """longest wait of a camera's frame for those of the others; only with several cameras"""
    record_to: str | None = None
    """file that records which frames came and were dropped; ``{source}`` is replaced by the camera's name"""
    replay_from: str | None = None
    """such a file: the same frames are dropped again, at any speed"""

    def __post_init__(self) -> None:
        check_ranges(self, "pipeline")


def build(config: Config, source: Source, branches: Branches = (), header: dict[str, Any] | None = None,
          shelf: ModelShelf | None = None) -> StageGraph:  # fmt: skip
    """One graph: decode |latest| cuts > detect | track > interact > smooth | one thread for each branch of sinks."""
    model = model_stages(config.model, config.detect, config.interact, config.vocabulary, shelf)
    return _graph(config, source, [*model.before], [*model.after], branches, header)


def build_many(
    config: Config,
    sources: Mapping[str, Source],
    branches: Callable[[str], Branches] = lambda name: (),
    header: dict[str, Any] | None = None,
) -> MultiGraph:
    """A graph for each camera over one shared detector; ``branches`` makes the sinks of the camera of a name.

    Raises ``UsageError`` for a method that finds its own boxes: it cannot be shared.
    """
    detect, vocabulary = config.detect, config.vocabulary
    detector = create_detector(
        detect.detector, threads=detect.threads, score_threshold=detect.score_threshold,
        input_size_px=detect.input_size_px, engine=detect.engine, device=detect.device,
    )  # fmt: skip
    batcher = Batcher(DetectBatch(detector), BatchPolicy(max(len(sources), 1), config.batch_wait_seconds))
    graphs: dict[str, StageGraph] = {}
    for name, source in sources.items():
        after = model_stages(config.model, detect, config.interact, vocabulary).after
        if not after:
            raise UsageError(f"model {config.model.name} finds its own boxes; run one camera, or choose another model")
        graphs[name] = _graph(config, source, [batcher.lane()], [*after], branches(name), header, name)
    return MultiGraph(graphs, [batcher])


def _graph(
    config: Config, source: Source, detect: list[AnyNode], interact: list[AnyNode], branches: Branches,
    header: dict[str, Any] | None, name: str = "camera",
) -> StageGraph:  # fmt: skip
    vocabulary, full_header = config.vocabulary, {**(header or {}), "policy": POLICY}
    tracker = ByteTracker(config.track, human_class_id=vocabulary.person_id)
    post = [TrackNode(tracker), *interact, SmoothNode(InteractionSmoother(vocabulary, config.smooth))]
    sinks: list[list[AnyNode]] = [[SinkNode(sink, full_header) for sink in branch] for branch in branches]
    edges = [EdgePolicy.latest(1, config.staleness_seconds), EdgePolicy.lossless(1)]
    record_to, replay = (path and path.replace("{source}", name) for path in (config.record_to, config.replay_from))
    return StageGraph(source, [[], [CutNode(config.cuts), *detect], post], sinks, edges, record_to=record_to,
                      replay=RunRecord.load(replay) if replay else None)  # fmt: skip
