"""Whatever blocks or breaks, with the limits a user gets: the run ends, says why, and loses nothing it had finished.

That no thread is left behind is held by the fixture of this folder, after every test.
"""

import threading
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

import pytest
from graph_parts import LIMIT_SECONDS, ManualClock, PatientGraph, RecordingNode, RecordingSource, make_frames

from videohoi.errors import StageError, UsageError
from videohoi.graph import Branch, EdgePolicy, Graph, IterableSource, TapNode
from videohoi.graph.shutdown import Shutdown, Urgency

NAMES = ("resize", "detect", "track", "csv", "display")
"""one in each place there is: the source's own thread, a trunk stage, the trunk's end, a branch, a latest branch"""


def full_graph(source, failing, call, edge, **options):
    nodes = {name: RecordingNode(name, fail_in=call if name == failing else "", fail_at=0) for name in NAMES}
    stages = [[nodes["resize"]], [nodes["detect"]], [nodes["track"]]]
    branches = [[nodes["csv"]], Branch((nodes["display"],), EdgePolicy.latest())]
    return Graph(source, stages, branches=branches, edges=edge, **options), nodes


@pytest.mark.parametrize("edge", [EdgePolicy.lossless(), EdgePolicy.latest()], ids=["lossless", "latest"])
@pytest.mark.parametrize("call", ["open", "process", "drain"])
@pytest.mark.parametrize("failing", NAMES)
def test_each_stage_in_turn_ends_the_run(failing, call, edge, finishes):
    """An endless source for ``process``, so that only the failure can end the run; ``drain`` needs an end."""
    frames = make_frames(30 if call == "drain" else 5000)
    source = RecordingSource(frames)
    graph, nodes = full_graph(source, failing, call, edge)
    with pytest.raises(StageError, match=f"{failing} broke in {call}") as caught:
        finishes(graph.run)
    assert caught.value.stage == failing
    assert source.calls == ["open", "close"]
    report = graph.report()
    assert not report.complete
    for counts in report.edges:
        assert counts.items_in == counts.items_out + counts.dropped + counts.stale + counts.discarded
        assert counts.waiting == 0
    for name, node in nodes.items():
        assert node.calls.count("close") == (node.calls.count("open") if (name, call) != (failing, "open") else 0)
    if failing != "csv" and edge.overflow == "lossless":
        assert nodes["csv"].items == frames[: len(nodes["csv"].items)]


def test_a_failure_is_given_up_within_one_second_by_default():
    """On a hand-moved clock: what is behind the failed stage is cut, and who hangs is left, before one second is over.

    The rest of the second is for closing.
    """
    clock, done = ManualClock(), []
    graph = Graph(IterableSource([]), [[]])
    assert graph._limits.stop_seconds <= 0.8
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("videohoi.graph.shutdown.time", SimpleNamespace(monotonic=clock.now))
        shutdown = Shutdown()
        limit = graph._limits.stop_seconds
        shutdown.begin(Urgency.FAILURE, [(limit / 2, lambda: done.append("cut")), (limit, lambda: done.append("left"))])
        shutdown.begin(Urgency.DRAIN, [(99.0, lambda: done.append("never"))])  # a later wish to drain changes nothing
        for expected in ([], ["cut"], ["cut", "left"]):
            shutdown.tick()
            assert done == expected
            clock.advance(limit / 2)


class Hangs(RecordingNode):
    """Does not return from ``hang_in`` before it is released."""

    def __init__(self, name, hang_in):
        super().__init__(name)
        self.entered, self.release = threading.Event(), threading.Event()
        self._hang_in = hang_in

    def _record(self, call):
        super()._record(call)
        if call == self._hang_in:
            self.entered.set()
            assert self.release.wait(LIMIT_SECONDS)


@pytest.fixture
def released():
    """Lets go of what hangs, after the test has looked, and waits for the threads left behind."""
    before = set(threading.enumerate())
    events = []
    yield events
    for event in events:
        event.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(LIMIT_SECONDS)


@contextmanager
def once(event, *actions):
    """What another thread does as soon as ``event`` has come, while the body runs."""

    def main():
        assert event.wait(LIMIT_SECONDS)
        for action in actions:
            action()

    thread = threading.Thread(target=main)
    thread.start()
    yield
    thread.join()


