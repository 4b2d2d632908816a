"""How soon ``run`` gives up after a failure: each part in each call, with idle, full and blocked neighbours."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.harness import Claim, NotEqualError, Options, Row
from videohoi.errors import StageError
from videohoi.graph import AnyNode, BaseNode, Batcher, BatchNode, BatchPolicy, EdgePolicy, Graph, MultiGraph, RunReport
from videohoi.structures import Frame, SourceInfo

MOST_SECONDS = 1.0
FAIL_AT, END_AT = 8, 12
"""frame at which a part fails and after which the camera stalls; where the video ends if the failure comes only then"""
BLOCKED_WITHIN_SECONDS = 0.5
"""longest wait of a failure for the part that hangs; the nodes of the camera's own thread wait in vain"""
SLOW_SECONDS = 0.03
"""of a part that is slower than all others, so that the edges before it are full, or those behind it empty"""
PERIOD_SECONDS = 0.002
"""of the camera"""
SOURCE, MODEL, SINK = "decode", "detect", "csv"
DOOR, YARD = "door", "yard"
"""the source that fails, and the one that does not"""
NODES = ("resize", MODEL, "track", SINK)
AT_THE_END = ("drain", "close")
LOADS = ("edges empty", "edges full", "sink hangs", "camera stalls")
BLOCKING = LOADS[2:]


@dataclass(frozen=True)
class Case:
    """What fails, and what the rest does meanwhile."""

    part: str
    call: str
    load: str
    edge: str
    several: bool

    @property
    def happens(self) -> bool:
        """A part that hangs cannot fail, and keeps the others from their end."""
        hangs = {"sink hangs": SINK, "camera stalls": SOURCE}.get(self.load)
        return self.load not in BLOCKING or (self.call not in AT_THE_END and (self.part, self.call) != (hangs, CALL))


CALL = "process"
PARTS = [(SOURCE, call) for call in ("open", CALL, "close")] + list(
    itertools.product(NODES, ("open", CALL, *AT_THE_END))
)
CASES = [
    case
    for (part, call), load, edge, several in itertools.product(PARTS, LOADS, ("lossless", "latest"), (False, True))
    if (case := Case(part, call, load, edge, several)).happens and (not several or (part, call) != (MODEL, "drain"))
]


class Scene:
    """The parts of one run: one of them fails once, others are slow or hang until ``release``."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.release, self.is_blocked = threading.Event(), threading.Event()
        self.failed_seconds = self.ended_seconds = 0.0

    def touch(self, part: str, call: str, index: int = FAIL_AT) -> None:
        """A part is called; raises if it is the one that fails."""
        case = self.case
        if call == CALL:
            self._take_time(part, index)
        if (part, call) == (case.part, case.call) and index >= FAIL_AT and not self.failed_seconds:
            if call == CALL and case.load in BLOCKING:
                self.is_blocked.wait(BLOCKED_WITHIN_SECONDS)
            self.failed_seconds = time.monotonic()
            raise RuntimeError(f"{part} broke in {call}")

    def _take_time(self, part: str, index: int) -> None:
        load = self.case.load
        sink_hangs = load == "sink hangs" and part == SINK and index >= FAIL_AT - 1  # the part before it gets further
        if sink_hangs or (load == "camera stalls" and part == SOURCE and index > FAIL_AT):
            self.is_blocked.set()
            self.release.wait()
        elif (load == "edges full" and part == SINK) or (load == "edges empty" and part == SOURCE):
            time.sleep(SLOW_SECONDS)
        elif part == SOURCE:
            time.sleep(PERIOD_SECONDS)

    def frames(self, source_id: str) -> Iterator[Frame]:
        """Endless, unless the failure comes at the end."""
        picture = np.zeros((2, 2, 3), np.uint8)
        for index in itertools.count() if self.case.call not in AT_THE_END else range(END_AT):
            self.touch(SOURCE, CALL, index)
            yield Frame(picture, index, index / 30, source_id)


class Camera:
    """The source."""

    def __init__(self, scene: Scene, source_id: str) -> None:
        self.source_id = source_id
        self._scene = scene

    def open(self) -> SourceInfo:
        """May fail."""
        self._scene.touch(SOURCE, "open")
        return SourceInfo(self.source_id, 2, 2, 30.0, None, None)

    def frames(self) -> Iterator[Frame]:
        """May fail."""
        return self._scene.frames(self.source_id)

    def close(self) -> None:
        """May fail."""
        self._scene.touch(SOURCE, "close")


class Part(BaseNode[Frame, Frame]):
    """A node."""

    def __init__(self, name: str, scene: Scene) -> None:
        super().__init__(name)
        self._scene = scene

    def open(self, info: SourceInfo) -> None:
        """May fail."""
        self._scene.touch(self.name, "open")

    def process(self, item: Frame) -> Iterable[Frame]:
        """May fail."""
        self._scene.touch(self.name, CALL, item.index)
        return (item,)

    def drain(self) -> Iterable[Frame]:
        """May fail."""
        self._scene.touch(self.name, "drain")
        return ()

    def close(self, *, complete: bool) -> None:
        """May fail."""
        self._scene.touch(self.name, "close")


class Model(BatchNode[Frame, Frame]):
    """What the sources share."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(MODEL)
        self._scene = scene

    def open(self) -> None:
        """May fail."""
        self._scene.touch(MODEL, "open")

    def process_batch(self, items: Sequence[Frame]) -> Sequence[Frame]:
        """May fail, again when it is tried again."""
        case, scene = self._scene.case, self._scene
        for item in items:
            if (case.part, case.call) == (MODEL, CALL) and item.source_id == DOOR and item.index >= FAIL_AT:
                if case.load in BLOCKING:
                    scene.is_blocked.wait(BLOCKED_WITHIN_SECONDS)
                scene.failed_seconds = scene.failed_seconds or time.monotonic()
                raise RuntimeError(f"{MODEL} broke in {CALL}")
        return items

    def close(self) -> None:
        """May fail."""
        self._scene.touch(MODEL, "close")


