"""One model for several sources: who waits for whom, what comes back to whom, what a failure costs whom."""

import threading

import pytest
from graph_parts import LIMIT_SECONDS, ManualClock, RecordingNode, RecordingSource, make_frames

from videohoi.errors import StageError
from videohoi.graph import (
    Batcher,
    BatchNode,
    BatchPolicy,
    FunctionNode,
    Graph,
    IterableSource,
    MultiGraph,
)
from videohoi.structures import SourceInfo

INFO = SourceInfo("items", 0, 0, None, None, None)
LONG_SECONDS = 9 * LIMIT_SECONDS
"""a bounded wait that must never be what lets a batch leave"""


class Model(BatchNode):
    """Doubles numbers (frames pass as they are) and writes down each batch; ``broken`` items make it raise."""

    def __init__(self, broken=(), before=lambda items: None):
        super().__init__("model")
        self.batches, self.calls, self.threads = [], [], set()
        self._broken, self._before = set(broken), before

    def open(self):
        self.calls.append("open")

    def process_batch(self, items):
        self._before(items)
        self.threads.add(threading.current_thread().name)
        self.batches.append(list(items))
        for item in items:
            if getattr(item, "index", item) in self._broken:
                raise ValueError(f"cannot look at {getattr(item, 'index', item)}")
        return [2 * item if isinstance(item, int) else item for item in items]

    def close(self):
        self.calls.append("close")


def lanes_of(batcher, count):
    lanes = [batcher.lane() for _ in range(count)]
    for lane in lanes:
        lane.open(INFO)
    return lanes


def run_lanes(batcher, sources, **options):
    """A graph a source: items | model | list; gives the report and what each list got."""
    seen = {name: RecordingNode("list") for name in sources}
    graphs = {name: Graph(source, [[], [batcher.lane()], [seen[name]]]) for name, source in sources.items()}
    report = MultiGraph(graphs, [batcher]).run(**options)
    return report, {name: node.items for name, node in seen.items()}


def test_each_source_gets_its_own_results_back_in_its_own_order(finishes):
    model = Model()
    batcher = Batcher(model, BatchPolicy(batch_size=3, max_wait_seconds=0.001))
    sources = {f"camera {k}": IterableSource(range(1000 * k, 1000 * k + 40 + 7 * k)) for k in range(4)}
    report, seen = finishes(lambda: run_lanes(batcher, sources))
    for k in range(4):
        assert seen[f"camera {k}"] == [2 * number for number in range(1000 * k, 1000 * k + 40 + 7 * k)]
        run = report.sources[f"camera {k}"]
        assert (run.complete, run.frames_in, run.frames_out) == (True, 40 + 7 * k, 40 + 7 * k)
    assert model.calls == ["open", "close"]
    assert model.threads == {"videohoi: batches model"}
    (batches,) = report.batches
    assert sorted(item for batch in model.batches for item in batch) == sorted(
        number for k in range(4) for number in range(1000 * k, 1000 * k + 40 + 7 * k)
    )
    assert max(map(len, model.batches)) <= 3
    assert batches.items == 4 * 40 + 7 * 6
    assert batches.batches == len(model.batches) == batches.full + batches.waited + batches.nobody_else
    assert batches.wait.count == batches.items
    assert sorted((lane.items_in, lane.items_out) for lane in batches.lanes) == [(40 + 7 * k,) * 2 for k in range(4)]


def test_a_batch_leaves_as_soon_as_every_source_waits(finishes):
    """Three sources cannot fill a batch of eight; the bounded wait is longer than any test may take."""
    model = Model()
    batcher = Batcher(model, BatchPolicy(batch_size=8, max_wait_seconds=LONG_SECONDS))
    _, seen = finishes(lambda: run_lanes(batcher, {name: IterableSource(range(30)) for name in "abc"}))
    assert all(items == list(range(0, 60, 2)) for items in seen.values())
    assert max(map(len, model.batches)) <= 3


def test_a_stalled_source_costs_the_others_the_bounded_wait_and_no_more(finishes):
    """The clock stands until the item is with the model's queue; the batch leaves when it is moved, by itself."""
    clock, at_seconds = ManualClock(), []
    model = Model(before=lambda items: at_seconds.append(clock.now()))
    batcher = Batcher(model, BatchPolicy(batch_size=2, max_wait_seconds=0.5), clock)
    going, stalled = lanes_of(batcher, 2)
    arrived = threading.Event()
    submit = batcher.submit

    def submit_and_tell(ticket):
        submit(ticket)
        arrived.set()

    batcher.submit = submit_and_tell

    def one(number):
        results = []
        thread = threading.Thread(target=lambda: results.extend(going.process(number)), daemon=True)
        thread.start()
        assert arrived.wait(LIMIT_SECONDS)
        arrived.clear()
        clock.advance(0.25)
        clock.advance(0.25)
        thread.join(LIMIT_SECONDS)
        return results

    assert finishes(lambda: [one(number) for number in (1, 2)]) == [[2], [4]]
    assert model.batches == [[1], [2]]
    assert all(seconds % 0.25 == 0 for seconds in at_seconds)
    assert [seconds >= 0.5 * (k + 1) for k, seconds in enumerate(at_seconds)] == [True, True]
    assert batcher.report().waited == 2
    assert batcher.report().wait.max_ms == 500.0
    for lane in (going, stalled):
        lane.close(complete=False)


