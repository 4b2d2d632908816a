"""What the nodes add to the stages they hold."""

from __future__ import annotations

import numpy as np
import pytest
from scripted_detector import ScriptedDetector

from videohoi.errors import StageError
from videohoi.graph import BaseNode, Graph, IterableSource
from videohoi.interact.heads.starter import StarterPairHead
from videohoi.interact.hoi_detector import HOIDetector
from videohoi.interact.protocol import HeadInfo
from videohoi.interact.scoring import ClassRows, ScoreRule
from videohoi.pipeline.detect_node import DetectNode
from videohoi.pipeline.nodes import HeldSink, HOIDetectNode, InteractNode, SinkNode, TrackNode
from videohoi.sink.memory import ListSink
from videohoi.structures import Detections, Frame, FrameResult, SourceInfo, Tracks
from videohoi.structures.interactions import HOIOutput
from videohoi.track.byte import ByteTracker
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


def test_a_sink_node_closes_what_it_opened_unless_the_owner_of_the_run_holds_it():
    sink = ListSink()
    node = SinkNode(sink, {"policy": "lossless"})
    node.open(INFO)
    assert list(node.process(FrameResult(FRAME))) == sink.results
    node.close(complete=True)
    assert sink.header == {"policy": "lossless"}
    assert sink.complete is True
    held = ListSink()
    node = SinkNode(HeldSink(held), {})
    node.open(INFO)
    assert list(node.process(FrameResult(FRAME))) == held.results
    node.close(complete=True)
    assert held.complete is None


def test_a_graph_closes_its_sinks_as_unfinished_when_a_stage_fails():
    class Failing(BaseNode):
        def process(self, item):
            if item.index == 2:
                raise ValueError("broken")
            return (FrameResult(item),)

    sink = ListSink()
    frames = [Frame(np.zeros((8, 8, 3), np.uint8), index, index / 10, "x") for index in range(5)]
    graph = Graph(IterableSource(frames, INFO), [[], [Failing("model")]], branches=[[SinkNode(sink, {})]])
    with pytest.raises(StageError, match="broken"):
        graph.run()
    assert sink.complete is False
    assert len(sink.results) == 2


class TwoClasses:
    """A model that sees a person and one thing, and is sure of the verbs of every class."""

    rule = ScoreRule(hico_det(), "fusion", ClassRows.interactions(hico_det()))
    info = HeadInfo("fixed", "none", None, len(hico_det().verbs), 0)
    boxes_note = ""

    def __init__(self):
        self.frames = 0

    def open(self):
        pass

    def run(self, frame):
        """A tv in the first frames, then a refrigerator in one."""
        vocabulary = hico_det()
        thing = vocabulary.object_id("tv" if self.frames < 20 else "refrigerator")
        self.frames += 1
        return HOIOutput(
            boxes_cxcywh=np.array([[[0.3, 0.5, 0.2, 0.8], [0.7, 0.5, 0.3, 0.5]]], np.float32),
            pair_rows=np.array([[[0, 1]]]), pair_mask=np.ones((1, 1), bool),
            logits=np.full((1, 1, len(vocabulary.interactions)), 2.0, np.float32),
            scores=np.full((1, 2), 0.9, np.float32), class_ids=np.array([[vocabulary.person_id, thing]]),
        )  # fmt: skip

    def close(self):
        pass


def test_a_method_that_finds_its_own_boxes_sees_the_classes_that_tracks_voted_for():
    vocabulary = hico_det()
    tv, fridge = (vocabulary.object_id(name) for name in ("tv", "refrigerator"))
    detect = HOIDetectNode(HOIDetector(TwoClasses()))
    track = TrackNode(ByteTracker(compiled=False, human_class_id=vocabulary.person_id))
    for node in (detect, track):
        node.open(INFO)
    acting = vocabulary.valid & vocabulary.acting_verbs
    for index in range(21):
        frame = Frame(FRAME.image, index, index / 10, "clip")
        (found,) = detect.process(frame)
        (result,) = track.process(found)
        scored = result.pair_scores
        assert scored.rescore is None
        ((row,),) = [scored.pairs.object_rows]
        assert result.tracks.class_ids[row] == tv
        assert (scored.verb_scores[0] > 0).tolist() == acting[tv].tolist()
    assert result.detections.class_ids[row] == fridge, "the model itself named another class in the last frame"
