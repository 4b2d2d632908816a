"""What the nodes add to the stages they hold."""

from __future__ import annotations

import numpy as np

from videohoi.detect.scripted import ScriptedDetector
from videohoi.interact.heads.starter import StarterPairHead
from videohoi.pipeline.detect_node import DetectNode
from videohoi.pipeline.nodes import InteractNode, SinkNode
from videohoi.sink.memory import ListSink
from videohoi.structures import Detections, Frame, FrameResult, SourceInfo, Tracks
from videohoi.vocabulary import hico_det

INFO = SourceInfo("clip", 320, 240, 10.0, 2, 0.2)
FRAME = Frame(np.zeros((240, 320, 3), np.uint8), 0, 0.0, "clip")


def tracks(*ids, ended=()):
    return Tracks(np.array(ids, np.int64), np.zeros(len(ids), np.int64), ended_ids=ended)


def people(count):
    boxes = np.array([[30 * n, 20, 30 * n + 40, 200] for n in range(count)], np.float32)
    return Detections(boxes, np.full(count, 0.9, np.float32), np.full(count, hico_det().person_id, np.int64))


def test_a_detect_node_tells_which_detector_it_holds():
    node = DetectNode([ScriptedDetector({0: people(2)})])
    node.open(INFO)
    (result,) = node.process(FRAME)
    assert len(result.detections) == 2
    facts = node.facts()["detector"]
    assert facts["name"] == facts["engine"] == "scripted"


def test_pairs_cut_by_the_cap_are_counted_and_a_new_source_starts_from_zero():
    node = InteractNode(StarterPairHead(pair_limit=2, use_appearance=False))
    node.open(INFO)
    result = FrameResult(FRAME, detections=people(3), tracks=tracks(1, 2, 3))
    for _ in range(2):
        (scored,) = node.process(result)
        assert len(scored.pair_scores) == 2
    assert node.facts()["truncated_pairs"] == 2 * (6 - 2), "three people make six ordered pairs"
    assert node.facts()["head"]["name"] == "starter"
    node.open(INFO)
    assert node.facts()["truncated_pairs"] == 0
    node.close(complete=True)


def test_only_rows_with_a_track_are_paired():
    node = InteractNode(StarterPairHead(use_appearance=False))
    node.open(INFO)
    (scored,) = node.process(FrameResult(FRAME, detections=people(2), tracks=tracks(1, -1)))
    assert len(scored.pair_scores) == 0
    node.close(complete=True)


def test_a_sink_node_opens_and_feeds_but_leaves_closing_to_the_owner_of_the_run():
    sink = ListSink()
    node = SinkNode(sink, {"policy": "lossless"})
    node.open(INFO)
    assert list(node.process(FrameResult(FRAME))) == sink.results
    node.close(complete=True)
    assert sink.header == {"policy": "lossless"}
    assert sink.complete is None
