"""Stopping early: from another thread, by an interrupt, by leaving the loop, and with a source that does not return."""

import contextlib
import os
import signal
import threading

import pytest
from graph_parts import LIMIT_SECONDS, PatientGraph, RecordingNode, RecordingSource, make_frames

from videohoi.errors import StageError
from videohoi.graph import FunctionNode, Graph, IterableSource, TapNode


class Holder(RecordingNode):
    """Gives everything back only in drain, as a look-ahead filter does."""

    def process(self, item):
        super().process(item)
        return []

    def drain(self):
        super().drain()
        yield from self.items


def test_stop_with_drain_loses_nothing_that_was_read(finishes):
    """A node stops its own graph at frame 5: frames already read pass every node, then all is drained and closed."""
    frames = make_frames(500)
    holder, files = Holder("smooth"), RecordingNode("csv")

    def stop_at_five(frame):
        if frame.index == 5:
            graph.stop(drain=True)

    graph = PatientGraph(IterableSource(frames), [[], [TapNode("detect", stop_at_five)], [holder], [files]])
    report = finishes(graph.run)
    assert report.interrupted
    assert not report.complete
    assert 6 <= report.frames_in < 20
    assert files.items == frames[: report.frames_in]
    assert [edge.discarded + edge.waiting + edge.dropped for edge in report.edges] == [0, 0, 0]
    assert files.calls[-3:] == ["drain", "reset", "close"]
    assert files.complete is False


def test_stop_without_drain_ends_a_pipeline_that_is_stuck(finishes):
    """The sink never takes a second item until it is released, after the stop."""
    entered = threading.Event()
    files = RecordingNode("csv")

    def hold(item):
        entered.set()
        assert stopped.wait(LIMIT_SECONDS)

    stopped = threading.Event()
    graph = PatientGraph(IterableSource(range(500)), [[], [TapNode("hold", hold)], [files]])

    def stopper():
        assert entered.wait(LIMIT_SECONDS)
        graph.stop(drain=False)
        stopped.set()

    thread = threading.Thread(target=stopper)
    thread.start()
    report = finishes(graph.run)
    thread.join()
    assert report.interrupted
    assert files.items == []
    assert files.calls == ["open", "close"]
    for edge in report.edges:
        assert edge.items_in == edge.items_out + edge.discarded
    assert report.edges[0].discarded >= 1


def test_stop_before_run_reads_nothing(finishes):
    graph = PatientGraph(RecordingSource(make_frames(5)), [[], [RecordingNode("csv")]])
    graph.stop()
    report = finishes(graph.run)
    assert (report.frames_in, report.interrupted, report.complete) == (0, True, False)


def test_stop_after_the_end_changes_nothing():
    graph = PatientGraph(IterableSource(range(5)), [[RecordingNode("csv")]])
    graph.run()
    graph.stop()
    assert (graph.report().interrupted, graph.report().complete) == (False, True)


def interrupt_at(index, times=1):
    """A look that sends SIGINT to this process when item ``index`` comes by, and then waits until it was received."""

    def look(item):
        if item == index:
            for _ in range(times):
                os.kill(os.getpid(), signal.SIGINT)

    return look


@pytest.fixture
def _default_sigint():
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.usefixtures("_default_sigint")
def test_ctrl_c_lets_items_in_flight_pass_and_closes_files():
    """The source goes on for ever, so only the interrupt ends it."""
    source = RecordingSource(list(range(1_000_000)))
    holder, files = Holder("smooth"), RecordingNode("csv")
    graph = PatientGraph(source, [[], [TapNode("detect", interrupt_at(20))], [holder], [files]])
    report = graph.run(on_interrupt="report")
    assert (report.interrupted, report.complete) == (True, False)
    assert files.items == list(range(report.frames_in))
    assert report.frames_in > 20
    assert files.calls[-3:] == ["drain", "reset", "close"]
    assert source.calls == ["open", "close"]


@pytest.mark.usefixtures("_default_sigint")
def test_ctrl_c_is_raised_by_default_once_everything_is_closed():
    files = RecordingNode("csv")
    graph = PatientGraph(IterableSource(range(1_000_000)), [[], [TapNode("detect", interrupt_at(20))], [files]])
    with pytest.raises(KeyboardInterrupt):
        graph.run()
    assert files.calls[-1] == "close"
    assert graph.report().interrupted


