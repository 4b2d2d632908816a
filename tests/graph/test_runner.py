"""What a graph delivers: order, completeness, concurrency, branches, reports."""

import json
import threading
import time
from collections import deque
from types import SimpleNamespace

import pytest
from graph_parts import LIMIT_SECONDS, ManualClock, RecordingNode, RecordingSource, make_frames
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.errors import UsageError
from videohoi.graph import BaseNode, Branch, EdgePolicy, FunctionNode, Graph, IterableSource, TapNode
from videohoi.structures import Frame, FrameResult


class Repeat(BaseNode):
    """Each item ``times`` times; 0 swallows it."""

    def __init__(self, name, times):
        super().__init__(name)
        self.times = times

    def process(self, item):
        return (item for _ in range(self.times))


class Delay(BaseNode):
    """Holds the last ``depth`` items back until the end."""

    def __init__(self, name, depth):
        super().__init__(name)
        self.depth, self.held = depth, deque()

    def process(self, item):
        self.held.append(item)
        return [self.held.popleft()] if len(self.held) > self.depth else []

    def drain(self):
        while self.held:
            yield self.held.popleft()


class Pairs(BaseNode):
    """Two items become one; a single one left over comes out at the end."""

    def __init__(self, name):
        super().__init__(name)
        self.half = None

    def process(self, item):
        if self.half is None:
            self.half = item
            return []
        half, self.half = self.half, None
        return [(half, item)]

    def drain(self):
        return [] if self.half is None else [self.half]


def in_sequence(items, nodes):
    """The same nodes without threads: each over the whole list, then drained."""
    for node in nodes:
        items = [out for item in items for out in node.process(item)] + list(node.drain())
    return items


def make_node(index, kind):
    name = f"node{index}"
    if kind == "pair":
        return Pairs(name)
    verb, amount = kind
    return Repeat(name, amount) if verb == "repeat" else Delay(name, amount)


kinds = st.one_of(
    st.tuples(st.just("repeat"), st.integers(0, 3)), st.tuples(st.just("delay"), st.integers(0, 5)), st.just("pair")
)


@settings(max_examples=25, deadline=None)
@given(
    stages=st.lists(st.lists(kinds, min_size=1, max_size=3), min_size=1, max_size=4),
    source_alone=st.booleans(),
    count=st.integers(0, 15),
    capacity=st.integers(1, 4),
)
def test_any_pipeline_gives_what_a_plain_loop_gives(stages, source_alone, count, capacity):
    def build():
        numbers = iter(range(100))
        return [[make_node(next(numbers), kind) for kind in stage] for stage in stages]

    expected = in_sequence(list(range(count)), [node for stage in build() for node in stage])
    lists = [[], *build()] if source_alone else build()
    branch = RecordingNode("sink")
    graph = Graph(
        IterableSource(range(count)), lists, branches=[[branch]], edges=EdgePolicy.lossless(capacity)
    )  # fmt: skip
    assert list(graph.iterate()) == expected
    assert branch.items == expected
    assert graph.report().complete
    assert graph.report().frames_in == count
    assert graph.report().frames_out == len(expected)


def test_all_frames_pass_three_threads_in_order(finishes):
    frames = make_frames(300)
    nodes = [RecordingNode(name) for name in ("detect", "track", "csv")]
    report = finishes(Graph(RecordingSource(frames), [[], [nodes[0]], [nodes[1]], [nodes[2]]]).run)
    for node in nodes:
        assert node.items == frames
        assert node.calls == ["open", *["process"] * 300, "drain", "reset", "close"]
        assert node.complete is True
    assert (report.frames_in, report.frames_out, report.frames_dropped) == (300, 300, 0)
    assert (report.complete, report.interrupted, report.notes) == (True, False, ())
    assert [(edge.items_in, edge.items_out, edge.waiting) for edge in report.edges] == [(300, 300, 0)] * 3


def test_stages_really_overlap(finishes):
    """Stage one may not end item n before stage two has begun item n - 1, and the reverse: a loop would hang."""
    begun = [threading.Event() for _ in range(6)]

    def first(number):
        if number:
            assert begun[number - 1].wait(LIMIT_SECONDS), "the second stage never got the item before"
        return number

    second_waits = threading.Event()

    def second(number):
        begun[number].set()
        if number == 0:
            assert second_waits.wait(LIMIT_SECONDS), "the first stage did not go on"
        return number

    def announce(number):
        if number == 1:
            second_waits.set()
        return first(number)

    report = finishes(
        Graph(IterableSource(range(6)), [[], [FunctionNode("first", announce)], [FunctionNode("second", second)]]).run
    )
    assert report.frames_out == 6