def test_a_source_that_hangs_for_ever_does_not_hold_up_the_others(finishes):
    """The dead camera delivers nothing until the healthy one is through; then it is let go."""
    release = threading.Event()
    last = TapUntil(39, release)
    dead = RecordingSource(make_frames(3, "dead"), before=lambda index: index == 1 and release.wait(LIMIT_SECONDS))
    model = Model()
    batcher = Batcher(model, BatchPolicy(batch_size=2, max_wait_seconds=0.001))
    graphs = {
        "dead": Graph(dead, [[], [batcher.lane()]]),
        "healthy": Graph(IterableSource(make_frames(40, "healthy")), [[], [batcher.lane()], [last]]),
    }
    report = finishes(MultiGraph(graphs, [batcher]).run)
    assert report.complete
    assert [frame.index for frame in last.items] == list(range(40))


class TapUntil(RecordingNode):
    """Sets ``event`` when the item with index ``last`` has come."""

    def __init__(self, last, event):
        super().__init__("list")
        self._last, self._event = last, event

    def process(self, item):
        if item.index == self._last:
            self._event.set()
        return super().process(item)


def test_a_source_that_fails_ends_alone_and_is_told_at_the_end(finishes, caplog):
    model = Model()
    batcher = Batcher(model, BatchPolicy(batch_size=2, max_wait_seconds=0.001))
    sources = {
        "bad": RecordingSource(make_frames(20), fail_in="frames", fail_at=4),
        "good": IterableSource(make_frames(30, "good")),
    }
    seen = {name: RecordingNode("list") for name in sources}
    graph = MultiGraph(
        {name: Graph(source, [[], [batcher.lane()], [seen[name]]]) for name, source in sources.items()}, [batcher]
    )
    with pytest.raises(StageError, match="source broke in frames") as caught:
        finishes(graph.run)
    assert (caught.value.stage, caught.value.frame_index) == ("decode", 4)
    assert [frame.index for frame in seen["good"].items] == list(range(30))
    assert [frame.index for frame in seen["bad"].items] == list(range(4))
    report = graph.report()
    assert (report.sources["good"].complete, report.sources["bad"].complete) == (True, False)
    assert list(report.failures) == ["bad"]
    assert "source 'bad' ended" in caplog.text
    assert model.calls == ["open", "close"]


@pytest.mark.parametrize("in_flight", [1, 3])
def test_an_item_the_model_cannot_take_ends_only_its_own_source(in_flight, finishes):
    """It fails in a batch with others, which are tried again alone; the error names the frame, not a later one."""
    model = Model(broken=[107])
    batcher = Batcher(model, BatchPolicy(batch_size=4, max_wait_seconds=0.001, in_flight=in_flight))
    frames = {"bad": make_frames(120, "bad")[100:], "good": make_frames(40, "good")}
    sources = {name: IterableSource(items) for name, items in frames.items()}
    report, seen = finishes(lambda: run_lanes(batcher, sources, on_failure="report"))
    assert seen["good"] == frames["good"]
    assert [frame.index for frame in seen["bad"]] == list(range(100, 107))
    assert report.failures == {"bad": "stage 'model' failed on bad at frame 107: cannot look at 107"}
    assert not report.complete
    counts = {lane.items_out: lane for lane in report.batches[0].lanes}
    assert (counts[7].failed, counts[40].failed) == (1, 0)
    for lane in counts.values():
        assert lane.items_in == lane.items_out + lane.failed + lane.discarded
        assert lane.waiting == 0


def test_more_in_flight_lets_one_file_fill_batches(finishes):
    model = Model()
    batcher = Batcher(model, BatchPolicy(batch_size=4, max_wait_seconds=LONG_SECONDS, in_flight=4))
    _, seen = finishes(lambda: run_lanes(batcher, {"file": IterableSource(range(42))}))
    assert seen["file"] == list(range(0, 84, 2))
    assert max(map(len, model.batches)) == 4


def test_a_model_that_loses_a_result_is_told_so():
    class Loses(BatchNode):
        def process_batch(self, items):
            return list(items)[1:]

    with pytest.raises(StageError, match=r"gave 0 results for 1 items; give one each"):
        run_lanes(Batcher(Loses("model")), {"a": IterableSource([1])})


