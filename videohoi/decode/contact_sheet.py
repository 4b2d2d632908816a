"""A contact sheet: one picture that shows a whole video at a glance, without decoding all of it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from videohoi.decode.base import SequentialSource
from videohoi.decode.factory import open_source
from videohoi.errors import UsageError
from videohoi.structures import Frame

GAP_PX = 4
"""between cells, and around them"""
LEAST_CELL_PX = 32
"""narrower cells hold no legible time"""
LABEL_SCALE = 1 / 640
"""font scale per pixel of cell width: the time takes about a fifth of the width of a cell, ..."""
LEAST_LABEL_SCALE = 0.35
"""... but is never smaller than what can be read"""


def contact_sheet(
    video: str | Path | SequentialSource,
    *,
    count: int = 12,
    columns: int = 4,
    cell_width_px: int = 320,
    backend: str = "pyav",
) -> NDArray[np.uint8]:
    """``count`` frames evenly spread over the video, each with its time.

    The frames are from the middle of equal parts of the video. A video of fewer frames gives all of them.

    Args:
        video: a video file, a folder of images or whatever else ``open_source`` reads except cameras; or a closed
            source.
        count: most frames.
        columns: cells in a row.
        cell_width_px: width of a cell. Its height follows from the first frame; others keep their shape, with bars.
        backend: as for ``open_source``; not used for a source.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        UsageError: a number is out of range, or the video is live.
        DecodeError: the video cannot be read.
    """
    if count < 1 or columns < 1 or cell_width_px < LEAST_CELL_PX:
        raise UsageError(
            f"contact_sheet() needs count and columns of 1 or more and cell_width_px of {LEAST_CELL_PX} or more, "
            f"got {count}, {columns} and {cell_width_px}"
        )
    source = open_source(video, backend=backend) if isinstance(video, (str, Path)) else video
    frame_count = len(source.frame_times_seconds())
    shown = min(count, frame_count)
    frames = source.read([(2 * part + 1) * frame_count // (2 * shown) for part in range(shown)])
    return _sheet(frames, min(columns, shown), cell_width_px)


def _sheet(frames: list[Frame], columns: int, width_px: int) -> NDArray[np.uint8]:
    height_px = max(1, round(width_px * frames[0].height_px / frames[0].width_px))
    rows = -(-len(frames) // columns)
    sheet = np.zeros((rows * (height_px + GAP_PX) + GAP_PX, columns * (width_px + GAP_PX) + GAP_PX, 3), np.uint8)
    for place, frame in enumerate(frames):
        row, column = divmod(place, columns)
        top, left = GAP_PX + row * (height_px + GAP_PX), GAP_PX + column * (width_px + GAP_PX)
        _draw(sheet[top : top + height_px, left : left + width_px], frame)
    return sheet


def _draw(cell: NDArray[np.uint8], frame: Frame) -> None:
    """The frame in the middle of ``cell``, and its time in the corner."""
    height, width = cell.shape[:2]
    scale = min(width / frame.width_px, height / frame.height_px)
    size_px = (max(1, round(frame.width_px * scale)), max(1, round(frame.height_px * scale)))
    left, top = (width - size_px[0]) // 2, (height - size_px[1]) // 2
    small = cv2.resize(frame.image, size_px, interpolation=cv2.INTER_AREA)
    cell[top : top + size_px[1], left : left + size_px[0]] = small
    minutes, seconds = divmod(frame.pts_seconds, 60)
    text, place = f"{int(minutes)}:{seconds:04.1f}", (GAP_PX, height - GAP_PX)
    font, font_scale = cv2.FONT_HERSHEY_SIMPLEX, max(LEAST_LABEL_SCALE, width * LABEL_SCALE)
    canvas = np.ascontiguousarray(cell)
    for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):  # white with a dark rim reads on every picture
        cv2.putText(canvas, text, place, font, font_scale, colour, thickness, cv2.LINE_AA)
    cell[:] = canvas
