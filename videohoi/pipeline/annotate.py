"""The main job: one input in, a folder of results out."""

from __future__ import annotations

import contextlib
import dataclasses
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from videohoi import __version__
from videohoi.decode.inputs import InputItem
from videohoi.decode.protocol import Source, SourceReport
from videohoi.errors import DecodeError, SinkError, StageError, UsageError, VideohoiError
from videohoi.files import AtomicFile, sink_error
from videohoi.folder_lock import FolderLock
from videohoi.graph import RunReport
from videohoi.names import counted
from videohoi.pipeline.fingerprints import input_fingerprint, named_files
from videohoi.pipeline.interrupts import interrupts_raise, interrupts_wait
from videohoi.pipeline.nodes import HeldSink
from videohoi.pipeline.pipeline import SCHEMA_VERSION, Pipeline
from videohoi.pipeline.progress import Progress, Watch
from videohoi.pipeline.settings import base_config
from videohoi.sink.disk import prepare_output_folder
from videohoi.sink.protocol import Sink
from videohoi.sink.registry import BY_NAME, OUTPUTS, OVERLAY, OutputRequest, build_output, check_outputs
from videohoi.sink.run_report import write_report
from videohoi.sink.segment_builder import RunSegments
from videohoi.sink.segments_csv import COLUMNS
from videohoi.smooth.config import MOMENTARY_VERBS
from videohoi.structures import Segment, SourceInfo
from videohoi.structures.interop import pandas

REPORT_FILE = "report.json"
OUTPUT_FILES = (*(output.file for output in OUTPUTS), REPORT_FILE)
"""the files of a run with all outputs of this package"""

_REPORTED_PACKAGES = ("numpy", "opencv-python-headless", "av", "numba", "onnxruntime")
_OPTIONAL_PACKAGES = {
    "torch": "torch", "open_clip": "open_clip_torch", "timm": "timm", "transformers": "transformers",
    "openvino": "openvino", "decord": "decord",
}  # fmt: skip
"""module -> package; its version is reported if the run imported the module"""


@dataclass(frozen=True, repr=False)
class AnnotatedVideo:
    """The results of one input."""

    source_id: str
    folder: Path
    segments: tuple[Segment, ...]
    run: RunReport
    decode: SourceReport
    facts: dict[str, Any]
    """``Pipeline.facts``: detector, head, counts"""
    interrupted: bool = False
    source_info: SourceInfo | None = None

    def to_pandas(self) -> Any:
        """The segments as a ``pandas.DataFrame``, columns as in segments.csv.

        Raises:
            UsageError: pandas is not installed.
        """
        rows = [[getattr(segment, name) for name in COLUMNS] for segment in self.segments]
        return pandas().DataFrame(rows, columns=list(COLUMNS))

    def __repr__(self) -> str:
        state = "interrupted, " if self.interrupted else "" if self.run.complete else "incomplete, "
        counts = f"{state}{counted(self.run.frames_out, 'frame')}, {counted(len(self.segments), 'segment')}"
        return f"AnnotatedVideo({self.source_id!r}: {counts} in {str(self.folder)!r})"


def input_place(item: InputItem) -> str:
    """What distinguishes an input from others of its name: its absolute path, or its address."""
    return item.label if item.path is None else str(item.path.resolve())


def annotate(
    pipeline: Pipeline,
    item: InputItem,
    folder: Path,
    *,
    overlay: bool = True,
    whole_hash: bool = False,
    progress: Progress | None = None,
) -> AnnotatedVideo:
    """Run ``pipeline`` over one input and write the results into ``folder``.

    An interrupt keeps what was processed: the files are valid and the report says that they are not complete. Any
    other failure, and an interrupt before the first result, leaves nothing. ``whole_hash``: the report's fingerprint
    of the input is of all its bytes, which are read once more for it.

    Raises:
        VideohoiError: the input cannot be used, the output cannot be written, or another run is writing into
            ``folder``; one line says which and why.
        KeyboardInterrupt: interrupted before there was a result.
    """
    source = base_config(pipeline.config).decode.open(item.spec)
    if getattr(source, "is_live", False):
        raise UsageError(f"{item.label}: annotate is for recorded video; Pipeline.run takes cameras and streams")
    run = _Run(pipeline, source, folder, overlay=overlay, progress=progress)
    new_folders = [path for path in (folder, *folder.parents) if not path.exists()]
    with interrupts_wait() as late:  # not during the run itself, but while its files are closed or removed and unlocked
        try:
            with FolderLock(prepare_output_folder(folder)):
                if late.came:
                    raise KeyboardInterrupt
                result = run.complete(item, whole_hash=whole_hash)
        except BaseException:
            _remove_empty(new_folders)
            raise
        finally:
            pipeline.memory.run_is_over()
    return dataclasses.replace(result, interrupted=result.interrupted or late.came)


