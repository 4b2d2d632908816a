"""The graph against ``supervision.process_video``: same reader, same functions on each frame, same writer."""

from __future__ import annotations

import queue
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.harness import Claim, Contestant, NotEqualError, Options, Row, interleave
from benchmarks.scenes_stream import FRAME_RATE_HZ, Picture, Shot, Stages, mark_of, write_clip
from videohoi.graph import FunctionNode, Graph, IterableSource, TapNode

GOAL = 1.2
PEER, REFERENCE = "supervision.process_video", "read, callback, write in three threads"
MODEL_SECONDS = 0.010
FRAMES = 240
MOST_ROUNDS = 5
BUFFER = 32
"""frames before and behind the callback; supervision's default"""
Mark = Callable[[Shot], object]


def read(path: Path) -> Iterator[Picture]:
    """Pictures as OpenCV gives them; what supervision reads with."""
    capture = cv2.VideoCapture(str(path))
    try:
        while True:
            is_read, picture = capture.read()
            if not is_read:
                return
            yield np.asarray(picture, np.uint8)
    finally:
        capture.release()


def writer(path: Path, size_px: tuple[int, int]) -> cv2.VideoWriter:
    """MPEG-4 part 2 in MP4, with the settings of supervision's ``VideoSink``."""
    return cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FRAME_RATE_HZ, size_px)


class Job:
    """One clip, to be drawn on; gives the marks of what went to the writer, in order."""

    def __init__(self, clip: Path, size: str, mark: Mark, model_seconds: float = MODEL_SECONDS) -> None:
        self.clip = clip
        self.size = size
        self.target = clip.with_name("out.mp4")
        self.marks: list[object] = []
        self._mark = mark
        self._model_seconds = model_seconds

    def shots(self) -> Iterator[Shot]:
        """The clip from its beginning."""
        for index, picture in enumerate(read(self.clip)):
            yield Shot(index, index / FRAME_RATE_HZ, picture)

    def stages(self) -> Stages:
        """New ones for each run."""
        self.marks = []
        return Stages(self._model_seconds, self.size)

    def note(self, shot: Shot) -> None:
        """What goes to the writer."""
        self.marks.append(self._mark(shot))

    def callback(self) -> Callable[[Picture, int], Picture]:
        """All stages as one function, as process_video wants them."""
        stages = self.stages()

        def on_frame(picture: Picture, index: int) -> Picture:
            shot = stages.letterbox(Shot(index, index / FRAME_RATE_HZ, picture))
            drawn = stages.track_and_draw(stages.model(shot))
            self.note(drawn)
            return drawn.picture

        return on_frame


def with_graph(job: Job, size_px: tuple[int, int]) -> list[object]:
    """Decode | letterbox | model | track, draw | write."""
    stages, output = job.stages(), writer(job.target, size_px)
    Graph(
        IterableSource(job.shots()),
        [
            [],
            [FunctionNode("letterbox", stages.letterbox)],
            [FunctionNode("model", stages.model)],
            [FunctionNode("draw", stages.track_and_draw), TapNode("note", job.note)],
            [TapNode("write", lambda shot: output.write(shot.picture))],
        ],
    ).run()
    output.release()
    return job.marks


def with_supervision(job: Job, process_video: Any) -> list[object]:
    """Its own reader, its own writer, our callback."""
    process_video(source_path=str(job.clip), target_path=str(job.target), callback=job.callback())
    return job.marks


def with_three_threads(job: Job, size_px: tuple[int, int]) -> list[object]:
    """The same shape with the standard library's queues: a reader, the callback, a writer."""
    pictures: queue.Queue[Picture | None] = queue.Queue(BUFFER)
    drawn: queue.Queue[Picture | None] = queue.Queue(BUFFER)
    output, on_frame = writer(job.target, size_px), job.callback()

    def reader() -> None:
        for picture in read(job.clip):
            pictures.put(picture)
        pictures.put(None)

    def write() -> None:
        while (picture := drawn.get()) is not None:
            output.write(picture)

    threads = [threading.Thread(target=target, daemon=True) for target in (reader, write)]
    for thread in threads:
        thread.start()
    index = 0
    while (picture := pictures.get()) is not None:
        drawn.put(on_frame(picture, index))
        index += 1
    drawn.put(None)
    for thread in threads:
        thread.join()
    output.release()
    return job.marks


def _contestants(job: Job, size_px: tuple[int, int]) -> tuple[dict[str, Callable[[], list[object]]], tuple[str, ...]]:
    calls: dict[str, Callable[[], list[object]]] = {
        "graph": partial(with_graph, job, size_px),
        REFERENCE: partial(with_three_threads, job, size_px),
    }
    try:
        import supervision
    except ImportError:
        return calls, (f"{PEER}: supervision is not installed",)
    if not hasattr(supervision, "process_video"):
        return calls, (f"{PEER}: this supervision has none",)
    calls[PEER] = partial(with_supervision, job, supervision.process_video)
    return calls, ()


def _compare(calls: dict[str, Callable[[], list[object]]], frames: int, target: Path) -> None:
    """Every contestant's pictures before they are encoded, and the number of pictures in its file."""
    expected = calls["graph"]()
    for name, call in calls.items():
        target.unlink(missing_ok=True)
        found = call()
        written = sum(1 for _ in read(target))
        if written != frames:
            raise NotEqualError(f"{name}: {written} pictures in its file, expected {frames}")
        if found != expected or len(found) != frames:
            raise NotEqualError(f"{name}: {len(found)} frames, the graph {len(expected)}, or other pixels")


def check(options: Options) -> str:
    """Every pixel of 12 frames that goes to the writer."""
    with tempfile.TemporaryDirectory() as folder:
        clip = write_clip(Path(folder) / "clip.mp4", "360p", 12)
        job = Job(clip, "360p", mark_of, 0.001)
        calls, absent = _contestants(job, (640, 360))
        _compare(calls, 12, job.target)
    named = f"{', '.join(calls)}{'; '.join(('', *absent))}"
    return f"12 frames of 360p: number in the file, order and every drawn pixel of {named}"


def measure(options: Options) -> Sequence[Row]:
    """720p and 1080p, a model of 10 ms."""
    with tempfile.TemporaryDirectory() as folder:
        return [
            _row(Path(folder), "720p", (1280, 720), options),
            _row(Path(folder), "1080p", (1920, 1080), options),
        ]


def _row(folder: Path, size: str, size_px: tuple[int, int], options: Options) -> Row:
    clip = write_clip(folder / f"{size}.mp4", size, FRAMES)
    job = Job(clip, size, mark_of)
    exact, absent = _contestants(job, size_px)
    _compare(exact, FRAMES, job.target)
    calls, _ = _contestants(Job(clip, size, lambda shot: shot.index), size_px)
    contestants = [Contestant(name, call, FRAMES) for name, call in calls.items()]
    timings = interleave(contestants, min(options.rounds, MOST_ROUNDS))
    return Row(
        f"{size}, model {MODEL_SECONDS * 1e3:g} ms, encode",
        f"{FRAMES} frames in the file, every pixel before encoding",
        timings,
        goals={PEER: GOAL},
        absent=absent,
    )


CLAIM = Claim(
    "graph_vs_process_video",
    "Drawing on a video with a 10 ms model: at least 1.2 times as fast as supervision.process_video with the same "
    "reader, functions and writer, and the same pictures to the last bit.",
    check,
    measure,
)
