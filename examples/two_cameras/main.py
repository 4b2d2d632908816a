"""Two sources, one shared detector, one stream of events."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import videohoi
from videohoi.demo.compose import compose_demo, write_demo
from videohoi.pipeline.bundled import load_pipeline


def make_clips(folder: Path) -> list[str]:
    """Two short clips in the place of cameras."""
    paths = [folder / "left.mp4", folder / "right.mp4"]
    for seed, path in enumerate(paths):
        write_demo(path, compose_demo(4.0, 12.5, height_px=240, seed=seed))
    return [str(path) for path in paths]


def print_events(result: videohoi.FrameResult) -> None:
    """One line for each begin and end."""
    for event in result.events:
        if event.phase.value in ("begin", "end"):
            what = f"person {event.human_id} {event.verb} {event.object_class} {event.object_id}"
            print(f"{event.source_id}: {event.phase.value} {what} at {event.decided_seconds:.2f} s")


def run(sources: list[str]) -> None:
    """Until every source has ended."""
    loaded = load_pipeline("robot_perception")
    cameras = {spec: videohoi.open_source(spec) for spec in sources}
    runs = loaded.module.build_many(loaded.config, cameras, lambda name: [[videohoi.CallbackSink(print_events)]])
    report = runs.run(on_interrupt="report", on_failure="report")
    for name, source in report.sources.items():
        print(f"{name}: {source.frames_in} frames in, {source.frames_out} out, {source.frames_dropped} dropped")
    for name, failure in report.failures.items():
        print(f"{name}: {failure}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="*", help="camera numbers, addresses, files; default: two clips")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        run(options.sources or make_clips(Path(temporary)))


if __name__ == "__main__":
    main()