def test_a_model_that_cannot_load_fails_the_run_before_any_source_is_opened():
    class Missing(Model):
        def open(self):
            raise OSError("no weights")

    source = RecordingSource(make_frames(3))
    batcher = Batcher(Missing())
    graph = MultiGraph({"a": Graph(source, [[], [batcher.lane()]])}, [batcher])
    with pytest.raises(StageError, match="stage 'model' failed on all sources: no weights"):
        graph.run()
    assert source.calls == []
    assert graph.report().sources["a"].wall_seconds == 0.0


def test_lanes_alone_open_the_model_once_and_the_last_closes_it():
    model = Model()
    first, second = lanes_of(Batcher(model), 2)
    first.close(complete=True)
    assert model.calls == ["open"]
    second.close(complete=True)
    assert model.calls == ["open", "close"]


def test_a_batcher_serves_one_run_after_another(finishes):
    model = Model()
    batcher = Batcher(model, BatchPolicy(max_wait_seconds=LONG_SECONDS))
    for start in (0, 10):
        _, seen = finishes(lambda start=start: run_lanes(batcher, {"a": IterableSource(range(start, start + 3))}))
        assert seen["a"] == [2 * number for number in range(start, start + 3)]
    assert model.calls == ["open", "close"] * 2


def test_results_nobody_takes_are_counted():
    """With three in flight, a graph that is cut leaves results behind."""
    model = Model()
    batcher = Batcher(model, BatchPolicy(batch_size=8, max_wait_seconds=LONG_SECONDS, in_flight=3))
    (lane,) = lanes_of(batcher, 1)
    assert [list(lane.process(number)) for number in (1, 2)] == [[], []]
    lane.close(complete=False)
    (counts,) = batcher.report().lanes
    assert (counts.items_in, counts.items_out, counts.discarded, counts.waiting) == (2, 0, 2, 0)
    assert model.batches == []


def test_a_model_that_hangs_is_left_behind_and_closed_when_it_returns(finishes, caplog):
    entered, release = threading.Event(), threading.Event()

    def hang(items):
        entered.set()
        assert release.wait(LIMIT_SECONDS)

    model = Model(before=hang)
    batcher = Batcher(model, BatchPolicy(max_wait_seconds=0.001), close_seconds=0.01)
    graph = Graph(IterableSource(range(50)), [[], [batcher.lane()]], stop_seconds=0.05)
    threads = set(threading.enumerate())

    def stopper():
        assert entered.wait(LIMIT_SECONDS)
        graph.stop(drain=False)

    thread = threading.Thread(target=stopper)
    thread.start()
    report = finishes(graph.run)
    thread.join()
    assert report.notes == ("'model' did not return in time: its thread was left behind and closes it when it returns",)
    assert model.calls == ["open"]
    release.set()
    for left in set(threading.enumerate()) - threads:
        left.join(LIMIT_SECONDS)
    assert model.calls == ["open", "close"]


def test_stop_ends_all_sources_and_loses_nothing_that_was_read(finishes):
    batcher = Batcher(Model(), BatchPolicy(batch_size=4, max_wait_seconds=0.001))
    seen = {name: RecordingNode("list") for name in "abc"}

    def stop_at(number):
        if number == 20:
            graph.stop()
        return number

    graphs = {
        name: Graph(
            IterableSource(range(10**6)), [[FunctionNode("look", stop_at)], [batcher.lane()], [seen[name]]]
        )
        for name in seen
    }  # fmt: skip
    graph = MultiGraph(graphs, [batcher])
    report = finishes(graph.run)
    assert report.interrupted
    for name, node in seen.items():
        assert node.items == [2 * number for number in range(report.sources[name].frames_in)]
        assert report.sources[name].interrupted


def test_a_failure_of_the_batches_themselves_is_told_to_every_source(finishes):
    """Here the clock that says how long an item has waited, in the thread that waits for batches."""

    class Broken:
        def now(self):
            if "batches" in threading.current_thread().name and model.batches:
                raise OSError("no clock")
            return 0.0

    model = Model()
    batcher = Batcher(model, BatchPolicy(batch_size=2, max_wait_seconds=LONG_SECONDS), Broken())
    sources = {name: IterableSource(range(30)) for name in "ab"}
    report, seen = finishes(lambda: run_lanes(batcher, sources, on_failure="report"))
    assert sorted(report.failures) == ["a", "b"]
    assert all("stage 'model' failed" in line and "no clock" in line for line in report.failures.values())
    assert sum(map(len, seen.values())) == sum(map(len, model.batches))
    assert model.calls == ["open", "close"]
