"""A seeded clip with moving boxes, and the stages that the runtime's claims put behind it."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from videohoi.structures import Detections, Frame, SourceInfo, Tracks
from videohoi.track.byte import ByteTracker

Picture = NDArray[np.uint8]

FRAME_RATE_HZ = 30
SIZES_PX = {"360p": (640, 360), "720p": (1280, 720), "1080p": (1920, 1080)}
"""width and height"""
NETWORK_SIDE_PX = 640
BOX_COUNT = 10
"""things that are tracked and drawn in each frame"""


@dataclass(frozen=True)
class Shot:
    """A picture on its way through the stages."""

    index: int
    pts_seconds: float
    picture: Picture
    network_input: NDArray[np.float32] | None = None
    detections: Detections | None = None
    tracks: Tracks | None = None


def write_clip(path: Path, size: str, frame_count: int) -> Path:
    """H.264, veryfast, crf 23: boxes that move over a still noisy background."""
    width, height = SIZES_PX[size]
    small = np.random.default_rng(0).integers(60, 200, (height // 8, width // 8, 3), np.uint8)
    background = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FRAME_RATE_HZ, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, FRAME_RATE_HZ)
        for index in range(frame_count):
            picture = background.copy()
            for box in boxes(index, width, height).astype(int):
                cv2.rectangle(picture, tuple(box[:2].tolist()), tuple(box[2:].tolist()), (200, 40, 40), -1)
            yuv = cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(yuv, np.uint8), format="yuv420p")))
        container.mux(stream.encode())
    return path


def boxes(index: int, width: int, height: int) -> NDArray[np.float32]:
    """(10, 4) xyxy in pixels at frame ``index``: each on a circle of its own."""
    number = np.arange(BOX_COUNT)
    angle = 0.02 * index + number
    x = width * (0.1 + 0.08 * number) + 0.03 * width * np.cos(angle)
    y = height * (0.45 + 0.02 * number) + 0.1 * height * np.sin(angle)
    side = 0.05 * height
    return np.stack([x - side, y - side, x + side, y + side], axis=1).astype(np.float32)


class Stages:
    """Letterbox, a model that only waits (as for a GPU), tracking and drawing; new ones for each run."""

    def __init__(self, model_seconds: float, size: str) -> None:
        self._model_seconds = model_seconds
        self._width, self._height = SIZES_PX[size]
        self._tracker = ByteTracker()
        self._tracker.open(SourceInfo("clip", self._width, self._height, FRAME_RATE_HZ, None, None))

    def letterbox(self, shot: Shot) -> Shot:
        """(1, 3, 640, 640) float32 in 0 to 1, grey where the picture does not reach."""
        scale = NETWORK_SIDE_PX / max(self._width, self._height)
        inside = (round(self._width * scale), round(self._height * scale))
        canvas = np.full((NETWORK_SIDE_PX, NETWORK_SIDE_PX, 3), 114, np.uint8)
        canvas[: inside[1], : inside[0]] = cv2.resize(shot.picture, inside, interpolation=cv2.INTER_LINEAR)
        blob = np.asarray(cv2.dnn.blobFromImage(canvas, 1 / 255), np.float32)
        return Shot(shot.index, shot.pts_seconds, shot.picture, blob)

    def model(self, shot: Shot) -> Shot:
        """Waits, then gives the boxes that were drawn into the clip."""
        time.sleep(self._model_seconds)
        found = boxes(shot.index, self._width, self._height)
        scores = np.full(BOX_COUNT, 0.9, np.float32)
        detections = Detections(found, scores, np.arange(BOX_COUNT, dtype=np.int64) + 1)
        return Shot(shot.index, shot.pts_seconds, shot.picture, None, detections)

    def track_and_draw(self, shot: Shot) -> Shot:
        """Identities, and a copy of the picture with a labelled box for each."""
        detections = shot.detections or Detections.empty()
        tracks = self._tracker.update(detections, shot.pts_seconds)
        drawn = shot.picture.copy()
        labels = tracks.track_ids.tolist()
        for box, track_id in zip(detections.boxes_xyxy_px.astype(int).tolist(), labels, strict=True):
            cv2.rectangle(drawn, tuple(box[:2]), tuple(box[2:]), (30, 220, 30), 2)
            cv2.putText(drawn, f"#{track_id}", tuple(box[:2]), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 2)
        return Shot(shot.index, shot.pts_seconds, drawn, None, detections, tracks)


def shot_of(frame: Frame) -> Shot:
    """A decoded frame at the beginning of its way."""
    return Shot(frame.index, frame.pts_seconds, frame.image)


def mark_of(shot: Shot) -> tuple[int, int]:
    """Number and check sum of every pixel: equal only if everything before was."""
    return (shot.index, zlib.crc32(np.ascontiguousarray(shot.picture).data))
