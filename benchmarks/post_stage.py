"""Everything after the detector as shipped: tracking, pair head and smoothing, on boxes that jitter and are missed."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from benchmarks.harness import Claim, NotEqualError, Options, Row, Timing
from videohoi.graph import AnyNode
from videohoi.pipeline.bundled import load_pipeline
from videohoi.pipeline.model_stages import model_stages
from videohoi.pipeline.nodes import SmoothNode, TrackNode
from videohoi.sink.segment_builder import SegmentBuilder
from videohoi.smooth.smoother import InteractionSmoother
from videohoi.structures import Detections, Frame, FrameResult, Segment, SourceInfo
from videohoi.track.byte import ByteTracker
from videohoi.vocabulary import hico_det

FRAMES, RATE_HZ = 300, 30.0
LIMIT_MS = 1.5
NAMES = ("person", "person", "cup", "cup", "bottle", "chair", "dining_table")
"""what is seen at once; with its detector's misses, about as much as a clip of people at a table has"""
INFO = SourceInfo("benchmark", 1280, 720, RATE_HZ, FRAMES, FRAMES / RATE_HZ)
PICTURE = np.zeros((720, 1280, 3), np.uint8)


def scene(seed: int = 0) -> list[FrameResult]:
    """Frames with detections; humans and things sway, every tenth box is missed."""
    rng, vocabulary = np.random.default_rng(seed), hico_det()
    classes = np.array([vocabulary.object_id(name) for name in NAMES])
    sizes = np.where(classes == vocabulary.person_id, 260.0, 90.0)[:, None] * np.array([0.6, 1.0])
    corners = rng.uniform(100, 400, (len(NAMES), 2)) * np.array([2.0, 0.8])
    results = []
    for index in range(FRAMES):
        seen = rng.random(len(NAMES)) > 0.1
        sway = 30 * np.sin(index / RATE_HZ + np.arange(len(NAMES)))[:, None] + rng.normal(0, 1.5, (len(NAMES), 2))
        boxes = np.concatenate([corners + sway, corners + sway + sizes], axis=1)[seen].astype(np.float32)
        scores = rng.uniform(0.5, 0.95, int(seen.sum())).astype(np.float32)
        frame = Frame(PICTURE, index, index / RATE_HZ, INFO.source_id)
        results.append(FrameResult(frame, Detections(boxes, scores, classes[seen])))
    return results


def shipped_nodes() -> list[AnyNode]:
    """The stages after the detector, with the settings of the offline pipeline."""
    config, vocabulary = load_pipeline("offline_annotation").config, hico_det()
    after = model_stages(config.model, config.detect, config.interact, vocabulary).after
    track = TrackNode(ByteTracker(config.track, human_class_id=vocabulary.person_id))
    return [track, *after, SmoothNode(InteractionSmoother(vocabulary, config.smooth))]


def run(items: Sequence[FrameResult]) -> tuple[dict[str, float], list[FrameResult]]:
    """CPU seconds a frame of each node, and what came out."""
    seconds: dict[str, float] = {}
    for node in shipped_nodes():
        node.open(INFO)
        out: list[FrameResult] = []
        started = time.process_time()
        for item in items:
            out += node.process(item)
        out += node.drain()
        seconds[node.name] = (time.process_time() - started) / len(items)
        node.close(complete=True)
        items = out
    return seconds, list(items)


def compare(results: Sequence[FrameResult]) -> int:
    """Verbs active in all frames; ``NotEqualError`` where a frame shows anything but the final segments."""
    builder, final, count = SegmentBuilder(), list[Segment](), 0
    for result in results:
        final += builder.feed(result.events)
    if [result.frame.index for result in results] != list(range(FRAMES)):
        raise NotEqualError("not every frame came out once")
    for result in results:
        pts, pairs = result.frame.pts_seconds, result.interactions
        said = sum(segment.begin_seconds <= pts <= segment.end_seconds for segment in final)
        shown = 0 if pairs is None else int(pairs.active.sum())
        if shown != said:
            raise NotEqualError(f"frame {result.frame.index} shows {shown} interactions, the segments have {said}")
        count += shown
    return count


def check(options: Options) -> str:
    """Every frame shows the final segments."""
    return f"{compare(run(scene())[1])} active verbs of {FRAMES} frames against the final segments"


def measure(options: Options) -> Sequence[Row]:
    """CPU time of the chain, round by round."""
    items, equality = scene(), check(options)
    rounds = [run(items)[0] for _ in range(options.rounds)]
    totals = Timing("ours", tuple(sum(each.values()) for each in rounds))
    parts = {f"{name}: ms of CPU": float(np.median([each[name] for each in rounds]) * 1e3) for name in rounds[0]}
    milliseconds = totals.median_seconds * 1e3
    figures = {"ms of CPU a frame": milliseconds, **parts}
    return [
        Row(f"{len(NAMES)} things, {FRAMES} frames", equality, (totals,), figures=figures, met=milliseconds <= LIMIT_MS)
    ]


CLAIM = Claim(
    "post_stage",
    f"The shipped stages after the detector (track, interact, smooth) with the shipped settings take at most "
    f"{LIMIT_MS:g} ms of CPU a frame where {len(NAMES)} things are in view.",
    check,
    measure,
)