def test_a_stalled_source_does_not_hold_up_a_failure_behind_it(released, finishes):
    """The camera sends nothing more after frame 3; the sink fails on that frame."""
    stalled, release = threading.Event(), threading.Event()
    released.append(release)

    def before(index):
        if index == 4:
            stalled.set()
            assert release.wait(LIMIT_SECONDS)

    def write(frame):
        if frame.index == 3:
            assert stalled.wait(LIMIT_SECONDS)
            raise OSError("disk full")

    source, files = RecordingSource(make_frames(9), before=before), RecordingNode("files")
    graph = Graph(source, [[], [TapNode("csv", write)], [files]])
    with pytest.raises(StageError, match=r"stage 'csv' failed on clip\.mp4 at frame 3: disk full"):
        finishes(graph.run)
    assert [frame.index for frame in files.items] == [0, 1, 2]
    assert files.calls[-3:] == ["drain", "reset", "close"]
    assert graph.report().notes[0].startswith("'decode' did not return in time")
    assert source.calls == ["open"]
    release.set()


def test_a_source_that_can_be_interrupted_is_closed_at_once(finishes):
    """It waits for its camera to come back; with ``interrupt`` nobody has to wait for that."""

    class Camera(RecordingSource):
        def __init__(self, items):
            super().__init__(items, before=self._wait)
            self.waiting, self.told = threading.Event(), threading.Event()

        def _wait(self, index):
            if index == 4:
                self.waiting.set()
                assert self.told.wait(LIMIT_SECONDS)

        def frames(self):
            for item in super().frames():
                if self.told.is_set():
                    return
                yield item

        def interrupt(self):
            self._record("interrupt")
            self.told.set()

    camera, files = Camera(make_frames(100)), RecordingNode("csv")
    graph = PatientGraph(camera, [[], [files]])

    with once(camera.waiting, graph.stop):
        report = finishes(graph.run)
    assert camera.calls == ["open", "interrupt", "close"]
    assert [frame.index for frame in files.items] == [0, 1, 2, 3]
    assert (report.complete, report.interrupted, report.notes) == (False, True, ())
    assert files.calls[-3:] == ["drain", "reset", "close"]


def test_a_failure_interrupts_the_source_too(finishes):
    class Camera(RecordingSource):
        told = threading.Event()

        def interrupt(self):
            self.told.set()

    camera = Camera(make_frames(9), before=lambda index: index == 2 and Camera.told.wait(LIMIT_SECONDS))
    with pytest.raises(StageError, match="csv broke in process"):
        finishes(PatientGraph(camera, [[], [RecordingNode("csv", "process", 1)]]).run)
    assert camera.calls == ["open", "close"]


@pytest.mark.parametrize("drain", [True, False])
def test_a_sink_that_blocks_for_ever_does_not_outlast_a_stop(drain, released, finishes):
    sink, other = Hangs("overlay", "process"), RecordingNode("csv")
    released.append(sink.release)
    graph = Graph(IterableSource(range(10**6)), [[]], branches=[[sink], [other]], drain_seconds=0.2, stop_seconds=0.2)

    with once(sink.entered, partial(graph.stop, drain)):
        report = finishes(graph.run)
    assert report.interrupted
    assert [note.split(" did not")[0] for note in report.notes] == ["'overlay'"]
    assert other.items == list(range(len(other.items)))
    assert other.calls[-1] == "close"


def test_a_sink_that_blocks_while_it_closes_does_not_hide_the_failure(released, finishes):
    """The others are closed, the cause is raised, and who did not close is named."""
    sink, other = Hangs("overlay", "close"), RecordingNode("csv")
    released.append(sink.release)
    detect = RecordingNode("detect", "process", 2)
    graph = Graph(IterableSource(range(9)), [[], [detect]], branches=[[sink], [other]], close_seconds=0.05)
    with pytest.raises(StageError, match="detect broke in process"):
        finishes(graph.run)
    assert other.calls[-1] == "close"
    assert graph.report().notes == (
        "'overlay' did not close in time: it was left behind and its output may be unfinished",
    )


def test_all_that_hangs_while_it_closes_shares_one_limit(released, finishes):
    """Eight parts that never close are left behind after one limit, not eight; what comes after them is closed."""
    hanging, other = [Hangs(f"overlay {k}", "close") for k in range(8)], RecordingNode("csv")
    released.extend(node.release for node in hanging)
    detect = RecordingNode("detect", "process", 2)
    branches = [[node] for node in [*hanging, other]]
    limit_seconds = 0.15 * LIMIT_SECONDS  # eight of them would be more than a test may take
    graph = Graph(IterableSource(range(9)), [[], [detect]], branches=branches, close_seconds=limit_seconds)
    with pytest.raises(StageError, match="detect broke in process"):
        finishes(graph.run)
    assert other.calls[-1] == "close"
    assert [note.split(" did not")[0] for note in graph.report().notes] == [f"'overlay {k}'" for k in range(8)]


