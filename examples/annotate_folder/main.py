"""Annotate every video of a folder and add up how long each interaction went on."""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import videohoi
from videohoi.decode.inputs import list_inputs
from videohoi.demo.compose import compose_demo, write_demo


def make_videos(folder: Path) -> Path:
    """Two short clips of a person and a cup."""
    for seed in (0, 1):
        write_demo(folder / f"clip{seed}.mp4", compose_demo(5.0, 12.5, height_px=240, seed=seed))
    return folder


def seconds_by_interaction(videos: list[videohoi.AnnotatedVideo]) -> Counter[str]:
    """How long each verb and object went on, over all videos."""
    seconds: Counter[str] = Counter()
    for video in videos:
        for segment in video.segments:
            seconds[f"{segment.verb} {segment.object_class}"] += segment.end_seconds - segment.begin_seconds
    return seconds


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="a folder of videos; without it two clips are made")
    parser.add_argument("--out", type=Path, default=Path("annotated"), help="where the results go")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or make_videos(Path(temporary))
        videos = [videohoi.annotate(item.spec, out=options.out, overlay=False) for item in list_inputs([folder])]
    for video in videos:
        print(video)
    for interaction, total in seconds_by_interaction(videos).most_common():
        print(f"{total:6.1f} s  {interaction}")


if __name__ == "__main__":
    main()
