"""A film of two shots through the shipped stages: nothing spans the cut, and everybody who reads results can see it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scripted_detector import ScriptedDetector

from videohoi.decode.scene_cuts import CutSettings
from videohoi.graph import Graph, IterableSource
from videohoi.interact.heads.starter import StarterPairHead
from videohoi.pipeline.bundled import load_pipeline
from videohoi.pipeline.detect_node import DetectNode
from videohoi.pipeline.nodes import CutNode, InteractNode, SmoothNode, TrackNode
from videohoi.smooth.config import SmoothingConfig
from videohoi.smooth.smoother import InteractionSmoother
from videohoi.structures import Detections, Discontinuity, Frame, FrameResult, GapReason, Phase, SourceInfo
from videohoi.track.byte import ByteTracker
from videohoi.track.byte_config import ByteConfig
from videohoi.vocabulary import hico_det

WORDS = hico_det()
RATE_HZ, CUT = 25.0, 50
INFO = SourceInfo("film", 320, 180, RATE_HZ, 100, 4.0)


def picture(seed, size=(320, 180)):
    rng = np.random.default_rng(seed)
    return cv2.resize(rng.integers(0, 255, (9, 16, 3)).astype(np.uint8), size, interpolation=cv2.INTER_CUBIC)


def film(*pictures):
    """Frames at 25 Hz."""
    return [Frame(image, index, index / RATE_HZ, "film") for index, image in enumerate(pictures)]


def marks(frames, settings=None):
    node = CutNode(settings or CutSettings())
    node.open(INFO)
    marked = [result for frame in frames for result in node.process(frame)]
    assert [(frame.index, frame.pts_seconds) for frame in marked] == [(f.index, f.pts_seconds) for f in frames]
    return [frame.discontinuity for frame in marked], node.facts()


def test_the_first_frame_of_a_shot_is_marked_and_told() -> None:
    one, two = picture(1), picture(2)
    found, facts = marks(film(one, one, two, two, one))
    assert found == [None, None, Discontinuity.SCENE_CUT, None, Discontinuity.SCENE_CUT]
    assert facts == {"cuts": [0.08, 0.16]}


def test_another_picture_size_is_marked_where_the_source_did_not() -> None:
    one, tall = picture(1), picture(1, (180, 320))
    found, facts = marks(film(one, tall, tall))
    assert found == [None, Discontinuity.PICTURE_SIZE, None]
    assert facts == {"cuts": []}


def test_a_mark_of_the_source_stays() -> None:
    frames = film(picture(1), picture(1))
    marked = Frame(picture(1), 2, 0.08, "film", discontinuity=Discontinuity.SCENE_CUT)
    found, facts = marks([*frames, marked])
    assert found == [None, None, Discontinuity.SCENE_CUT]
    assert facts == {"cuts": [0.08]}


def test_a_cut_on_a_frame_that_was_dropped_is_found_on_the_next() -> None:
    frames = film(*[picture(1)] * 5, *[picture(2)] * 5)
    found, _ = marks([frame for frame in frames if frame.index not in (4, 5, 6)])
    assert found == [None] * 4 + [Discontinuity.SCENE_CUT, None, None]


def test_cuts_are_not_looked_for_when_switched_off_but_sizes_are() -> None:
    found, facts = marks(film(picture(1), picture(2), picture(2, (180, 320))), CutSettings(enabled=False))
    assert found == [None, None, Discontinuity.PICTURE_SIZE]
    assert facts == {"cuts": []}


def two_people():
    """A person beside a cup in each shot, at nearly the same place."""
    classes = np.array([WORDS.person_id, WORDS.object_id("cup")])
    scores = np.array([0.9, 0.8], np.float32)
    shots = [np.array([[80, 20, 160, 170], [100, 80, 120, 105]], np.float32)]
    shots.append(shots[0] + np.float32(4))
    return {index: Detections(shots[int(index >= CUT)], scores, classes) for index in range(2 * CUT)}


def results(pictures, lookahead_seconds):
    config = SmoothingConfig(lookahead_seconds=lookahead_seconds)
    post = [
        TrackNode(ByteTracker(ByteConfig(), human_class_id=WORDS.person_id)),
        InteractNode(StarterPairHead(use_appearance=False)),
        SmoothNode(InteractionSmoother(WORDS, config)),
    ]
    detect = [CutNode(CutSettings()), DetectNode([ScriptedDetector(two_people())])]
    graph: Graph[FrameResult] = Graph(IterableSource(film(*pictures), INFO), [[], detect, post])
    return list(graph.iterate())


@pytest.mark.parametrize("lookahead_seconds", [0.0, 0.5])
def test_no_track_and_no_state_spans_a_cut(lookahead_seconds) -> None:
    one, two = picture(1), picture(2)
    found = results([one] * CUT + [two] * CUT, lookahead_seconds)
    assert [result.frame.index for result in found] == list(range(2 * CUT)), "every frame, once"
    before = {int(track) for result in found[:CUT] for track in result.tracks.track_ids}
    after = {int(track) for result in found[CUT:] for track in result.tracks.track_ids}
    assert before & after <= {-1}
    assert set(found[CUT].tracks.ended_ids) == before - {-1}
    told = [event for result in found for event in result.events]
    (gap,) = [event for event in told if event.phase is Phase.GAP]
    assert (gap.reason, gap.begin_seconds, gap.end_seconds) == (GapReason.SCENE_CUT, (CUT - 1) / RATE_HZ, CUT / RATE_HZ)
    ends = [event for event in told if event.phase is Phase.END and event.human_id in before]
    assert ends, "something was on before the cut"
    assert all(event.end_seconds <= (CUT - 1) / RATE_HZ for event in ends)
    assert all(event.begin_seconds >= CUT / RATE_HZ for event in told if event.human_id in after - {-1})


def test_without_a_cut_the_same_boxes_are_one_track_each() -> None:
    found = results([picture(1)] * 2 * CUT, 0.5)
    assert {int(track) for result in found for track in result.tracks.track_ids} == {1, 2}


@pytest.mark.parametrize("name", ["offline_annotation", "robot_perception"])
def test_shipped_pipelines_look_for_cuts_unless_told_otherwise(name) -> None:
    assert load_pipeline(name).config.cuts.enabled
    assert not load_pipeline(name, ("cuts.enabled=false",)).config.cuts.enabled
