"""The outputs of a run: one table, from which ``annotate`` and the setting ``outputs`` come; packages add theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from videohoi.errors import UsageError
from videohoi.names import did_you_mean, nearest_names
from videohoi.plugins import build_plugin, plugins
from videohoi.sink.jsonl import EventsJsonl, FramesJsonl
from videohoi.sink.overlay import OverlayVideo
from videohoi.sink.pairs_csv import PairsCsv
from videohoi.sink.protocol import Sink
from videohoi.sink.segment_builder import RunSegments
from videohoi.sink.segments_csv import SegmentsCsv
from videohoi.sink.tracks_csv import TracksCsv
from videohoi.vocabulary import Vocabulary


@dataclass(frozen=True)
class OutputRequest:
    """What a builder is given."""

    folder: Path
    """where the results of this input go"""
    vocabulary: Vocabulary
    segments: RunSegments
    """those of the run, built once for all of its outputs"""
    overlay: Mapping[str, Any] = field(default_factory=dict)
    """the settings of ``overlay``"""


@dataclass(frozen=True)
class Output:
    """One row of the table."""

    name: str
    """in the setting ``outputs``"""
    file: str
    """in the folder of results"""
    build: Callable[[OutputRequest], Sink]
    is_video: bool = False
    """has a thread of its own"""


OUTPUTS: tuple[Output, ...] = (
    Output("segments_csv", "segments.csv", lambda to: SegmentsCsv(to.folder / "segments.csv", to.segments)),
    Output("tracks_csv", "tracks.csv", lambda to: TracksCsv(to.folder / "tracks.csv", to.vocabulary)),
    Output("pairs_csv", "pairs.csv", lambda to: PairsCsv(to.folder / "pairs.csv", to.vocabulary, to.segments)),
    Output("events_jsonl", "events.jsonl", lambda to: EventsJsonl(to.folder / "events.jsonl")),
    Output("frames_jsonl", "frames.jsonl", lambda to: FramesJsonl(to.folder / "frames.jsonl", to.vocabulary)),
    Output("overlay_mp4", "overlay.mp4",
           lambda to: OverlayVideo(to.folder / "overlay.mp4", to.vocabulary, **to.overlay), is_video=True),
)  # fmt: skip
BY_NAME: Mapping[str, Output] = {output.name: output for output in OUTPUTS}
OVERLAY = "overlay_mp4"


def check_outputs(names: tuple[str, ...]) -> None:
    """Raises ``UsageError`` for a name that is no output, of this package or of another, and for one given twice."""
    known = (*BY_NAME, *plugins("sinks"))
    for name in names:
        if name not in known:
            hint = did_you_mean(nearest_names(name, known)) or f"; expected some of {', '.join(known)}"
            raise UsageError(f"outputs: there is no output {name!r}{hint}")
    if len(set(names)) < len(names):
        raise UsageError(f"outputs: each output once, got {', '.join(names)}")


def build_output(name: str, request: OutputRequest) -> Sink:
    """The sink called ``name``, not yet opened; errors as ``check_outputs`` and ``build_plugin``."""
    check_outputs((name,))
    if name in BY_NAME:
        return BY_NAME[name].build(request)
    sink: Sink = build_plugin("sinks", name, request)
    return sink