class _Run:
    """Sinks and source of one annotation."""

    def __init__(
        self, pipeline: Pipeline, source: Source, folder: Path, *, overlay: bool, progress: Progress | None
    ) -> None:
        self._pipeline, self._source, self._folder = pipeline, source, folder
        segments = RunSegments(MOMENTARY_VERBS)
        self._watch = Watch(segments, progress)
        self._files, self._video = _sinks(pipeline, folder, outputs_of(pipeline.config, overlay=overlay), segments)
        self._is_closing = False

    def complete(self, item: InputItem, *, whole_hash: bool) -> AnnotatedVideo:
        """Run to the end; a failure leaves no files."""
        try:
            with interrupts_raise():
                self._remove_partial_files()
                fingerprint = input_fingerprint(item, whole=whole_hash)
                origin = {
                    "input": item.label,
                    "input_path": input_place(item),
                    "input_fingerprint": None if fingerprint is None else fingerprint.record(),
                    "files": named_files(self._pipeline.config),
                }
                report = self.execute()
            return self.finish(report, origin)
        except BaseException:
            self.abort()
            raise

    def execute(self) -> RunReport:
        """Everything up to the last frame; the files are still partial."""
        branches: list[Sequence[Sink]] = [[*self._files, self._watch], *([self._video] if self._video else [])]
        held = [[HeldSink(sink) for sink in branch] for branch in branches]  # whether they are kept is decided below
        graph = self._pipeline.graph(self._source, held)
        try:
            report = graph.run(on_interrupt="report")
        except StageError as failure:
            raise _plain(failure) from failure
        if self._watch.frames_done == 0:
            if report.interrupted:
                raise KeyboardInterrupt
            raise DecodeError(f"{report.source_id}: no frame could be decoded; check that it is a complete video")
        return report

    def finish(self, report: RunReport, origin: dict[str, Any]) -> AnnotatedVideo:
        """Give the files their names, replacing an earlier run's, and write the report last."""
        self._is_closing = True
        self._remove_outputs()
        for sink in (*self._files, *self._video, self._watch):
            sink.close(complete=report.complete)
        facts = self._pipeline.facts()
        segments = self._watch.segments
        result = AnnotatedVideo(
            report.source_id,
            self._folder,
            segments,
            report,
            self._source.report,
            facts,
            report.interrupted,
            self._watch.info,
        )
        write_report(self._folder / REPORT_FILE, {**origin, **self._record(result)})
        return result

    def abort(self) -> None:
        """Remove what this run wrote; the results of an earlier run stay whole or go."""
        for sink in (*self._files, *self._video):
            with contextlib.suppress(SinkError):  # the first failure is the one that counts
                sink.abort()
        if self._is_closing:
            self._remove_outputs()

    def _remove_partial_files(self) -> None:
        """Remove the partial files of a run that was killed: this run may write fewer."""
        for name in OUTPUT_FILES:
            _remove(AtomicFile(self._folder / name).partial_path)

    def _remove_outputs(self) -> None:
        for name in reversed(OUTPUT_FILES):  # the report first: without it a folder counts as unfinished
            _remove(self._folder / name)

    def _record(self, result: AnnotatedVideo) -> dict[str, Any]:
        """The facts of the run for report.json."""
        return {
            "schema": "videohoi.report",
            "version": SCHEMA_VERSION,
            "source": result.source_id,
            "source_info": None if self._watch.info is None else dataclasses.asdict(self._watch.info),
            **self._pipeline.header(),
            **result.facts,
            "complete": result.run.complete,
            "interrupted": result.interrupted,
            "outputs": [name for name in OUTPUT_FILES if name == REPORT_FILE or (self._folder / name).is_file()],
            "segments": len(result.segments),
            "decode": dataclasses.asdict(result.decode),
            "run": result.run.to_dict(),
            "machine": _machine(),
        }


def outputs_of(config: Any, *, overlay: bool) -> tuple[str, ...]:
    """Names of the outputs of a run.

    Raises:
        UsageError: a name that is no output.
    """
    names = base_config(config).outputs
    check_outputs(names)
    return tuple(name for name in names if overlay or name != OVERLAY)


def _sinks(
    pipeline: Pipeline, folder: Path, names: Sequence[str], segments: RunSegments
) -> tuple[list[Sink], list[Sink]]:
    """The sinks that write data, and those that draw a video."""
    overlay = dataclasses.asdict(base_config(pipeline.config).overlay)
    request = OutputRequest(folder, pipeline.vocabulary, segments, overlay)
    drawing = [name for name in names if name in BY_NAME and BY_NAME[name].is_video]
    data = [build_output(name, request) for name in names if name not in drawing]
    return data, [build_output(name, request) for name in drawing]


def _plain(failure: StageError) -> VideohoiError:
    """The cause itself if its message is complete (bad input, full disk, missing weights)."""
    cause = failure.__cause__
    return cause if isinstance(cause, VideohoiError) and not isinstance(cause, StageError) else failure


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise sink_error(path, error) from error


def _remove_empty(folders: Sequence[Path]) -> None:
    """Remove the empty ones of ``folders``, innermost first."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _machine() -> dict[str, str]:
    versions = {}
    used = (package for module, package in _OPTIONAL_PACKAGES.items() if module in sys.modules)
    for name in (*_REPORTED_PACKAGES, *used):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "unknown"
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "videohoi": __version__,
        **versions,
    }
