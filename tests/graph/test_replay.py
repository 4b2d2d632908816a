"""A live run, recorded, and the same run again at another speed: same frames at each node, same results."""

import json
import threading
import time

import numpy as np
import pytest
from graph_parts import LIMIT_SECONDS, ManualClock, RecordingNode, RecordingSource, make_frames
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.errors import InputError, SinkError, StageError, UsageError
from videohoi.graph import BaseNode, Branch, EdgePolicy, Graph, IterableSource, RunRecord, TapNode
from videohoi.structures import Frame

LATEST = EdgePolicy.latest()


def pictures(count, seed=0):
    """Frames that differ in every picture."""
    random = np.random.default_rng(seed)
    return [
        Frame(random.integers(0, 255, (32, 32, 3), np.uint8), index, index / 30, "camera") for index in range(count)
    ]


class Gaps(BaseNode):
    """Says of each frame how long after the one before it came: a result that depends on every drop."""

    def __init__(self):
        super().__init__("gaps")
        self.said, self._last = [], None

    def process(self, item):
        gap = None if self._last is None else item.pts_seconds - self._last
        self._last = item.pts_seconds
        self.said.append((item.index, gap))
        return [item]


class Run:
    """decode |latest| slow |latest| gaps | list, and a display that may drop; ``pace`` says how slow ``slow`` is."""

    def __init__(self, frames, pace=lambda frame: None, edge=LATEST, clock=None, **options):
        self.slow, self.gaps, self.shown = RecordingNode("slow"), Gaps(), RecordingNode("display")
        stages = [[], [TapNode("pace", pace), self.slow], [self.gaps]]
        branch = Branch((self.shown,), EdgePolicy.latest())
        source = frames if hasattr(frames, "frames") else IterableSource(frames)
        self.graph = Graph(source, stages, edges=[edge, LATEST], branches=[branch], clock=clock, **options)

    def seen(self):
        return [frame.index for frame in self.slow.items], self.gaps.said, [f.index for f in self.shown.items]


def dawdle(frame):
    time.sleep(0.002 * (frame.index % 3))


@pytest.mark.parametrize("pace", [lambda frame: None, lambda frame: time.sleep(0.001)], ids=["fast", "slow"])
def test_a_replay_gives_every_node_the_frames_it_had(pace, tmp_path, finishes):
    live = Run(pictures(120), dawdle, record_to=tmp_path / "run.jsonl")
    recorded = finishes(live.graph.run)
    assert recorded.frames_dropped > 0
    again = Run(pictures(120), pace, replay=RunRecord.load(tmp_path / "run.jsonl"))
    report = finishes(again.graph.run)
    assert again.seen() == live.seen()
    assert (report.frames_in, report.frames_out, report.frames_dropped, report.complete) == (
        recorded.frames_in, recorded.frames_out, recorded.frames_dropped, True,
    )  # fmt: skip
    for old, new in zip(recorded.edges, report.edges, strict=True):
        assert (new.items_in, new.items_out, new.dropped) == (old.items_in, old.items_out, old.dropped)
    assert report.notes == (f"replayed from {tmp_path / 'run.jsonl'}",)


