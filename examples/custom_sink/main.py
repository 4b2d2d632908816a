"""Your own output: subtitles (WebVTT) that say who does what."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import videohoi
from videohoi.demo.compose import compose_demo, write_demo
from videohoi.sink.segment_builder import SegmentBuilder
from videohoi.smooth.config import MOMENTARY_VERBS
from videohoi.structures import SourceInfo


class Subtitles:
    """Writes one caption for each interaction."""

    name = "subtitles"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._builder = SegmentBuilder(MOMENTARY_VERBS)
        self._segments: list[videohoi.Segment] = []

    def open(self, info: SourceInfo, header: dict[str, Any]) -> None:
        """Begin an output for one source."""
        self._builder, self._segments = SegmentBuilder(MOMENTARY_VERBS), []

    def process(self, result: videohoi.FrameResult) -> None:
        """Take the decisions of one frame."""
        self._segments += self._builder.feed(result.events)

    def close(self, *, complete: bool) -> None:
        """Write the file."""
        segments = [*self._segments, *self._builder.finish()]
        captions = [
            f"{_clock(segment.begin_seconds)} --> {_clock(segment.end_seconds)}\n{_sentence(segment)}"
            for segment in sorted(segments, key=lambda segment: segment.begin_seconds)
        ]
        self.path.write_text("\n\n".join(["WEBVTT", *captions]) + "\n", encoding="utf-8")

    def abort(self) -> None:
        """Nothing was written yet."""


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes // 60):02}:{int(minutes % 60):02}:{rest:06.3f}"


def _sentence(segment: videohoi.Segment) -> str:
    target = "" if segment.object_id < 0 else f" {segment.object_class} {segment.object_id}"
    return f"person {segment.human_id}: {segment.verb}{target}".replace("_", " ")


def run(clip: Path, target: Path) -> None:
    """Run the shipped pipeline with this sink alone."""
    sink = Subtitles(target)
    with videohoi.Pipeline.from_config("offline_annotation", ["track.new_track_score=0.4"]) as pipeline:
        pipeline.graph(videohoi.open_source(clip), [[sink]]).run()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path, nargs="?", help="a video; without it a clip is made")
    parser.add_argument("target", type=Path, nargs="?", default=Path("demo.vtt"), help="the file to write")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        clip = options.clip
        if clip is None:
            clip = Path(temporary) / "demo.mp4"
            write_demo(clip, compose_demo(6.0, 12.5, height_px=240))
        run(clip, options.target)
    print(options.target.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