def test_branches_overlap_with_each_other(finishes):
    meeting = threading.Barrier(2, timeout=LIMIT_SECONDS)
    branches = [[TapNode(name, lambda item: meeting.wait())] for name in ("overlay", "csv")]
    report = finishes(Graph(IterableSource(range(20)), [[]], branches=branches).run)
    assert report.frames_out == 20


def test_nodes_run_in_their_stages_and_open_and_close_in_threads_that_are_waited_for():
    threads: dict[str, set[str]] = {"open": set(), "process": set(), "close": set()}

    class Where(BaseNode):
        def open(self, info):
            threads["open"].add(threading.current_thread().name)

        def process(self, item):
            threads["process"].add(threading.current_thread().name)
            return [item]

        def close(self, *, complete):
            threads["close"].add(threading.current_thread().name)

    Graph(IterableSource(range(5)), [[], [Where("track"), Where("smooth")]]).run()
    assert threads["process"] == {"videohoi: track > smooth"}
    assert threads["open"] == {"videohoi: open"}
    assert threads["close"] == {"videohoi: close track", "videohoi: close smooth"}


def test_the_source_is_read_only_as_far_as_edges_hold(finishes):
    """Bounded memory: with the caller holding back, the source may run ahead by edges and hands, not more."""
    read = []
    graph = Graph(
        RecordingSource(list(range(1000)), before=read.append),
        [[], [FunctionNode("detect", lambda item: item)]],
        edges=EdgePolicy.lossless(2),
    )
    results = graph.iterate()

    def hold_back():
        for expected in range(50):
            assert next(results) == expected
            # two edges of 2, one item in each of the two hands, one being read
            assert len(read) <= expected + 1 + 2 * 2 + 3
        results.close()

    finishes(hold_back)


def test_latest_drops_exactly_what_the_slow_stage_missed(finishes):
    """The detector holds frame 0 until the camera has delivered all ten; only the last one is still there."""
    delivered, taken = threading.Event(), threading.Event()

    def camera(index):
        if index == 1:
            assert taken.wait(LIMIT_SECONDS)

    def detect(frame):
        taken.set()
        assert delivered.wait(LIMIT_SECONDS)
        return frame

    class Camera(RecordingSource):
        def frames(self):
            yield from super().frames()
            delivered.set()

    seen = RecordingNode("list")
    graph = Graph(
        Camera(make_frames(10), before=camera),
        [[], [FunctionNode("detect", detect)], [seen]],
        edges=[EdgePolicy.latest(), EdgePolicy.lossless(1)],
    )
    report = finishes(graph.run)
    assert [frame.index for frame in seen.items] == [0, 9]
    assert (report.frames_in, report.frames_out, report.frames_dropped) == (10, 2, 8)
    assert (report.edges[0].dropped, report.edges[0].policy, report.edges[1].dropped) == (8, "latest", 0)


def test_a_frame_that_goes_back_in_time_is_refused_and_counted():
    frames = make_frames(4)
    back = Frame(frames[0].image, 4, 0.01, "clip.mp4")
    other_source = Frame(frames[0].image, 5, 0.02, "door camera")
    seen = RecordingNode("list")
    report = Graph(IterableSource([*frames, back, frames[3], other_source]), [[seen]]).run()
    assert seen.items == [*frames, other_source]
    assert (report.frames_in, report.frames_out, report.frames_dropped) == (7, 5, 2)
    assert report.notes == ("2 frames refused: time not later than the frame before",)


