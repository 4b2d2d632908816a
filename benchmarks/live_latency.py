"""How old results are when the model is slower than the camera: newest frame wins, beside first in, first out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.harness import Claim, NotEqualError, Options, Row
from videohoi.graph import AnyNode, EdgePolicy, FunctionNode, Graph, IterableSource, RunReport, TapNode
from videohoi.structures import Frame

FRAME_RATE_HZ = 30.0
MODEL_SECONDS = 0.050
"""one and a half times the camera's period"""
RUN_SECONDS, FIFO_SECONDS = 60.0, 10.0
SETTLED_SECONDS = 5.0
"""FIFO ages are taken from here on; they grow without bound, so later would be worse"""
LATENCY_GOAL = 1.05
FLAT_MS_PER_MINUTE = 5.0
"""a slope below this is flat: a tenth of one model call over the whole run"""
FIFO = EdgePolicy.lossless(10_000)
"""a driver's or a network's buffer, as a plain reading loop has it"""


def camera(seconds: float) -> Iterator[Frame]:
    """Frames at a fixed rate; one that cannot be delivered in time comes late, with its own capture time."""
    picture = np.zeros((72, 128, 3), np.uint8)
    started = time.monotonic()
    for index in range(round(seconds * FRAME_RATE_HZ)):
        due_seconds = started + index / FRAME_RATE_HZ
        time.sleep(max(0.0, due_seconds - time.monotonic()))
        captured_seconds = time.monotonic()
        yield Frame(picture, index, captured_seconds - started, "camera", captured_seconds)


class Ages:
    """How old each result is when it leaves, and what the model took."""

    def __init__(self) -> None:
        self.busy_seconds: list[float] = []
        self.results: list[tuple[int, float, float]] = []
        """(frame index, seconds of ``time.monotonic`` when it left, age in seconds)"""

    def model(self, frame: Frame) -> Frame:
        """Waits as for a GPU."""
        begun = time.monotonic()
        time.sleep(MODEL_SECONDS)
        self.busy_seconds.append(time.monotonic() - begun)
        return frame

    def note(self, frame: Frame) -> None:
        """A result leaves."""
        now = time.monotonic()
        self.results.append((frame.index, now, now - (frame.captured_seconds or now)))

    def array(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """(N, 3): index, time, age."""
        return np.array(self.results, np.float64).reshape(-1, 3)


def run(seconds: float, edge: EdgePolicy) -> tuple[Ages, RunReport]:
    """Camera | model | note."""
    ages = Ages()
    stages: list[list[AnyNode]] = [[], [FunctionNode("model", ages.model)], [TapNode("note", ages.note)]]
    report = Graph(IterableSource(camera(seconds)), stages, edges=[edge, EdgePolicy.lossless(1)]).run()
    return ages, report


def _account(ages: Ages, report: RunReport) -> str:
    """Every frame came out or was counted as dropped; results are in order and none came twice."""
    if report.frames_in != report.frames_out + report.frames_dropped or report.frames_out != len(ages.results):
        raise NotEqualError(f"{report.frames_in} in, {report.frames_out} out, {report.frames_dropped} dropped")
    indices = [index for index, _, _ in ages.results]
    if indices != sorted(set(indices)):
        raise NotEqualError("results out of order or twice")
    return f"{report.frames_in} frames = {report.frames_out} out + {report.frames_dropped} dropped"


def check(options: Options) -> str:
    """One second of camera under each policy."""
    newest, fifo = run(1.0, EdgePolicy.latest()), run(1.0, FIFO)
    if fifo[1].frames_dropped or not newest[1].frames_dropped:
        raise NotEqualError("a FIFO that drops, or an overloaded latest edge that does not")
    return f"latest: {_account(*newest)}; FIFO: {_account(*fifo)}"


def measure(options: Options) -> Sequence[Row]:
    """A minute of newest-wins, ten seconds of FIFO."""
    return [_newest(), _fifo()]


def _newest() -> Row:
    ages, report = run(RUN_SECONDS, EdgePolicy.latest())
    equality = _account(ages, report)
    table = ages.array()
    busy = float(np.median(ages.busy_seconds))
    floor = busy + 0.5 / FRAME_RATE_HZ  # the newest frame has waited half a period on average when the model is free
    p50, p99 = np.percentile(table[:, 2], [50, 99]).tolist()
    slope_ms = 60e3 * float(np.polyfit(table[:, 1] - table[0, 1], table[:, 2], 1)[0])
    figures = {
        "p50 ms": 1e3 * p50,
        "p99 ms": 1e3 * p99,
        "floor ms": 1e3 * floor,
        "p50/floor": p50 / floor,
        "growth ms a minute": slope_ms,
        "in": report.frames_in,
        "out": report.frames_out,
        "dropped": report.frames_dropped,
    }
    met = p50 <= LATENCY_GOAL * floor and slope_ms <= FLAT_MS_PER_MINUTE
    return Row("newest wins, 30 Hz camera, 50 ms model, 60 s", equality, figures=figures, met=met)


def _fifo() -> Row:
    ages, report = run(FIFO_SECONDS, FIFO)
    equality = _account(ages, report)
    table = ages.array()
    late = table[table[:, 1] - table[0, 1] >= SETTLED_SECONDS, 2]
    figures = {f"p50 ms after {SETTLED_SECONDS:g} s": 1e3 * float(np.median(late)), "out": report.frames_out}
    return Row("first in, first out, 10 s of the same camera", equality, figures=figures)


CLAIM = Claim(
    "live_latency",
    "With a model slower than the camera results stay fresh: p50 age at most 1.05 x (model + half a frame period), "
    "no growth over a minute, every dropped frame counted.",
    check,
    measure,
)
