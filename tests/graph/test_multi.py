"""Several graphs side by side: interrupts, limits, reports."""

import json
import os
import signal
import threading

import pytest
from graph_parts import LIMIT_SECONDS, RecordingNode, RecordingSource, make_frames

from videohoi.errors import StageError, UsageError
from videohoi.graph import Batcher, BatchNode, BatchPolicy, Graph, IterableSource, MultiGraph, TapNode


class Same(BatchNode):
    def process_batch(self, items):
        return list(items)


@pytest.fixture
def _default_sigint():
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


def make_run(look=lambda item: None):
    """Two endless sources over one model into one list each."""
    batcher = Batcher(Same("model"), BatchPolicy(batch_size=2, max_wait_seconds=0.001))
    seen = {name: RecordingNode("list") for name in ("door", "yard")}
    graphs = {
        name: Graph(IterableSource(range(10**6)), [[], [TapNode("look", look), batcher.lane()], [node]])
        for name, node in seen.items()
    }
    return MultiGraph(graphs, [batcher]), seen


@pytest.mark.usefixtures("_default_sigint")
@pytest.mark.parametrize("on_interrupt", ["report", "raise"])
def test_ctrl_c_stops_every_source_and_loses_nothing_that_was_read(on_interrupt):
    sent = []

    def look(item):
        if item == 20 and not sent:
            sent.append(item)
            os.kill(os.getpid(), signal.SIGINT)

    graph, seen = make_run(look)
    if on_interrupt == "raise":
        with pytest.raises(KeyboardInterrupt):
            graph.run()
    else:
        assert graph.run(on_interrupt="report").interrupted
    report = graph.report()
    for name, node in seen.items():
        assert node.items == list(range(report.sources[name].frames_in))
        assert node.calls[-3:] == ["drain", "reset", "close"]
        assert (report.sources[name].interrupted, report.sources[name].complete) == (True, False)


@pytest.mark.usefixtures("_default_sigint")
def test_ctrl_c_while_the_model_loads_opens_no_source():
    """The model is given the time to end its loading; it is closed then."""
    pressed, calls = threading.Event(), []

    class Watched(MultiGraph):
        def stop(self, drain=True):
            super().stop(drain)
            pressed.set()

    class Slow(Same):
        def open(self):
            os.kill(os.getpid(), signal.SIGINT)
            assert pressed.wait(LIMIT_SECONDS)
            calls.append("open")

        def close(self):
            calls.append("close")

    source = RecordingSource(make_frames(3))
    batcher = Batcher(Slow("model"))
    graph = Watched({"a": Graph(source, [[], [batcher.lane()]])}, [batcher], leave_seconds=LIMIT_SECONDS)
    with pytest.raises(KeyboardInterrupt):
        graph.run()
    assert source.calls == []
    assert calls == ["open", "close"]
    assert graph.report().notes == ()


class HangsInOpen(Same):
    def __init__(self, name):
        super().__init__(name)
        self.entered, self.release, self.calls = threading.Event(), threading.Event(), []

    def open(self):
        self.entered.set()
        assert self.release.wait(LIMIT_SECONDS)
        self.calls.append("open")

    def close(self):
        self.calls.append("close")


@pytest.fixture
def hanging():
    """A model that hangs in open until the test has looked; then its thread must close it and end."""
    before, model = set(threading.enumerate()), HangsInOpen("model")
    yield model
    model.release.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(LIMIT_SECONDS)
    assert model.calls == ["open", "close"]


@pytest.mark.parametrize(("drain", "leave_seconds"), [(True, 0.1), (False, 9 * LIMIT_SECONDS)])
def test_a_model_that_hangs_while_it_opens_is_left_behind_after_stop(drain, leave_seconds, hanging, finishes):
    source, batcher = RecordingSource(make_frames(3)), Batcher(hanging)
    graph = MultiGraph({"a": Graph(source, [[], [batcher.lane()]])}, [batcher], leave_seconds=leave_seconds)

    def stopper():
        assert hanging.entered.wait(LIMIT_SECONDS)
        graph.stop(drain)

    thread = threading.Thread(target=stopper)
    thread.start()
    report = finishes(graph.run)
    thread.join()
    assert report.interrupted
    assert report.notes == (
        "'model' did not return from open in time: it was left behind and is closed when it returns",
    )
    assert source.calls == []