def test_the_report_counts_each_node_and_is_ready_for_json():
    graph = Graph(
        IterableSource(range(10)), [[], [Repeat("twice", 2), Delay("hold", 3)]], branches=[[RecordingNode("csv")]]
    )
    report = graph.run()
    nodes = {node.name: node for stage in report.stages for node in stage.nodes}
    counts = {name: (node.items_in, node.items_out, node.process.count) for name, node in nodes.items()}
    assert counts == {"decode": (10, 10, 10), "twice": (10, 20, 10), "hold": (20, 20, 20), "csv": (20, 20, 20)}
    for stage in report.stages:
        assert sum(node.busy_share for node in stage.nodes) == pytest.approx(1.0)
        assert 0 <= stage.busy_share <= 1
    assert sum(stage.cpu_share for stage in report.stages) == pytest.approx(1.0)
    assert report.first_result_seconds is not None
    assert report.frames_per_second == pytest.approx(20 / report.wall_seconds)
    assert report.plan == "decode | twice > hold | csv"
    assert report.age is None
    assert json.loads(json.dumps(report.to_dict())) == report.to_dict()


def test_waiting_on_an_edge_is_not_work(finishes, monkeypatch):
    """Each read takes one second of a hand-moved clock while the sink, done with the item before, only waits."""
    clock, idle = ManualClock(), threading.Semaphore(1)
    hand_moved = SimpleNamespace(perf_counter=clock.now, thread_time=time.thread_time)
    monkeypatch.setattr("videohoi.graph.measuring.time", hand_moved)

    def read(index):
        assert idle.acquire(timeout=LIMIT_SECONDS)
        clock.advance(1.0)

    sink, done = RecordingNode("csv"), TapNode("done", lambda item: idle.release())
    report = finishes(Graph(RecordingSource([0, 1, 2, 3], before=read), [[], [sink, done]]).run)
    source, csv = report.stages[0].nodes[0], report.stages[1].nodes[0]
    assert source.busy_seconds == 4.0
    assert source.process.p50_ms == source.process.max_ms == 1000.0
    assert csv.busy_seconds == 0.0


def test_age_of_live_frames_is_reported_from_capture():
    class StoppedClock:
        def now(self):
            return 100.0

    image = make_frames(1)[0].image
    frames = [Frame(image, index, index / 25, "camera", captured_seconds=99.8) for index in range(5)]
    wrap = FunctionNode("detect", FrameResult)
    report = Graph(IterableSource(frames), [[], [wrap]], clock=StoppedClock()).run()
    assert report.age is not None
    assert report.age.count == 5
    assert report.age.p50_ms == pytest.approx(200, rel=0.01)


def test_an_empty_source_still_drains_and_closes():
    node = RecordingNode("csv")
    report = Graph(RecordingSource([]), [[], [node]]).run()
    assert node.calls == ["open", "drain", "reset", "close"]
    assert (report.complete, report.frames_out, report.first_result_seconds) == (True, 0, None)


def test_a_display_branch_may_drop_without_holding_up_files(finishes):
    shown = threading.Event()
    last = threading.Event()

    def show(item):
        shown.set()
        assert last.wait(LIMIT_SECONDS)

    def write(item):
        if item == 19:
            last.set()

    display, files = TapNode("display", show), TapNode("files", write)
    branches = [Branch((display,), EdgePolicy.latest()), [files]]
    source = RecordingSource(list(range(20)), before=lambda index: index == 1 and shown.wait(LIMIT_SECONDS))
    report = finishes(Graph(source, [[]], branches=branches).run)
    edges = {edge.name: edge for edge in report.edges}
    assert (edges["decode -> files"].items_out, edges["decode -> files"].dropped) == (20, 0)
    assert (edges["decode -> display"].items_out, edges["decode -> display"].dropped) == (2, 18)
    assert report.frames_dropped == 0  # of the trunk


def test_a_graph_runs_once():
    graph = Graph(IterableSource([1]), [[RecordingNode("csv")]])
    graph.run()
    with pytest.raises(UsageError, match="already run"):
        graph.run()
    with pytest.raises(UsageError, match="already run"):
        graph.iterate()


def test_nodes_can_serve_a_second_graph():
    detect, sink = FunctionNode("detect", lambda item: -item), RecordingNode("csv")
    for start in (0, 10):
        Graph(IterableSource(range(start, start + 3)), [[], [detect], [sink]]).run()
    assert sink.items == [0, -1, -2, -10, -11, -12]


def test_an_iterable_with_close_is_closed():
    class Reader(list):
        closed = 0

        def close(self):
            self.closed += 1

    reader = Reader([1, 2])
    Graph(IterableSource(reader), [[RecordingNode("csv")]]).run()
    assert reader.closed == 1
