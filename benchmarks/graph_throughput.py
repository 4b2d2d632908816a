"""The graph's throughput against the best there could be, and against a plain loop over the same stages."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import Claim, NotEqualError, Options, Row, Timing
from benchmarks.scenes_stream import Shot, Stages, mark_of, shot_of, write_clip
from videohoi.decode.video_file import VideoFile
from videohoi.graph import AnyNode, FunctionNode, Graph, TapNode
from videohoi.sink.h264_file import H264File

GOAL = 0.95
MOST_ROUNDS = 5
"""a round of all cases takes about a minute"""
Mark = Callable[[Shot], object]


@dataclass(frozen=True)
class Case:
    """One line of the results."""

    size: str
    model_ms: float
    encode: bool
    frames: int

    @property
    def text(self) -> str:
        """For the table."""
        return f"{self.size}, model {self.model_ms:g} ms{', encode' if self.encode else ''}"


CASES = (
    *(Case(size, 5, False, 480) for size in ("720p", "1080p")),  # as long a run as 240 frames of 10 ms
    *(Case(size, 10, False, 240) for size in ("720p", "1080p")),
    *(Case(size, 33, False, 120) for size in ("720p", "1080p")),
    Case("720p", 10, True, 240),
    Case("1080p", 33, True, 120),
)


class Parts:
    """Source and stages of one run, opened outside the clock."""

    def __init__(self, clip: Path, case: Case) -> None:
        self.source = VideoFile(clip, decode_threads=1)
        stages = Stages(case.model_ms / 1e3, case.size)
        self.steps = [("letterbox", stages.letterbox), ("model", stages.model), ("draw", stages.track_and_draw)]
        self._video = H264File(clip.with_name("out.mp4"), preset="ultrafast", crf=23, threads=1)
        if case.encode:
            self.steps.append(("encode", self._encode))

    def _encode(self, shot: Shot) -> Shot:
        if not self._video.is_open:
            height, width = shot.picture.shape[:2]
            self._video.open(width, height, 30.0)
        self._video.write(shot.picture, shot.pts_seconds)
        return shot

    def close(self) -> None:
        """Forget the encoded file."""
        self._video.abort()


def run_graph(clip: Path, case: Case, mark: Mark) -> tuple[list[object], float]:
    """Marks of what came out, and seconds per frame."""
    parts, marks = Parts(clip, case), []
    first: list[AnyNode] = [FunctionNode("shot", shot_of)]
    stages: list[list[AnyNode]] = [[FunctionNode(name, step)] for name, step in parts.steps]
    stages[-1].append(TapNode("mark", lambda shot: marks.append(mark(shot))))
    report = Graph(parts.source, [first, *stages]).run()
    parts.close()
    return marks, report.wall_seconds / report.frames_out


@dataclass(frozen=True)
class Loop:
    """What the plain loop took."""

    marks: list[object]
    seconds: float
    """per frame"""
    alone_seconds: Mapping[str, float]
    """of each stage, median over frames; the decoder has one thread here as in the graph, its conversion to RGB too"""
    cpu_seconds: float
    """of all stages per frame, spread over all cores"""

    @property
    def ideal_seconds(self) -> float:
        """Per frame, of a pipeline without any cost of its own: the slowest stage, or all CPU time if that is more."""
        return max(*self.alone_seconds.values(), self.cpu_seconds)


def run_loop(clip: Path, case: Case, mark: Mark) -> Loop:
    """The stages one after another, each timed."""
    parts, marks = Parts(clip, case), []
    parts.source.open()
    times: dict[str, list[float]] = {name: [] for name in ("decode", *(name for name, _ in parts.steps))}
    started, cpu_started = time.perf_counter(), time.process_time()
    shots = _timed_shots(parts.source, times["decode"])
    for shot in shots:
        for name, step in parts.steps:
            begun = time.perf_counter()
            shot = step(shot)
            times[name].append(time.perf_counter() - begun)
        marks.append(mark(shot))
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    parts.source.close()
    parts.close()
    alone = {name: statistics.median(values) for name, values in times.items()}
    return Loop(marks, seconds / len(marks), alone, cpu_seconds / len(marks) / _cores())


def _timed_shots(source: VideoFile, times: list[float]) -> Iterator[Shot]:
    frames = source.frames()
    while True:
        begun = time.perf_counter()
        frame = next(frames, None)
        if frame is None:
            return
        times.append(time.perf_counter() - begun)
        yield shot_of(frame)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _compare(ours: list[object], theirs: list[object], case: Case) -> None:
    if ours != theirs or len(ours) != case.frames:
        raise NotEqualError(f"{case.text}: {len(ours)} frames from the graph, {len(theirs)} from the loop")


def check(options: Options) -> str:
    """Every pixel of 12 frames, encoded or not."""
    with tempfile.TemporaryDirectory() as folder:
        clip = write_clip(Path(folder) / "clip.mp4", "360p", 12)
        for encode in (False, True):
            case = Case("360p", 1, encode, 12)
            _compare(run_graph(clip, case, mark_of)[0], run_loop(clip, case, mark_of).marks, case)
    return "12 frames of 360p: number, order and every drawn pixel, with and without encoding"


def measure(options: Options) -> Sequence[Row]:
    """All cases, one after another."""
    check(options)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        clips = {(case.size, case.frames): Path(folder) / f"{case.size}_{case.frames}.mp4" for case in CASES}
        for (size, frames), path in clips.items():
            write_clip(path, size, frames)
        for case in CASES:
            rows.append(_row(clips[case.size, case.frames], case, min(options.rounds, MOST_ROUNDS)))
    return rows


def _row(clip: Path, case: Case, rounds: int) -> Row:
    def number_of(shot: Shot) -> int:
        return shot.index

    graph_seconds, loops = [], []
    for number in range(rounds):
        if number % 2:
            loop = run_loop(clip, case, number_of)
            marks, seconds = run_graph(clip, case, number_of)
        else:
            marks, seconds = run_graph(clip, case, number_of)
            loop = run_loop(clip, case, number_of)
        _compare(marks, loop.marks, case)
        graph_seconds.append(seconds)
        loops.append(loop)
    timings = (
        Timing("graph", tuple(graph_seconds)),
        Timing("ideal", tuple(loop.ideal_seconds for loop in loops)),
        Timing("plain loop", tuple(loop.seconds for loop in loops)),
    )
    figures = {
        f"{name} alone ms": 1e3 * statistics.median(loop.alone_seconds[name] for loop in loops)
        for name in loops[0].alone_seconds
    }
    figures["CPU of all over cores ms"] = 1e3 * statistics.median(loop.cpu_seconds for loop in loops)
    return Row(
        case.text, f"{case.frames} frames, number and order", timings, goals={"ideal": GOAL}, figures=figures
    )  # fmt: skip


CLAIM = Claim(
    "graph_throughput",
    "decode | letterbox | model (a wait) | track, draw | encode in threads reaches at least 0.95 of the ideal rate: "
    "that of the slowest stage alone, or of all CPU work spread over the cores where that is lower.",
    check,
    measure,
)