@pytest.mark.parametrize("shared", [True, False], ids=["opened first", "opened by the first lane"])
def test_a_model_that_never_opens_fails_the_run(hanging, shared, finishes):
    source, batcher = RecordingSource(make_frames(3)), Batcher(hanging)
    graph = Graph(source, [[], [batcher.lane()]], open_seconds=0.1, close_seconds=LIMIT_SECONDS)
    runs = MultiGraph({"a": graph}, [batcher] if shared else [], open_seconds=0.1)
    whom = "all sources" if shared else r"clip\.mp4"
    with pytest.raises(StageError, match=rf"stage 'model' failed on {whom}: open\(\) did not return within 0\.1 s"):
        finishes(runs.run)
    assert source.calls == ([] if shared else ["open", "close"])


def test_a_source_that_hangs_while_it_opens_is_left_behind_after_stop(finishes):
    """An address nobody answers at: the other source is drained, the run ends, the name is in the report."""
    opening, release = threading.Event(), threading.Event()

    class Unreachable(RecordingSource):
        def open(self):
            opening.set()
            assert release.wait(LIMIT_SECONDS)
            return super().open()

    class Files(RecordingNode):
        def close(self, *, complete):
            super().close(complete=complete)
            closed.set()

    closed = threading.Event()
    unreachable, files = Unreachable([]), Files("list")
    graph = MultiGraph(
        {
            "far": Graph(unreachable, [[]]),
            "near": Graph(IterableSource(range(5)), [[], [files]]),
        },
        leave_seconds=0.3,
    )
    threads = set(threading.enumerate())

    def stopper():
        assert opening.wait(LIMIT_SECONDS)
        assert closed.wait(LIMIT_SECONDS)
        graph.stop()

    thread = threading.Thread(target=stopper)
    thread.start()
    report = finishes(graph.run)
    thread.join()
    assert report.notes == ("source 'far' did not stop in time: its graph was left behind",)
    assert files.calls[-1] == "close"
    release.set()
    for left in set(threading.enumerate()) - threads:
        left.join(LIMIT_SECONDS)
    assert unreachable.calls == ["open", "close"]


def test_all_failures_are_in_the_report_and_the_first_is_raised(finishes):
    first_failed = threading.Event()

    class Second(RecordingNode):
        def process(self, item):
            assert first_failed.wait(LIMIT_SECONDS)
            return super().process(item)

    class First(RecordingNode):
        def close(self, *, complete):
            first_failed.set()

    graphs = {
        "one": Graph(IterableSource([1]), [[First("csv", "process")]]),
        "two": Graph(IterableSource([1]), [[Second("jsonl", "drain")]]),
        "three": Graph(IterableSource([1]), [[]]),
    }
    graph = MultiGraph(graphs)
    with pytest.raises(StageError):
        finishes(graph.run)
    report = graph.report()
    assert set(report.failures) == {"one", "two"}
    assert "csv broke in process" in report.failures["one"]
    assert report.sources["three"].complete
    assert not report.complete


def test_the_report_is_ready_for_json(finishes):
    batcher = Batcher(Same("model"), BatchPolicy(max_wait_seconds=0.001))
    graph = MultiGraph({"a": Graph(IterableSource(range(5)), [[], [batcher.lane()]])}, [batcher])
    report = finishes(graph.run)
    plain = report.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["complete"] is True
    assert plain["batches"][0]["lanes"][0]["items_out"] == 5


def test_a_run_needs_a_graph_and_happens_once():
    with pytest.raises(UsageError, match="one graph or more"):
        MultiGraph({})
    graph = MultiGraph({"a": Graph(IterableSource([1]), [[]])})
    graph.run()
    with pytest.raises(UsageError, match="already run"):
        graph.run()


def test_stop_before_run_opens_nothing(finishes):
    source, batcher = RecordingSource(make_frames(3)), Batcher(HangsInOpen("model"))
    graph = MultiGraph({"a": Graph(source, [[], [batcher.lane()]])}, [batcher])
    graph.stop()
    report = finishes(graph.run)
    assert (report.interrupted, report.complete) == (True, False)
    assert source.calls == []
