"""Live use with the real stages: cameras over one detector, a camera that comes back, a run replayed to its events."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from scripted_detector import ScriptedDetector

from videohoi.decode.camera import CameraSource, ReconnectPolicy
from videohoi.errors import StageError
from videohoi.graph import Batcher, BatchPolicy, EdgePolicy, FunctionNode, Graph, IterableSource, MultiGraph, RunRecord
from videohoi.interact.heads.starter import StarterPairHead
from videohoi.pipeline.detect_node import DetectNode
from videohoi.pipeline.nodes import DetectBatch, InteractNode, SinkNode, SmoothNode, TrackNode
from videohoi.sink.memory import ListSink
from videohoi.smooth.config import SmoothingConfig
from videohoi.smooth.smoother import InteractionSmoother
from videohoi.structures import Detections, Frame, SourceInfo
from videohoi.track.byte import ByteTracker
from videohoi.vocabulary import hico_det

WORDS = hico_det()
PERSON, BOARD = WORDS.person_id, WORDS.objects.index("skateboard")


@pytest.fixture(scope="module", autouse=True)
def _compiled_kernels():
    """The twins of the kernels are equal to the last bit or nearly so; a replay is compared to the last bit."""
    tracker, smoother = ByteTracker(human_class_id=PERSON), InteractionSmoother(WORDS, SmoothingConfig())
    for part in (tracker, smoother):
        part.open(SourceInfo("warm-up", 48, 32, 20.0, None, None))
    for thread in threading.enumerate():
        if thread.name == "videohoi-kernel-warm-up":
            thread.join()


def rider(index: int) -> Detections:
    """A person on a board, both moving to the right."""
    left = 20.0 + 2 * index
    boxes = np.array([[left, 30, left + 60, 190], [left - 5, 180, left + 70, 205]], np.float32)
    return Detections(boxes, np.array([0.95, 0.9], np.float32), np.array([PERSON, BOARD], np.int64))


def frames_of(source_id: str, count: int) -> list[Frame]:
    random = np.random.default_rng(len(source_id))
    return [
        Frame(random.integers(0, 255, (32, 48, 3), np.uint8), index, index / 20, source_id) for index in range(count)
    ]


def post(sink: ListSink):
    tracker = ByteTracker(human_class_id=WORDS.person_id)
    head = StarterPairHead(use_appearance=False)
    return [
        TrackNode(tracker),
        InteractNode(head),
        SmoothNode(InteractionSmoother(WORDS, SmoothingConfig())),
        SinkNode(sink, {}),
    ]


def told(sink: ListSink):
    return [(result.frame.index, result.tracks.track_ids.tolist(), result.events) for result in sink.results]


@pytest.mark.parametrize("count", [60])
def test_a_live_run_with_a_slow_detector_is_replayed_to_the_same_events(count, tmp_path):
    """The detector cannot keep up, so frames are dropped; the replay is as fast as it can be and drops the same."""
    script = {index: rider(index) for index in range(count)}

    def run(pace_seconds, **options):
        sink = ListSink()
        slow = FunctionNode("pace", lambda frame: (time.sleep(pace_seconds * (frame.index % 3)), frame)[1])
        camera = FunctionNode("camera", lambda frame: (time.sleep(pace_seconds), frame)[1])
        stages = [[camera], [slow, DetectNode([ScriptedDetector(script)])], post(sink)]
        edges = [EdgePolicy.latest(), EdgePolicy.lossless()]
        report = Graph(IterableSource(frames_of("door", count)), stages, edges=edges, **options).run()
        return report, told(sink)

    path = tmp_path / "run.jsonl"
    live_report, live = run(0.003, record_to=path)
    replay_report, replayed = run(0.0, replay=RunRecord.load(path))
    assert live_report.frames_dropped == replay_report.frames_dropped > 0
    assert any(events for _, _, events in live)
    assert replayed == live


def test_two_cameras_over_one_detector_are_tracked_apart():
    """One instance of tracker and smoother a source; the results equal those of each source alone."""
    script = {index: rider(index) for index in range(40)}

    def alone(name, count):
        sink = ListSink()
        stages = [[], [DetectNode([ScriptedDetector(script)])], post(sink)]
        Graph(IterableSource(frames_of(name, count)), stages).run()
        return told(sink)

    counts = {"door": 40, "yard": 25}
    sinks = {name: ListSink() for name in counts}
    batcher = Batcher(DetectBatch(ScriptedDetector(script)), BatchPolicy(batch_size=2, max_wait_seconds=0.005))
    graphs = {
        name: Graph(IterableSource(frames_of(name, count)), [[], [batcher.lane()], post(sinks[name])])
        for name, count in counts.items()
    }
    report = MultiGraph(graphs, [batcher]).run()
    assert report.complete
    for name, count in counts.items():
        assert {result.frame.source_id for result in sinks[name].results} == {name}
        assert told(sinks[name]) == alone(name, count)


class Capture:
    """Plays pictures, then the connection is lost."""

    def __init__(self, count: int, is_open: bool = True) -> None:
        self._left, self._is_open = count, is_open

    def isOpened(self):
        return self._is_open

    def grab(self):
        return self._left > 0

    def retrieve(self):
        self._left -= 1
        return True, np.zeros((12, 16, 3), np.uint8)

    def get(self, property_id):
        return 0.0

    def release(self):
        self._left = 0


def camera_over(*captures: Capture, attempts: int, delay_seconds: float = 0.001) -> CameraSource:
    waiting = list(captures)
    ticks = iter(range(10**6))
    policy = ReconnectPolicy(attempts, delay_seconds, delay_seconds)
    return CameraSource(
        "rtsp://door",
        reconnect=policy,
        clock=lambda: next(ticks) * 0.05,
        open_capture=lambda address, limit: waiting.pop(0) if waiting else Capture(0, is_open=False),
    )


def indices(sink: list[Frame]) -> list[int]:
    return [frame.index for frame in sink]


def test_a_camera_that_dies_and_returns_goes_on_in_the_same_run():
    """Two failed attempts between; then it is lost for good, and the run says so and keeps every frame it gave."""
    lost = Capture(0, is_open=False)
    camera = camera_over(Capture(4), lost, lost, Capture(3), attempts=3)
    seen: list[Frame] = []
    graph = Graph(camera, [[], [FunctionNode("list", lambda frame: (seen.append(frame), frame)[1])]])
    before = set(threading.enumerate())
    with pytest.raises(StageError, match=r"stage 'decode' .* the connection was lost and 3 attempts .* failed"):
        graph.run()
    assert indices(seen) == list(range(7))
    times = [frame.pts_seconds for frame in seen]
    assert times == sorted(set(times))
    assert "the connection was lost (2 times)" in camera.report.notes
    assert "'decode': the connection was lost (2 times)" in graph.report().notes
    assert not set(threading.enumerate()) - before


def test_a_camera_that_is_gone_does_not_hold_up_the_other():
    """The dead one is tried again and again while the other is read to its end; then everything is stopped."""
    seen: dict[str, list[Frame]] = {"dead": [], "well": []}
    batcher = Batcher(DetectBatch(ScriptedDetector({})), BatchPolicy(batch_size=2, max_wait_seconds=0.002))

    def graph_of(name, source):
        keep = FunctionNode("list", lambda result: (seen[name].append(result.frame), result)[1])
        return Graph(source, [[], [batcher.lane()], [keep]], drain_seconds=0.2, stop_seconds=LIMIT_SECONDS)

    class Ends(IterableSource):
        def close(self):
            runs.stop()

    dead = camera_over(Capture(2), attempts=10**6)
    graphs = {"dead": graph_of("dead", dead), "well": graph_of("well", Ends(frames_of("well", 30)))}
    runs = MultiGraph(graphs, [batcher], leave_seconds=LIMIT_SECONDS)
    before = set(threading.enumerate())
    report = runs.run()
    assert indices(seen["well"]) == list(range(30))
    assert indices(seen["dead"]) == [0, 1]
    assert report.interrupted
    assert not report.failures
    for thread in set(threading.enumerate()) - before:  # the camera's own wait ends with its close
        thread.join(LIMIT_SECONDS)
    assert not set(threading.enumerate()) - before


LIMIT_SECONDS = 20.0
"""a wait this long means a hang"""
