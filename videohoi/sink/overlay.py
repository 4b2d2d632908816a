"""overlay.mp4: the video with boxes, interactions and a timeline drawn on."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from videohoi.errors import SinkError, UsageError
from videohoi.sink.drawing import Canvas, Style
from videohoi.sink.frame_rows import active_pairs, detection_rows
from videohoi.sink.h264_file import H264File
from videohoi.sink.placement import Placement, picture_size_px, place
from videohoi.sink.scene import ScenePainter
from videohoi.sink.strip import TimelineStrip
from videohoi.sink.timeline import Timeline
from videohoi.structures import FrameResult, SourceInfo
from videohoi.vocabulary import Vocabulary

_LOG = logging.getLogger(__name__)

PRESETS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
)  # fmt: skip
_MAX_CRF = 51  # x264's scale ends there
_AREA_SCALE = 0.6
LEAST_WIDTH_PX = 16
"""narrower pictures are no use and some players refuse them"""


class OverlayVideo:
    """Writes an H.264 MP4 that browsers play, one picture for each frame, at the frame's own time.

    The picture has square pixels and is at least ``READABLE_WIDTH_PX`` and at most ``max_width_px`` wide. A frame of
    another size or shape is placed in it with its aspect kept, between black bars. The timeline stands in rows added
    below the picture, so it hides nothing. A picture of odd width gets one black column, since H.264 in 4:2:0 has even
    sizes. Frames are never drawn into; they are copied.
    """

    name = "overlay_video"

    def __init__(
        self,
        path: Path | str,
        vocabulary: Vocabulary,
        *,
        window_seconds: float = 10.0,
        lanes: int = 4,
        preset: str = "superfast",
        crf: int = 29,
        max_width_px: int = 1280,
        show_all: bool = False,
        threads: int = 1,
    ) -> None:
        """``window_seconds``: time span of the timeline; ``lanes``: interactions it shows at once (0: no timeline).

        ``preset`` and ``crf`` are x264's (slower = smaller file; lower = better picture), ``threads`` the encoder's.
        ``max_width_px`` is the widest picture. ``show_all``: boxes that take
        part in no interaction have a name too. Raises ``UsageError`` for a value out of range.
        """
        if preset not in PRESETS:
            raise UsageError(f"preset is {preset!r}; expected one of {', '.join(PRESETS)}")
        if not 0 <= crf <= _MAX_CRF:
            raise UsageError(f"crf is {crf}; expected 0 (best) to {_MAX_CRF} (smallest)")
        if window_seconds <= 0 or lanes < 0 or threads < 1:
            raise UsageError(
                f"window_seconds is {window_seconds}, lanes {lanes}, threads {threads}; expected > 0, >= 0 and >= 1"
            )
        if max_width_px < LEAST_WIDTH_PX:
            raise UsageError(f"max_width_px is {max_width_px}; expected {LEAST_WIDTH_PX} or more")
        self.path = Path(path)
        self.vocabulary = vocabulary
        self.max_width_px = max_width_px
        self.show_all = show_all
        self.window_seconds = window_seconds
        self.lanes = lanes
        self._video = H264File(path, preset=preset, crf=crf, threads=threads)

    def open(self, info: SourceInfo, header: dict[str, Any]) -> None:
        """Begin a video for the source's size; raises ``SinkError`` when ``path`` cannot be written."""
        if info.width_px < 1 or info.height_px < 1:
            size = f"{info.width_px} x {info.height_px}"
            raise SinkError(f"cannot write {self.path}: the source states a size of {size} pixels")
        width_px, height_px = picture_size_px(info, self.max_width_px)
        self._pixel_aspect_ratio = info.pixel_aspect_ratio
        style = Style.for_picture(width_px, height_px)
        self._timeline = Timeline(self.window_seconds, self.lanes)
        self._painter = ScenePainter(style, self.vocabulary.person_id, show_all=self.show_all)
        person_name = self.vocabulary.objects[self.vocabulary.person_id]
        self._strip = TimelineStrip(style, width_px, self.lanes, person_name)
        strip_px = self._strip.height_px if self.lanes else 0
        canvas_px = (_even(height_px + strip_px), _even(width_px))
        self._canvas: Canvas = np.zeros((*canvas_px, 3), np.uint8)
        self._picture = self._canvas[:height_px, :width_px]
        self._video.open(canvas_px[1], canvas_px[0], info.frame_rate_hz)

    def process(self, result: FrameResult) -> None:
        """Draw and encode one frame."""
        if not self._video.is_open:
            raise SinkError(f"cannot write {self.path}: it is not open; call open() before process()")
        self._video.write(self.draw(result), result.frame.pts_seconds)

    def close(self, *, complete: bool) -> None:
        """Finish the file, playable whether or not the run was ``complete``; without any frame there is no file."""
        if self._video.is_open and self._video.frame_count == 0:
            _LOG.warning("%s is not written: no frame arrived", self.path)
        self._video.close()

    def abort(self) -> None:
        """Leave nothing."""
        self._video.abort()

    def draw(self, result: FrameResult) -> Canvas:
        """The picture of ``result`` with everything drawn on, (H + strip, W, 3) RGB; reused by the next call."""
        image = result.frame.image
        height_px, width_px = self._picture.shape[:2]
        placement = place(image.shape[1], image.shape[0], self._pixel_aspect_ratio, (width_px, height_px))
        self._copy(image, placement)
        pairs = active_pairs(result, self.vocabulary)
        self._painter.draw(self._picture, detection_rows(result, self.vocabulary), pairs, placement)
        if self.lanes:
            self._timeline.feed(result.frame.pts_seconds, result.events)
            self._strip.draw(self._canvas[height_px:], self._timeline)
        return self._canvas

    def _copy(self, image: NDArray[np.uint8], placement: Placement) -> None:
        """``image`` at its place, black around it."""
        target = self._picture[placement.region]
        if target.shape != self._picture.shape:
            self._picture[:] = 0
        if target.shape == image.shape:
            np.copyto(target, image)
            return
        # The mean over an area keeps fine lines when much is left out; interpolation is faster and sharper otherwise.
        way = cv2.INTER_AREA if max(placement.scale_xy) <= _AREA_SCALE else cv2.INTER_LINEAR
        cv2.resize(image, (placement.width_px, placement.height_px), dst=target, interpolation=way)


def _even(length_px: int) -> int:
    return length_px + length_px % 2
