"""The main job: one input in, a folder of results out."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from videohoi.decode.factory import open_source
from videohoi.decode.inputs import InputItem
from videohoi.decode.protocol import Source, SourceReport
from videohoi.errors import DecodeError, StageError, VideohoiError
from videohoi.graph import RunReport
from videohoi.pipeline.pipeline import SCHEMA_VERSION, Pipeline
from videohoi.sink.disk import prepare_output_folder
from videohoi.sink.jsonl import EventsJsonl, FramesJsonl
from videohoi.sink.memory import CallbackSink
from videohoi.sink.overlay import OverlayVideo
from videohoi.sink.pairs_csv import PairsCsv
from videohoi.sink.protocol import Sink
from videohoi.sink.run_report import write_report
from videohoi.sink.segment_builder import SegmentBuilder
from videohoi.sink.segments_csv import SegmentsCsv
from videohoi.sink.tracks_csv import TracksCsv
from videohoi.smooth.config import MOMENTARY_VERBS
from videohoi.structures import FrameResult, Segment

OUTPUT_SUFFIX = ".videohoi"
REPORT_FILE = "report.json"
OUTPUT_FILES = (
    "segments.csv", "tracks.csv", "pairs.csv", "events.jsonl", "frames.jsonl", "overlay.mp4", REPORT_FILE,
)  # fmt: skip
"""what a run leaves in its folder"""

_HASH_BLOCK_BYTES = 1 << 20

Progress = Callable[[int, int | None], None]
"""called with (frames done, frames expected or None)"""


@dataclass(frozen=True)
class AnnotatedVideo:
    """What came of one input."""

    source_id: str
    folder: Path
    segments: tuple[Segment, ...]
    run: RunReport
    decode: SourceReport
    interrupted: bool = False


def output_folder(item: InputItem, out: Path | None) -> Path:
    """``clip.videohoi`` beside the input, or in ``out``."""
    if isinstance(item.spec, Path):
        path = item.spec
        parent, stem = path.parent, path.stem if path.is_file() or path.suffix else path.name
    else:
        parent, stem = Path.cwd(), "".join(c if c.isalnum() else "_" for c in item.label).strip("_") or "input"
    return (parent if out is None else out) / f"{stem}{OUTPUT_SUFFIX}"


def annotate(
    pipeline: Pipeline, item: InputItem, folder: Path, *, overlay: bool = True, progress: Progress | None = None
) -> AnnotatedVideo:
    """Run ``pipeline`` over one input and write everything it says into ``folder``.

    On an interrupt what was processed is kept, valid, and the report says so; on any other failure nothing is left.

    Raises:
        VideohoiError: the input cannot be used or the output cannot be written; one line says which and why.
    """
    source = open_source(item.spec)
    folder_existed = folder.exists()
    prepare_output_folder(folder)
    run = _Run(pipeline, source, folder, overlay=overlay, progress=progress)
    try:
        result = run.execute()
        write_report(folder / REPORT_FILE, run.report_record(result, item))
    except BaseException:
        run.abort()
        _remove_if_empty(folder, folder_existed)
        raise
    return result


class _Run:
    """Sinks and source of one annotation."""

    def __init__(
        self, pipeline: Pipeline, source: Source, folder: Path, *, overlay: bool, progress: Progress | None
    ) -> None:
        self.pipeline, self.source, self.folder = pipeline, source, folder
        vocabulary = pipeline.vocabulary
        self.builder = SegmentBuilder(MOMENTARY_VERBS)
        self.segments: list[Segment] = []
        self.progress, self.frames_done = progress, 0
        self.files: list[Sink] = [
            SegmentsCsv(folder / "segments.csv", MOMENTARY_VERBS),
            TracksCsv(folder / "tracks.csv", vocabulary),
            PairsCsv(folder / "pairs.csv", vocabulary),
            EventsJsonl(folder / "events.jsonl"),
            FramesJsonl(folder / "frames.jsonl", vocabulary),
        ]
        self.video = _overlay(pipeline, folder) if overlay else []

    def execute(self) -> AnnotatedVideo:
        watch = CallbackSink(self._watch)
        branches: list[Sequence[Sink]] = [[*self.files, watch]]
        if self.video:
            branches.append(self.video)
        graph = self.pipeline.graph(self.source, branches)
        try:
            report = graph.run(on_interrupt="report")
        except StageError as failure:
            raise _plain(failure) from failure
        self._refuse_nothing(report)
        for sink in (*self.files, *self.video):
            sink.close(complete=report.complete)
        self.segments += self.builder.finish()
        if not self.video:
            (self.folder / "overlay.mp4").unlink(missing_ok=True)  # of an earlier run: it would not fit
        return AnnotatedVideo(
            report.source_id, self.folder, tuple(self.segments), report, self.source.report, report.interrupted
        )

    def abort(self) -> None:
        for sink in (*self.files, *self.video):
            sink.abort()

    def report_record(self, result: AnnotatedVideo, item: InputItem) -> dict[str, Any]:
        """Everything about the run that is not a result."""
        return {
            "schema": "videohoi.report",
            "version": SCHEMA_VERSION,
            "source": result.source_id,
            "input_sha256": _file_sha256(item.spec),
            **self.pipeline.header(),
            "complete": result.run.complete,
            "interrupted": result.interrupted,
            "segments": len(result.segments),
            "decode": dataclasses.asdict(result.decode),
            "run": result.run.to_dict(),
            "machine": _machine(),
        }

    def _watch(self, result: FrameResult) -> None:
        self.segments += self.builder.feed(result.events)
        self.frames_done += 1
        if self.progress is not None:
            self.progress(self.frames_done, None)

    def _refuse_nothing(self, report: RunReport) -> None:
        if report.frames_out == 0 and not report.interrupted:
            raise DecodeError(f"{report.source_id}: no frame could be decoded; check that it is a complete video")


def _overlay(pipeline: Pipeline, folder: Path) -> list[Sink]:
    values = dataclasses.asdict(pipeline.config.overlay)
    return [OverlayVideo(folder / "overlay.mp4", pipeline.vocabulary, **values)]


def _plain(failure: StageError) -> VideohoiError:
    """The cause itself when it already says everything (bad input, full disk, missing weights)."""
    cause = failure.__cause__
    return cause if isinstance(cause, VideohoiError) and not isinstance(cause, StageError) else failure


def _remove_if_empty(folder: Path, existed: bool) -> None:
    if not existed and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _file_sha256(spec: str | Path) -> str | None:
    if not isinstance(spec, Path) or not spec.is_file():
        return None
    digest = hashlib.sha256()
    with spec.open("rb") as stream:
        while block := stream.read(_HASH_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _machine() -> dict[str, str]:
    names = ("videohoi", "numpy", "opencv-python-headless", "av", "numba", "onnxruntime")
    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "unknown"
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        **versions,
    }
