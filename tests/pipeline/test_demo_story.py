"""The demo clip with its true boxes through the real stages: the cup is held exactly while it is at the person."""

from __future__ import annotations

import numpy as np
import pytest
from scripted_detector import ScriptedDetector

from videohoi.demo.compose import compose_demo
from videohoi.graph import Graph, IterableSource
from videohoi.interact.heads.starter import StarterPairHead
from videohoi.pipeline.detect_node import DetectNode
from videohoi.pipeline.nodes import InteractNode, SmoothNode, TrackNode
from videohoi.sink.segment_builder import SegmentBuilder
from videohoi.smooth.config import SmoothingConfig
from videohoi.smooth.smoother import InteractionSmoother
from videohoi.structures import Detections, FrameResult, SourceInfo
from videohoi.track.byte import ByteTracker
from videohoi.track.byte_config import ByteConfig
from videohoi.vocabulary import hico_det

FRAME_RATE_HZ = 12.5
EDGE_SECONDS = 0.3
"""how far the begin and end of the hold may lie from the truth"""


def true_detections(truth) -> dict[int, Detections]:
    vocabulary = hico_det()
    classes = np.array([vocabulary.person_id, vocabulary.object_id("cup")])
    scores = np.array([0.9, 0.8], np.float32)
    boxes = np.stack([truth.person_boxes_xyxy_px, truth.cup_boxes_xyxy_px], axis=1)
    return {index: Detections(pair, scores, classes) for index, pair in enumerate(boxes)}


@pytest.fixture(scope="module")
def story():
    """(truth, all segments, all results without pictures)."""
    clip = compose_demo(9.0, FRAME_RATE_HZ, height_px=240)
    truth, vocabulary = clip.truth, hico_det()
    info = SourceInfo("demo", truth.width_px, truth.height_px, FRAME_RATE_HZ, truth.frame_count, 9.0)
    post = [
        TrackNode(ByteTracker(ByteConfig(), human_class_id=vocabulary.person_id)),
        InteractNode(StarterPairHead(use_appearance=False)),
        SmoothNode(InteractionSmoother(vocabulary, SmoothingConfig())),
    ]
    detect = DetectNode([ScriptedDetector(true_detections(truth))])
    graph: Graph[FrameResult] = Graph(IterableSource(clip.frames(), info), [[], [detect], post])
    builder, segments, ids = SegmentBuilder(), [], set()
    for result in graph.iterate():
        segments += builder.feed(result.events)
        ids |= set(result.tracks.track_ids.tolist())
    return truth, segments + builder.finish(), ids - {-1}


def test_the_hold_is_found_between_arrival_and_departure(story):
    truth, segments, _ = story
    holds = [segment for segment in segments if (segment.verb, segment.object_class) == ("hold", "cup")]
    assert len(holds) == 1, "once, and neither before nor after"
    begin, end = holds[0].begin_seconds, holds[0].end_seconds
    assert begin == pytest.approx(truth.hold_begin_seconds, abs=EDGE_SECONDS)
    assert end == pytest.approx(truth.hold_end_seconds, abs=EDGE_SECONDS)
    overlap = min(end, truth.hold_end_seconds) - max(begin, truth.hold_begin_seconds)
    union = max(end, truth.hold_end_seconds) - min(begin, truth.hold_begin_seconds)
    assert overlap / union > 0.7


def test_person_and_cup_keep_their_identity(story):
    _, segments, ids = story
    assert len(ids) == 2
    assert {segment.human_id for segment in segments} | {segment.object_id for segment in segments} == ids