@settings(max_examples=8, deadline=None)
@given(
    live_ms=st.lists(st.sampled_from([0, 0, 1, 2]), min_size=25, max_size=25),
    replay_ms=st.lists(st.sampled_from([0, 0, 1, 2]), min_size=25, max_size=25),
    capacity=st.integers(1, 3),
)
def test_whatever_the_speeds_were(live_ms, replay_ms, capacity, tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "run.jsonl"
    edge = EdgePolicy.latest(capacity)
    live = Run(pictures(25), lambda frame: time.sleep(live_ms[frame.index] / 1e3), edge, record_to=path)
    live.graph.run()
    again = Run(pictures(25), lambda frame: time.sleep(replay_ms[frame.index] / 1e3), edge, replay=RunRecord.load(path))
    again.graph.run()
    assert again.seen() == live.seen()


def test_frames_dropped_for_their_age_are_dropped_again_without_a_clock(tmp_path, finishes):
    """The clock jumps over the staleness budget while frames wait; in the replay it stands still."""
    clock = ManualClock(100.0)
    path = tmp_path / "run.jsonl"

    def jump(frame):
        clock.advance(1.0)
        time.sleep(0.002)

    edge = EdgePolicy.latest(4, staleness_seconds=0.5)
    live = Run(pictures(40), jump, edge, clock, record_to=path)
    recorded = finishes(live.graph.run)
    again = Run(pictures(40), edge=edge, clock=ManualClock(), replay=RunRecord.load(path))
    report = finishes(again.graph.run)
    assert recorded.edges[0].stale > 0
    assert report.edges[0].stale == recorded.edges[0].stale
    assert again.seen() == live.seen()


def test_a_run_that_was_stopped_is_replayed_as_far_as_it_went(tmp_path, finishes):
    path, stopped = tmp_path / "run.jsonl", threading.Event()

    def stop_at_ten(frame):
        dawdle(frame)
        if frame.index >= 10:
            live.graph.stop()
            stopped.set()

    def camera():
        return RecordingSource(pictures(500), before=lambda index: index == 400 and stopped.wait(LIMIT_SECONDS))

    live = Run(camera(), stop_at_ten, record_to=path)
    recorded = finishes(live.graph.run)
    again = Run(camera(), replay=RunRecord.load(path))
    report = finishes(again.graph.run)
    assert again.seen() == live.seen()
    assert report.frames_in == recorded.frames_in < 500
    assert (report.complete, report.interrupted) == (False, False)


def test_a_failure_is_replayed_on_the_same_frame(tmp_path, finishes):
    path = tmp_path / "run.jsonl"

    def fail(frame):
        if frame.index >= 20:
            raise ValueError("bug")
        dawdle(frame)

    def failure_of(run):
        with pytest.raises(StageError, match="bug") as caught:
            finishes(run.graph.run)
        return caught.value.frame_index, [frame.index for frame in run.slow.items]

    def run(**options):
        return Run(pictures(200), fail, **options)

    assert failure_of(run(record_to=path)) == failure_of(run(replay=RunRecord.load(path)))


def test_refused_frames_and_items_that_are_no_frames_are_replayed(tmp_path, finishes):
    frames = make_frames(20)
    items = [*frames[:10], frames[3], "a note", *frames[10:]]
    path = tmp_path / "run.jsonl"
    seen = []
    for options in ({"record_to": path}, {"replay": "path"}):
        node = RecordingNode("slow")
        if "replay" in options:
            options = {"replay": RunRecord.load(path)}
        pace = TapNode("pace", lambda item: time.sleep(0.001))
        report = finishes(Graph(IterableSource(items), [[], [pace, node]], edges=LATEST, **options).run)
        seen.append((node.items, report.frames_dropped, report.frames_in))
    assert seen[0] == seen[1]


@pytest.fixture
def record(tmp_path):
    """Of a run over 30 frames that dropped some."""
    Run(pictures(30), dawdle, record_to=tmp_path / "run.jsonl").graph.run()
    return tmp_path / "run.jsonl"


def frame_of_another_time():
    frames = pictures(30)
    return [*frames[:7], Frame(frames[7].image, 7, frames[7].pts_seconds + 0.001, "camera"), *frames[8:]]


@pytest.mark.parametrize(("frames", "message"), [
    (pictures(30, seed=1), "item 0 is frame 0 at 0.0 s with picture sum"),
    (pictures(29), "it ended after 29 items, the record holds 30"),
    (pictures(31), "it has more items than the 30 that were recorded"),
    (frame_of_another_time(), r"item 7 is frame 7 at 0.234\d+ s .*, the record says frame 7 at 0.2333"),
    (pictures(30)[1:], "item 0 is frame 1"),
])  # fmt: skip
def test_another_source_is_refused_in_one_line(record, frames, message, finishes):
    run = Run(frames, replay=RunRecord.load(record))
    with pytest.raises(StageError, match=message) as caught:
        finishes(run.graph.run)
    cause = caught.value.__cause__
    assert isinstance(cause, InputError)
    assert str(cause).startswith(f"{record} does not fit this source")
    assert "\n" not in str(cause)
    assert "replay exactly the frames that were recorded" in str(cause)


def test_another_graph_is_refused_before_anything_is_opened(record):
    with pytest.raises(InputError, match=r"recorded with the graph 'decode \|latest\| pace > slow .*', this one is"):
        Graph(IterableSource(pictures(30)), [[], [RecordingNode("slow")]], replay=RunRecord.load(record))


def test_a_node_that_gives_other_results_than_recorded_is_noticed(record, finishes):
    """The record says that item 0 on the second edge was frame 999."""
    lines = [line for line in lines_of(record) if not line.startswith('["drop",1')]
    record.write_text("\n".join([*lines[:3], '["drop",1,0,999]', *lines[3:]]))
    run = Run(pictures(30), replay=RunRecord.load(record))
    with pytest.raises(StageError, match=r"item 0 on 'slow -> gaps' is frame \d+, the record dropped frame 999"):
        finishes(run.graph.run)


def test_a_node_that_gives_fewer_results_than_recorded_is_noticed(record, finishes):
    run = Run(pictures(30), replay=RunRecord.load(record))
    process = run.slow.process
    run.slow.process = lambda item: [] if item.index == 29 else process(item)  # the newest always arrives
    with pytest.raises(StageError, match=r"\d+ items came to 'slow -> gaps', the record says \d+|the record dropped"):
        finishes(run.graph.run)


def lines_of(path):
    return path.read_text().splitlines()


def test_the_file_names_the_frames_that_were_dropped(tmp_path):
    record = tmp_path / "run.jsonl"
    report = Run(pictures(30), dawdle, record_to=record).graph.run()
    puts = [edge.items_in for edge in report.edges]
    header, *lines = (json.loads(line) for line in lines_of(record))
    assert header["schema"] == "videohoi.run_record"
    assert header["plan"] == "decode |latest| pace > slow |latest| gaps | display"
    assert [line[1:3] for line in lines if line[0] == "read"] == [[index, index / 30] for index in range(30)]
    first_edge = [line for line in lines if line[0] == "drop" and line[1] == 0]
    assert first_edge
    assert all(ordinal == index for _, _, ordinal, index in first_edge)
    assert lines[-1] == ["end", {"read": 30, "source_ended": True, "cut": False, "put": puts}]


@pytest.mark.parametrize(("change", "message"), [
    (lambda lines: lines[:-1], "the record has no end, so its run was killed"),
    (lambda lines: [*lines[:5], *lines[6:]], "the record has no end"),
    (lambda lines: [], "no run record"),
    (lambda lines: ["[]", *lines[1:]], "no run record"),
    (lambda lines: [lines[0].replace('"version":1', '"version":9'), *lines[1:]], "version 9"),
    (lambda lines: [*lines[:3], lines[3][:-4], *lines[4:]], "line 4: not a line of a run record"),
    (lambda lines: [*lines[:3], '["jump",1]', *lines[4:]], "line 4: .*unknown kind 'jump'"),
])  # fmt: skip
def test_a_damaged_record_is_told_in_one_line(record, change, message):
    lines = change(["\n".join([line]) for line in lines_of(record) if not line.startswith(('["drop', '["stale'))])
    record.write_text("\n".join(lines))
    with pytest.raises(InputError, match=message) as caught:
        RunRecord.load(record)
    assert str(record) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_record_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="not readable as a run record"):
        RunRecord.load(tmp_path / "none.jsonl")


def test_a_record_that_cannot_be_written_fails_the_run_and_closes_the_source(tmp_path):
    run = Run(pictures(3), record_to=tmp_path / "no folder" / "run.jsonl")
    with pytest.raises(StageError, match="cannot write the run record") as caught:
        run.graph.run()
    assert isinstance(caught.value.__cause__, SinkError)
    assert run.slow.calls == []


def test_recording_and_replaying_at_once_makes_no_sense(record):
    with pytest.raises(UsageError, match="not both"):
        Run(pictures(30), replay=RunRecord.load(record), record_to=record)
