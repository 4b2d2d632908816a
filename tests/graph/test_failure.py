"""What happens when something raises: who is named, who is closed, what was kept."""

import threading
import traceback

import pytest
from graph_parts import LIMIT_SECONDS, PatientGraph, RecordingNode, RecordingSource, make_frames

from videohoi.errors import DecodeError, SinkError, StageError
from videohoi.graph import FunctionNode, Graph, IterableSource, TapNode

FRAMES = 15


def make_graph(nodes, source, **options):
    """decode | detect | track > smooth | overlay, csv"""
    detect, track, smooth, overlay, csv = nodes
    return PatientGraph(source, [[], [detect], [track, smooth]], branches=[[overlay], [csv]], **options)


NAMES = ("detect", "track", "smooth", "overlay", "csv")


@pytest.mark.parametrize("failing", NAMES)
@pytest.mark.parametrize(
    ("call", "how"),
    [*((call, "run") for call in ("open", "process", "drain", "reset", "close")), ("process", "iterate")],
)
def test_whatever_raises_is_named_and_everything_opened_is_closed_once(failing, call, how, finishes):
    nodes = [RecordingNode(name, fail_in=call if name == failing else "", fail_at=7) for name in NAMES]
    source = RecordingSource(make_frames(FRAMES))
    graph = make_graph(nodes, source)
    with pytest.raises(StageError) as caught:
        finishes(graph.run if how == "run" else lambda: list(graph.iterate()))
    assert caught.value.stage == failing
    assert caught.value.source_id == "clip.mp4"
    assert caught.value.frame_index == (7 if call == "process" else None)
    assert str(caught.value.__cause__) == f"{failing} broke in {call}"
    assert source.calls == ["open", "close"]
    for node in nodes:
        opened = "open" in node.calls and not (call == "open" and node.name == failing)
        assert node.calls.count("close") == int(opened)
        assert "close" not in node.calls or node.calls[-1] == "close"
        if opened and call != "close":
            assert node.complete is False
    assert not graph.report().complete


@pytest.mark.parametrize(("call", "frame_index", "calls"), [
    ("open", None, ["open"]), ("frames", 5, ["open", "close"]), ("close", None, ["open", "close"]),
])  # fmt: skip
def test_a_source_that_raises_is_named(call, frame_index, calls, finishes):
    source = RecordingSource(make_frames(FRAMES), fail_in=call, fail_at=5)
    nodes = [RecordingNode(name) for name in NAMES]
    with pytest.raises(StageError, match=f"stage 'decode' failed on .*: source broke in {call}") as caught:
        finishes(make_graph(nodes, source).run)
    assert caught.value.frame_index == frame_index
    assert source.calls == calls
    for node in nodes:
        assert node.calls.count("close") == node.calls.count("open") == (0 if call == "open" else 1)


def test_what_lies_before_the_failing_frame_reaches_the_files(finishes):
    frames = make_frames(FRAMES)
    files = RecordingNode("csv")
    graph = PatientGraph(IterableSource(frames), [[], [RecordingNode("detect", "process", 12)], [files]])
    with pytest.raises(StageError):
        finishes(graph.run)
    # fail_at counts items already taken: frame 12 fails, 0 to 11 pass
    assert files.items == frames[:12]
    assert files.calls[-3:] == ["drain", "reset", "close"]


@pytest.mark.parametrize(("error", "exit_code"), [
    (SinkError("out.mp4: disk full"), 1), (DecodeError("clip.mp4: no frame"), 1), (ValueError("bug"), 1),
])  # fmt: skip
def test_the_message_names_stage_source_and_frame_and_the_exit_code_is_the_causes(error, exit_code):
    graph = PatientGraph(RecordingSource(make_frames(5)), [[], [RecordingNode("overlay", "process", 3, error)]])
    with pytest.raises(StageError) as caught:
        graph.run()
    assert str(caught.value) == f"stage 'overlay' failed on clip.mp4 at frame 3: {error}"
    assert caught.value.exit_code == exit_code == getattr(error, "exit_code", 1)
    assert caught.value.__cause__ is error


def test_an_exit_code_other_than_one_is_kept():
    class LicenceError(SinkError):
        exit_code = 7

    graph = PatientGraph(IterableSource([1]), [[RecordingNode("overlay", "process", 0, LicenceError("no"))]])
    with pytest.raises(StageError) as caught:
        graph.run()
    assert caught.value.exit_code == 7