class TimedGraph(Graph[Frame]):
    """Writes down when it ended."""

    scene: Scene

    def run(self, on_interrupt: str = "raise") -> RunReport:
        """Run, and note the time."""
        try:
            return super().run("report")
        finally:
            self.scene.ended_seconds = self.scene.ended_seconds or time.monotonic()


def graph_of(scene: Scene, source_id: str, model: AnyNode) -> TimedGraph:
    """Decode > resize | detect | track | csv."""
    resize, track, sink = (Part(name, scene) for name in NODES if name != MODEL)
    edges = EdgePolicy.latest() if scene.case.edge == "latest" else EdgePolicy.lossless()
    graph = TimedGraph(Camera(scene, source_id), [[resize], [model], [track], [sink]], edges=edges)
    graph.scene = scene
    return graph


def fail(case: Case) -> float:
    """Seconds from the failure to the end of its run; raises ``NotEqualError`` if the run does not say who failed."""
    scene, before = Scene(case), set(threading.enumerate())
    try:
        error = _run_several(scene) if case.several else _run_one(scene)
    finally:
        scene.release.set()
        left = set(threading.enumerate()) - before
        for thread in left:
            thread.join(10 * MOST_SECONDS)
    if error is None or error.stage != case.part or f"{case.part} broke in {case.call}" not in str(error):
        raise NotEqualError(f"{case}: the run says {error}")
    if any(thread.is_alive() for thread in left) or (left and case.load not in BLOCKING):
        raise NotEqualError(f"{case}: threads left behind: {left}")
    return scene.ended_seconds - scene.failed_seconds


def _run_one(scene: Scene) -> StageError | None:
    try:
        graph_of(scene, DOOR, Part(MODEL, scene)).run()
    except StageError as error:
        return error
    return None


def _run_several(scene: Scene) -> StageError | None:
    """The failing source beside one that is well, over one model; all is stopped once the first has ended."""
    batcher = Batcher(Model(scene), BatchPolicy(batch_size=2, max_wait_seconds=0.005))
    well = Scene(Case("", "", "edges empty", scene.case.edge, True))
    graphs = {DOOR: graph_of(scene, DOOR, batcher.lane()), YARD: graph_of(well, YARD, batcher.lane())}
    runs = MultiGraph(graphs, [batcher])
    stopper = threading.Thread(target=_stop_when_ended, args=(scene, runs))
    stopper.start()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            runs.run()
    except StageError as error:
        return error
    finally:
        scene.ended_seconds = scene.ended_seconds or time.monotonic()
        stopper.join()
    return None


def _stop_when_ended(scene: Scene, runs: MultiGraph) -> None:
    while not scene.ended_seconds:
        time.sleep(0.01)
    runs.stop()


def check(options: Options) -> str:
    """Every part and call once, over the kinds of neighbours in turn."""
    chosen = [case for number, case in enumerate(CASES) if case.load not in BLOCKING and number % 8 == 0]
    for case in chosen:
        fail(case)
    return f"{len(chosen)} failures, each told by the name of its stage, no thread left"


def measure(options: Options) -> Sequence[Row]:
    """All cases; the slowest of each kind."""
    rows = []
    for load, several in itertools.product(LOADS, (False, True)):
        seconds = [fail(case) for case in CASES if (case.load, case.several) == (load, several)]
        figures = {"slowest s": max(seconds), "median s": float(np.median(seconds)), "failures": len(seconds)}
        name = f"{'two sources, one model' if several else 'one source'}, {load}"
        told = f"{len(seconds)} failures told by the name of their stage; no thread left"
        rows.append(Row(name, told, figures=figures, met=max(seconds) <= MOST_SECONDS))
    return rows


CLAIM = Claim(
    "graph_failures",
    "A failure of the source or any node, in any call, ends its run within one second and names its stage, whether the "
    "edges are empty or full, a sink hangs or the camera stalls; a source beside it goes on.",
    check,
    measure,
)
