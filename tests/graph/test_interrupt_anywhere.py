"""Ctrl-C before any line that the caller's thread runs inside the graph: nothing stays open, nothing is lost."""

import contextlib
import signal
import sys
import threading
from pathlib import Path

import pytest
from graph_parts import RecordingNode, RecordingSource, make_frames

import videohoi.graph
from videohoi.graph import Batcher, BatchNode, BatchPolicy, Graph, MultiGraph

FOLDER = str(Path(videohoi.graph.__file__).parent)
FRAMES = make_frames(3)
MOST_LINES = 400
"""a run that waits longer runs more lines, all of them its waiting loop's"""


class Presser:
    """While entered, presses Ctrl-C before line ``at`` of this thread in the graph's own files, and ``again`` later."""

    def __init__(self, at, again=None):
        self.lines = 0
        self._at = {at} if again is None else {at, at + again}

    def __enter__(self):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.settrace(self._enter_call)
        return self

    def __exit__(self, *error):
        sys.settrace(None)

    def _enter_call(self, frame, event, argument):
        return self._line if frame.f_code.co_filename.startswith(FOLDER) else None

    def _line(self, frame, event, argument):
        if event == "line":
            self.lines += 1
            if self.lines in self._at:
                signal.raise_signal(signal.SIGINT)
        return self._line


@pytest.fixture(autouse=True)
def _sigint_as_before():
    handler, tracer = signal.getsignal(signal.SIGINT), sys.gettrace()
    yield
    sys.settrace(tracer)
    signal.signal(signal.SIGINT, handler)


def run_once(how, at, again):
    """One run with the key pressed; gives how many lines there were and whether it was interrupted."""
    source, detect, files = RecordingSource(FRAMES), RecordingNode("detect"), RecordingNode("csv")
    graph = Graph(source, [[], [detect]], branches=[[files]])
    before, got, interrupted = set(threading.enumerate()), [], False
    with Presser(at, again) as presser:
        try:
            if how == "run":
                graph.run()
            else:
                got.extend(graph.iterate())
        except KeyboardInterrupt:
            interrupted = True
    assert set(threading.enumerate()) == before
    for part in (source, detect, files):
        assert part.calls.count("close") == part.calls.count("open")
        assert part.calls[-1:] in ([], ["close"])
    report = graph.report()
    assert files.items == FRAMES[: len(files.items)]
    if again is None:  # a second press cuts what is in flight
        assert len(files.items) >= len(got)
        assert len(files.items) == report.frames_in  # what was read passed all nodes
    assert report.complete == bool(files.complete)
    return presser.lines, interrupted


@pytest.mark.parametrize("how", ["run", "iterate"])
@pytest.mark.parametrize("again", [None, 1, 40], ids=["once", "twice at once", "twice"])
def test_ctrl_c_before_any_line(how, again):
    interrupted = 0
    for at in range(1, MOST_LINES, 4 if again is None else 9):
        lines, came = run_once(how, at, again)
        interrupted += came
        if lines < at:
            break
    assert interrupted > 5


class Same(BatchNode):
    def __init__(self):
        super().__init__("model")
        self.calls = []

    def open(self):
        self.calls.append("open")

    def process_batch(self, items):
        return list(items)

    def close(self):
        self.calls.append("close")


@pytest.mark.parametrize("again", [None, 1], ids=["once", "twice at once"])
def test_ctrl_c_before_any_line_of_several_graphs(again):
    for at in range(1, MOST_LINES, 7):
        model, files = Same(), {name: RecordingNode("csv") for name in "ab"}
        batcher = Batcher(model, BatchPolicy(batch_size=2, max_wait_seconds=0.001))
        graphs = {name: Graph(RecordingSource(FRAMES), [[], [batcher.lane()], [node]]) for name, node in files.items()}
        before = set(threading.enumerate())
        with Presser(at, again) as presser, contextlib.suppress(KeyboardInterrupt):
            MultiGraph(graphs, [batcher]).run()
        assert set(threading.enumerate()) == before
        assert model.calls in ([], ["open", "close"])
        for node in files.values():
            assert node.calls.count("close") == node.calls.count("open")
            assert node.items == FRAMES[: len(node.items)]
        if presser.lines < at:
            break