@pytest.mark.parametrize("name", ["decode", "track"])
def test_what_never_opens_fails_the_run_by_name(name, released, finishes):
    release, before = threading.Event(), RecordingNode("detect")
    released.append(release)

    class Stuck(RecordingNode):
        def open(self, info):
            assert release.wait(LIMIT_SECONDS)
            super().open(info)

    class StuckSource(RecordingSource):
        source_id = "door"

        def open(self):
            assert release.wait(LIMIT_SECONDS)
            return super().open()

    source = StuckSource(make_frames(3)) if name == "decode" else RecordingSource(make_frames(3))
    stuck = Stuck("track") if name == "track" else RecordingNode("track")
    graph = Graph(source, [[], [before], [stuck]], open_seconds=0.05)
    whom = "door" if name == "decode" else r"clip\.mp4"
    with pytest.raises(StageError, match=rf"stage '{name}' failed on {whom}: open\(\) did not return within 0\.05 s"):
        finishes(graph.run)
    opened_before = [] if name == "decode" else ["open", "close"]
    assert before.calls == opened_before
    assert source.calls == opened_before
    assert not graph.report().complete
    assert graph.report().source_id == ("door" if name == "decode" else "clip.mp4")


def test_a_stop_does_not_wait_for_ever_for_what_is_being_opened(released, finishes):
    sink, before = Hangs("overlay", "open"), RecordingNode("csv")
    released.append(sink.release)
    graph = Graph(IterableSource(range(9)), [[before], [sink]], drain_seconds=0.05, stop_seconds=0.05)

    with once(sink.entered, graph.stop):
        report = finishes(graph.run)
    assert (report.interrupted, report.complete, report.frames_in) == (True, False, 0)
    assert report.notes == (
        "'overlay' did not return from open in time: it was left behind and is closed when it returns",
    )
    assert before.calls == ["open", "close"]


def test_a_source_that_says_nothing_of_itself_is_a_failure_by_name(finishes):
    class Mute(RecordingSource):
        def open(self):
            super().open()

    source = Mute(make_frames(3))
    with pytest.raises(StageError, match="stage 'decode' failed"):
        finishes(Graph(source, [[]]).run)
    assert source.calls == ["open", "close"]


def test_a_source_whose_interrupt_fails_is_told_and_the_run_ends(finishes):
    class Camera(RecordingSource):
        def interrupt(self):
            raise OSError("no such camera")

    entered, files = threading.Event(), RecordingNode("csv")
    graph = PatientGraph(Camera(make_frames(5000), before=lambda index: entered.set()), [[], [files]])

    with once(entered, graph.stop), pytest.raises(StageError, match=r"stage 'decode' failed on .*: no such camera"):
        finishes(graph.run)
    assert files.calls[-3:] == ["drain", "reset", "close"]


def test_closing_may_take_as_long_as_it_needs_when_nothing_failed(released, finishes):
    """A large file's index: the limit is for failures."""
    sink = Hangs("overlay", "close")
    graph = Graph(IterableSource(range(9)), [[sink]], close_seconds=0.001)
    waiting = threading.Thread(target=lambda: (sink.entered.wait(LIMIT_SECONDS), sink.release.set()))
    waiting.start()
    report = finishes(graph.run)
    waiting.join()
    assert (report.complete, report.notes, sink.complete) == (True, (), True)


def test_a_hard_stop_does_not_wait_for_a_sink_that_does_not_close(released, finishes):
    sink = Hangs("overlay", "close")
    released.append(sink.release)
    graph = Graph(IterableSource(range(9)), [[sink]], close_seconds=0.05)

    with once(sink.entered, partial(graph.stop, drain=False)):
        report = finishes(graph.run)
    assert report.interrupted
    assert "'overlay' did not close in time" in report.notes[0]


def test_an_error_between_two_nodes_is_told_and_not_lost(finishes):
    """Not a node but the hand-off fails: here the clock that says how old a frame is."""

    class BrokenClock:
        def now(self):
            raise OSError("no clock")

    edge = EdgePolicy.latest(staleness_seconds=1.0)
    files = RecordingNode("csv")
    graph = PatientGraph(IterableSource(range(9)), [[], [files]], edges=edge, clock=BrokenClock())
    with pytest.raises(StageError, match="no clock"):
        finishes(graph.run)
    assert files.calls[-1] == "close"