def test_later_failures_are_chained_and_noted(finishes):
    class FailsTwice(RecordingNode):
        def close(self, *, complete):
            super().close(complete=complete)
            raise OSError("cannot close the file")

    broken, after = FailsTwice("csv", "process", 2), RecordingNode("jsonl")
    graph = PatientGraph(RecordingSource(make_frames(9), fail_in="close"), [[broken]], branches=[[after]])
    with pytest.raises(StageError) as caught:
        finishes(graph.run)
    assert str(caught.value.__cause__) == "csv broke in process"
    shown = "".join(traceback.format_exception(caught.type, caught.value, caught.tb))
    assert "source broke in close" in shown
    assert "cannot close the file" in shown
    assert after.calls.count("close") == 1
    assert [note.split(":")[1].strip() for note in graph.report().notes] == [
        "stage 'decode' failed on clip.mp4",
        "stage 'csv' failed on clip.mp4",
    ]


def test_the_same_error_raised_again_by_close_is_no_circle():
    error = SinkError("encoder died")

    class Encoder(RecordingNode):
        def close(self, *, complete):
            raise error

    graph = PatientGraph(IterableSource([1]), [[Encoder("overlay", "process", 0, error)]])
    with pytest.raises(StageError, match="encoder died") as caught:
        graph.run()
    assert "encoder died" in "".join(traceback.format_exception(caught.type, caught.value, caught.tb))
    assert len(graph.report().notes) == 1


def test_a_node_that_returns_none_is_told_what_to_return():
    class Forgetful(RecordingNode):
        def process(self, item):
            return None

    with pytest.raises(StageError, match=r"stage 'track' .*returned None; return an iterable"):
        PatientGraph(IterableSource([1]), [[Forgetful("track")]]).run()


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), MemoryError(), StopIteration()])
def test_no_kind_of_exception_slips_through(error, finishes):
    sink = RecordingNode("csv")
    graph = PatientGraph(RecordingSource(make_frames(9)), [[], [RecordingNode("detect", "process", 1, error)], [sink]])
    with pytest.raises(StageError) as caught:
        finishes(graph.run)
    assert caught.value.__cause__ is error
    assert (caught.value.stage, caught.value.frame_index) == ("detect", 1)
    assert sink.calls[-1] == "close"


@pytest.mark.parametrize("how", ["run", "iterate"])
def test_a_hung_sink_does_not_hold_up_another_stages_failure(how, finishes, caplog):
    """The sink hangs in process; the error still comes. Once the sink returns, its thread closes it and ends."""
    entered, release = threading.Event(), threading.Event()

    class Hung(RecordingNode):
        def process(self, item):
            entered.set()
            assert release.wait(LIMIT_SECONDS)
            return super().process(item)

    def detect(item):
        if item == 1:
            assert entered.wait(LIMIT_SECONDS)
            raise ValueError("detector broke")
        return item

    hung, other = Hung("overlay", fail_in="close"), RecordingNode("csv")
    before = set(threading.enumerate())
    graph = Graph(
        IterableSource(range(50)), [[], [FunctionNode("detect", detect)]], branches=[[hung], [other]],
        stop_seconds=1.0,
    )  # fmt: skip
    with pytest.raises(StageError, match="detector broke"):
        finishes(graph.run if how == "run" else lambda: list(graph.iterate()))
    assert other.calls[-1] == "close"
    assert hung.calls == ["open"]  # never closed while it still works
    assert graph.report().notes == (
        "'overlay' did not return in time: its thread was left behind and closes it when it returns",
    )
    release.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(LIMIT_SECONDS)
    assert hung.calls == ["open", "process", "close"]
    assert hung.complete is False
    assert "overlay broke in close" in caplog.text  # nothing is lost, even that late


def test_a_full_pipeline_stops_when_its_end_fails(finishes):
    """Every stage upstream waits in put when the sink raises."""
    full = threading.Event()
    read = []

    def before(index):
        read.append(index)
        if index == 6:  # the edges hold four, the stages hold the rest: upstream is full from here on
            full.set()

    def fail(item):
        assert full.wait(LIMIT_SECONDS)
        raise SinkError("disk full")

    nodes = [RecordingNode("detect"), RecordingNode("track")]
    source = RecordingSource(list(range(10_000)), before=before)
    with pytest.raises(StageError, match="disk full"):
        finishes(PatientGraph(source, [[], [nodes[0]], [nodes[1]], [TapNode("csv", fail)]]).run)
    assert len(read) < 100
    assert source.calls == ["open", "close"]
    assert all(node.calls[-1] == "close" for node in nodes)


def test_a_failing_branch_ends_the_caller_loop_with_the_error(finishes):
    graph = PatientGraph(IterableSource(range(10_000)), [[]], branches=[[RecordingNode("csv", "process", 3)]])
    got = []

    def loop():
        for item in graph.iterate():
            got.append(item)

    with pytest.raises(StageError, match="csv broke in process"):
        finishes(loop)
    assert got == list(range(len(got)))
    assert 3 <= len(got) < 100