@pytest.mark.usefixtures("_default_sigint")
def test_ctrl_c_while_the_caller_waits_for_a_result():
    files = RecordingNode("csv")
    source = RecordingSource(list(range(1_000_000)))
    graph = PatientGraph(source, [[], [TapNode("detect", interrupt_at(20))]], branches=[[files]])
    got = []
    results = graph.iterate()
    with pytest.raises(KeyboardInterrupt):
        got.extend(results)
    results.close()
    assert files.items[: len(got)] == got
    assert files.items == list(range(len(files.items)))
    assert (files.calls[-1], files.complete) == ("close", False)


class Watched(Graph):
    """Tells when it was stopped, gently and hard."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.gentle, self.hard = threading.Event(), threading.Event()

    def stop(self, drain=True):
        super().stop(drain)
        (self.gentle if drain else self.hard).set()


@pytest.mark.usefixtures("_default_sigint")
def test_ctrl_c_during_open_closes_what_was_opened():
    """What is being opened is given the time to end; nothing further is opened."""

    class Slow(RecordingNode):
        def open(self, info):
            os.kill(os.getpid(), signal.SIGINT)
            assert graph.gentle.wait(LIMIT_SECONDS)
            super().open(info)

    opened, slow, never = RecordingNode("detect"), Slow("track"), RecordingNode("csv")
    source = RecordingSource(make_frames(3))
    graph = Watched(source, [[], [opened], [slow], [never]], drain_seconds=LIMIT_SECONDS)
    with pytest.raises(KeyboardInterrupt):
        graph.run()
    assert opened.calls == slow.calls == source.calls == ["open", "close"]
    assert never.calls == []
    assert graph.report().notes == ()


@pytest.mark.usefixtures("_default_sigint")
@pytest.mark.parametrize("presses", [1, 2])
@pytest.mark.parametrize("how", ["run", "iterate"])
def test_ctrl_c_does_not_wait_for_ever_for_what_is_being_opened(presses, how):
    """The node hangs in open until the run is over; then its thread closes it."""
    release = threading.Event()

    class Hangs(RecordingNode):
        def open(self, info):
            os.kill(os.getpid(), signal.SIGINT)
            if presses == 2:
                assert graph.gentle.wait(LIMIT_SECONDS)
                os.kill(os.getpid(), signal.SIGINT)
            assert release.wait(LIMIT_SECONDS)
            super().open(info)

    before, hangs, source = set(threading.enumerate()), Hangs("track"), RecordingSource(make_frames(3))
    limits = {"drain_seconds": 0.05, "stop_seconds": 0.05}
    graph = Watched(source, [[], [hangs]], **({**limits, "drain_seconds": LIMIT_SECONDS} if presses == 2 else limits))
    with pytest.raises(KeyboardInterrupt):
        graph.run() if how == "run" else list(graph.iterate())
    assert source.calls == ["open", "close"]
    assert graph.report().notes == (
        "'track' did not return from open in time: it was left behind and is closed when it returns",
    )
    release.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(LIMIT_SECONDS)
    assert hangs.calls == ["open", "close"]


@pytest.mark.usefixtures("_default_sigint")
def test_a_second_ctrl_c_skips_what_is_in_flight():
    """The first interrupt drains; the sink that holds the drain up sends the second, which ends it."""
    files, ahead = RecordingNode("csv"), threading.Event()

    def numbers():
        for number in range(1_000_000):
            if number == 6:  # 4 and 5 wait before the sink
                ahead.set()
            yield number

    def hold(item):
        if item == 3:
            assert ahead.wait(LIMIT_SECONDS)
            os.kill(os.getpid(), signal.SIGINT)
            assert graph.gentle.wait(LIMIT_SECONDS)
            os.kill(os.getpid(), signal.SIGINT)
            assert graph.hard.wait(LIMIT_SECONDS)

    graph = Watched(IterableSource(numbers()), [[], [TapNode("overlay", hold)], [files]])
    report = graph.run(on_interrupt="report")
    assert report.interrupted
    assert graph.hard.is_set()
    assert 3 not in files.items  # cut, not drained
    assert files.calls[-1] == "close"
    assert report.edges[0].discarded >= 1


@pytest.mark.usefixtures("_default_sigint")
def test_a_ctrl_c_that_comes_while_the_first_is_handled_leaves_nothing_open():
    """The second arrives inside ``stop``, before it has done anything."""
    files = RecordingNode("csv")
    pressed = []

    class Pressed(Graph):
        def stop(self, drain=True):
            pressed.append(drain)
            if len(pressed) == 1:
                os.kill(os.getpid(), signal.SIGINT)
            super().stop(drain)

    graph = Pressed(IterableSource(range(1_000_000)), [[], [TapNode("detect", interrupt_at(20))], [files]])
    report = graph.run(on_interrupt="report")
    assert pressed == [True, False]
    assert report.interrupted
    assert files.calls[-1] == "close"
    assert files.items == list(range(len(files.items)))


@pytest.mark.usefixtures("_default_sigint")
def test_stop_may_be_called_by_a_signal_handler():
    files = RecordingNode("csv")
    graph = PatientGraph(IterableSource(range(1_000_000)), [[], [TapNode("detect", interrupt_at(20))], [files]])
    signal.signal(signal.SIGINT, lambda number, frame: graph.stop(drain=True))
    report = graph.run()
    assert report.interrupted
    assert files.items == list(range(report.frames_in))


@pytest.mark.parametrize("taken", [1, 7])
def test_leaving_the_loop_early_closes_everything(taken, finishes):
    frames = make_frames(5000)
    source, files = RecordingSource(frames), RecordingNode("csv")
    graph = PatientGraph(source, [[], [FunctionNode("detect", lambda frame: frame)]], branches=[[files]])

    def take():
        results = graph.iterate()
        got = [next(results) for _ in range(taken)]
        results.close()
        return got

    assert finishes(take) == frames[:taken]
    assert files.items == frames[: len(files.items)]
    assert len(files.items) >= taken  # the file holds at least what the caller saw
    assert len(files.items) == graph.report().frames_in  # and everything that was read
    assert (files.calls[-1], files.complete) == ("close", False)
    assert source.calls == ["open", "close"]
    assert graph.report().interrupted


def test_an_iterator_that_was_never_started_opened_nothing():
    source = RecordingSource(make_frames(5))
    graph = PatientGraph(source, [[], [RecordingNode("csv")]])
    graph.iterate().close()
    assert source.calls == []


def test_leaving_the_loop_reports_a_failure_of_closing(finishes):
    graph = PatientGraph(IterableSource(range(5000)), [[]], branches=[[RecordingNode("csv", "close")]])

    def take():
        with contextlib.closing(graph.iterate()) as results:
            next(results)

    with pytest.raises(StageError, match="csv broke in close"):
        finishes(take)


def test_a_source_that_does_not_return_does_not_keep_the_rest_from_being_drained(finishes):
    """A dead camera: reading hangs. What was read is drained into the files, the camera is closed once it returns."""
    hangs, release = threading.Event(), threading.Event()

    def before(index):
        if index == 4:
            hangs.set()
            assert release.wait(LIMIT_SECONDS)

    source = RecordingSource(make_frames(100), before=before)
    holder, files = Holder("smooth"), RecordingNode("csv")
    threads = set(threading.enumerate())
    graph = Graph(source, [[], [holder], [files]], drain_seconds=2.0, stop_seconds=LIMIT_SECONDS)

    def stopper():
        assert hangs.wait(LIMIT_SECONDS)
        graph.stop(drain=True)

    thread = threading.Thread(target=stopper)
    thread.start()
    report = finishes(graph.run)
    thread.join()
    assert [frame.index for frame in files.items] == [0, 1, 2, 3]
    assert files.calls[-3:] == ["drain", "reset", "close"]
    assert source.calls == ["open"]  # still inside its code: closing now would be unsafe
    assert report.notes == (
        "'decode' did not return in time: its thread was left behind and closes it when it returns",
    )  # fmt: skip
    release.set()
    for left in set(threading.enumerate()) - threads:
        left.join(LIMIT_SECONDS)
    assert source.calls == ["open", "close"]
    assert len(files.items) == 4