def test_the_report_says_that_a_source_has_stalled(finishes, monkeypatch):
    """Asked for while it stalls; the limit is none here, so that the test need not wait."""
    monkeypatch.setattr("videohoi.graph.report.STALL_SECONDS", 0.0)
    asked = []

    def before(index):
        if index == 4:
            asked.extend(graph.report().notes)

    graph = Graph(RecordingSource(make_frames(9), before=before), [[], [RecordingNode("csv")]])
    report = finishes(graph.run)
    assert asked == ["'decode' has delivered nothing for 0 s"]
    assert report.notes == ()


def test_a_dying_source_keeps_what_it_gave(finishes):
    source, files = RecordingSource(make_frames(50), fail_in="frames", fail_at=30), RecordingNode("csv")
    with pytest.raises(StageError, match=r"stage 'decode' failed on clip\.mp4 at frame 30: source broke in frames"):
        finishes(PatientGraph(source, [[], [RecordingNode("detect")], [files]]).run)
    assert [frame.index for frame in files.items] == list(range(30))
    assert files.calls[-3:] == ["drain", "reset", "close"]


def test_one_stop_does_not_wait_for_ever_for_a_sink_that_does_not_close(released, finishes):
    """A single Ctrl-C must be enough; the longer limit is for large files, so the short one does not count here."""
    sink = Hangs("overlay", "close")
    released.append(sink.release)
    graph = Graph(IterableSource(range(9)), [[sink]], finish_seconds=0.05, close_seconds=10 * LIMIT_SECONDS)

    with once(sink.entered, graph.stop):
        report = finishes(graph.run)
    assert (report.interrupted, report.complete) == (True, False)
    assert "'overlay' did not close in time" in report.notes[0]


def test_what_closes_slowly_after_a_stop_is_waited_for(finishes):
    """A stop leaves the time to finish a file, though a failure would not."""
    sink = Hangs("overlay", "close")
    graph = Graph(IterableSource(range(9)), [[sink]], finish_seconds=10 * LIMIT_SECONDS, close_seconds=0.001)

    with once(sink.entered, graph.stop, sink.release.set):
        report = finishes(graph.run)
    assert (report.notes, sink.calls[-1]) == ((), "close")


@pytest.mark.parametrize("place", ["trunk", "branch"])
def test_a_sink_that_blocks_for_ever_fails_the_run_by_name(place, released, finishes):
    """Nobody stops the run and nothing else fails."""
    sink, other = Hangs("overlay", "process"), RecordingNode("csv")
    released.append(sink.release)
    stages, branches = ([[], [sink]], [[other]]) if place == "trunk" else ([[]], [[sink], [other]])
    graph = Graph(IterableSource(range(9)), stages, branches=branches, item_seconds=0.1, stop_seconds=0.1)
    with pytest.raises(StageError, match=r"stage 'overlay' failed on .*did not return within 0\.1 s"):
        finishes(graph.run)
    assert other.calls[-1] == "close"


def test_who_is_busy_for_long_is_spoken_of_while_the_graph_runs(released, finishes, monkeypatch):
    monkeypatch.setattr("videohoi.graph.report.STALL_SECONDS", 0.02)
    sink = Hangs("overlay", "process")
    released.append(sink.release)
    graph, seen = Graph(IterableSource(range(9)), [[], [sink]]), []

    def watcher():
        assert sink.entered.wait(LIMIT_SECONDS)
        while not seen:
            seen.extend(graph.report().notes)
        sink.release.set()

    thread = threading.Thread(target=watcher)
    thread.start()
    report = finishes(graph.run)
    thread.join()
    assert seen == ["'overlay' has been busy with one item for 0 s"]
    assert (report.complete, report.notes) == (True, ())


def test_what_a_failure_cut_off_behind_it_is_counted_in_the_report(released, finishes):
    sink, detect = Hangs("overlay", "process"), RecordingNode("detect", "process", 3)
    released.append(sink.release)
    graph = Graph(IterableSource(range(9)), [[], [detect], [sink]], stop_seconds=0.1)
    with pytest.raises(StageError, match="detect broke in process"):
        finishes(graph.run)
    assert "2 items on 'detect -> overlay' were discarded after the failure" in graph.report().notes


@pytest.mark.parametrize("name", ["open", "item", "drain", "stop", "finish", "close"])
@pytest.mark.parametrize("value", [float("nan"), -1.0])
def test_a_limit_that_is_none_is_refused(name, value):
    with pytest.raises(UsageError, match=rf"{name}_seconds={value}: expected seconds, 0 or more"):
        Graph(IterableSource(range(3)), [[]], **{f"{name}_seconds": value})


def test_the_report_of_a_run_repeats_what_its_nodes_note(finishes):
    track = RecordingNode("track")
    track.notes = ("went the long way",)
    assert finishes(Graph(IterableSource(range(3)), [[], [track]]).run).notes == ("'track': went the long way",)
