"""Run a pipeline frame by frame; results as events, as pandas tables and as supervision detections."""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
from pathlib import Path

import videohoi
from videohoi.demo.compose import compose_demo, write_demo


def print_events(result: videohoi.FrameResult) -> None:
    """Begins and ends as they are decided."""
    for event in result.events:
        if event.phase.value in ("begin", "end"):
            what = f"person {event.human_id} {event.verb} {event.object_class} {event.object_id}"
            print(f"{result.frame.pts_seconds:6.2f} s  {event.phase.value:5}  {what}")


def show_tables(result: videohoi.FrameResult) -> None:
    """One frame's boxes in the containers that other libraries use."""
    if importlib.util.find_spec("pandas"):
        print(result.to_pandas())
    if importlib.util.find_spec("supervision"):
        detections = result.to_supervision()
        print(f"supervision: {len(detections)} boxes, track ids {detections.tracker_id}")


def run(clip: Path) -> None:
    """Everything about one clip."""
    richest = None
    with videohoi.Pipeline.from_config("offline_annotation", ["track.new_track_score=0.4"]) as pipeline:
        for result in pipeline.run(clip):
            print_events(result)
            if richest is None or len(result.detections) > len(richest.detections):
                richest = result
    if richest is not None:
        print(richest)
        show_tables(richest)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path, nargs="?", help="a video; without it a clip is made")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        clip = options.clip
        if clip is None:
            clip = Path(temporary) / "demo.mp4"
            write_demo(clip, compose_demo(6.0, 12.5, height_px=240))
        run(clip)


if __name__ == "__main__":
    main()
