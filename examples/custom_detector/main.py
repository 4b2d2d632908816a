"""Your own detector, here by colour, in front of the shipped tracking, verbs and temporal logic."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

import videohoi
from videohoi.demo.compose import compose_demo, write_demo
from videohoi.detect.protocol import DetectorInfo
from videohoi.graph import EdgePolicy
from videohoi.interact.heads.starter import StarterPairHead
from videohoi.pipeline.detect_node import DetectNode
from videohoi.pipeline.nodes import InteractNode, SmoothNode, TrackNode
from videohoi.pipeline.stage_graph import StageGraph
from videohoi.smooth.config import SmoothingConfig
from videohoi.smooth.smoother import InteractionSmoother
from videohoi.track.byte import ByteTracker

COLOURS_HSV = {"person": ((2, 150, 100), (16, 255, 255)), "cup": ((172, 120, 60), (180, 255, 255))}
"""lowest and highest hue (half degrees), saturation and value of what stands for each class"""
LEAST_AREA_PX = 60


class ColourDetector:
    """The largest patch of each colour is an object of that class."""

    info = DetectorInfo("colour", "opencv", None, None, 0, "Finds the demo's suit and saucer by their colour.")

    def __init__(self) -> None:
        self._objects = videohoi.hico_det().objects

    def open(self) -> None:
        """Nothing to load."""

    def detect(self, frames: Sequence[videohoi.Frame]) -> list[videohoi.Detections]:
        """One ``Detections`` for each frame."""
        return [self._detect(frame.image) for frame in frames]

    def close(self) -> None:
        """Nothing to free."""

    def _detect(self, image: np.ndarray) -> videohoi.Detections:
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
        patches = [(name, box) for name in COLOURS_HSV if (box := _patch(hsv, *COLOURS_HSV[name])) is not None]
        boxes = np.array([box for _, box in patches], np.float32).reshape(-1, 4)
        class_ids = np.array([self._objects.index(name) for name, _ in patches], np.int64)
        return videohoi.Detections(boxes, np.full(len(patches), 0.9, np.float32), class_ids)


def _patch(hsv: np.ndarray, low: Sequence[int], high: Sequence[int]) -> tuple[int, int, int, int] | None:
    """Corners of the largest patch of a colour, None where there is none."""
    mask = cv2.morphologyEx(cv2.inRange(hsv, np.array(low), np.array(high)), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    left, top, width, height, area = max(stats[1:].tolist(), key=lambda row: row[4], default=(0, 0, 0, 0, 0))
    return (left, top, left + width, top + height) if area >= LEAST_AREA_PX else None


def make_graph(clip: Path) -> StageGraph:
    """Decode | detect | track > interact > smooth."""
    vocabulary = videohoi.hico_det()
    post = [
        TrackNode(ByteTracker(human_class_id=vocabulary.person_id)),
        InteractNode(StarterPairHead(use_appearance=False)),
        SmoothNode(InteractionSmoother(vocabulary, SmoothingConfig())),
    ]
    stages = [[], [DetectNode([ColourDetector()])], post]
    return StageGraph(videohoi.open_source(clip), stages, [], EdgePolicy.lossless())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path, nargs="?", help="a video with the demo's colours; without it one is made")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        clip = options.clip
        if clip is None:
            clip = Path(temporary) / "demo.mp4"
            write_demo(clip, compose_demo(6.0, 12.5, height_px=480))
        for result in make_graph(clip).iterate():
            for event in result.events:
                if event.phase.value == "end":
                    span = f"{event.begin_seconds:.2f} - {event.end_seconds:.2f} s"
                    print(f"person {event.human_id} {event.verb} {event.object_class} {event.object_id}, {span}")


if __name__ == "__main__":
    main()
