"""Boxes, lines and labels drawn into an RGB canvas with OpenCV, sized to the picture."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Canvas = NDArray[np.uint8]
"""(H, W, 3) RGB; drawn into in place"""
Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]
"""x1, y1, x2, y2 in whole canvas pixels"""

WHITE: Colour = (245, 245, 245)
DARK: Colour = (18, 18, 24)
GREY: Colour = (150, 150, 150)

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_GOLDEN_RATIO = 0.618034  # steps of it spread hues evenly, however many ids there are
_DIMMED = 0.7  # share of a colour's brightness that is left when a thing is not in an interaction
_FAINT = 0.35  # share of its colour in a box that takes no part in anything
_MIDDLE_LUMA = 120  # of 0 to 255; white text on a darker fill than this
_MAX_SHIFTS = 6  # label heights a label may move up or down to find a free place


@dataclass(frozen=True)
class Style:
    """Sizes that suit a picture."""

    text_height_px: int
    font_scale: float
    text_thickness: int
    line_px: int
    """of what is in an interaction"""
    thin_px: int
    """of everything else"""
    pad_px: int

    @staticmethod
    def for_picture(width_px: int, height_px: int) -> Style:
        """Letters of 10 px at 480 x 270 (the smallest that read well), 17 px at 720p, 22 px at 1080p."""
        short_side = min(width_px, height_px)
        text_height = max(10, round(6 + 0.0148 * short_side))
        # The font differs between OpenCV 4 and 5, so its size is measured rather than known.
        (_, unit_height), _ = cv2.getTextSize("A", _FONT, 1.0, 1)
        return Style(
            text_height_px=text_height,
            font_scale=text_height / unit_height,
            text_thickness=1 if text_height < 20 else 2,
            line_px=max(2, round(short_side / 300)),
            thin_px=max(1, round(short_side / 700)),
            pad_px=max(2, round(text_height / 4)),
        )


@dataclass(frozen=True)
class Label:
    """A text with its background."""

    text: str
    text_colour: Colour
    fill: Colour
    border: Colour | None = None


@lru_cache(maxsize=1024)
def track_colour(track_id: int, *, human: bool) -> Colour:
    """A colour that belongs to ``track_id``: strong for humans, pale for objects; grey for -1."""
    if track_id < 0:
        return GREY
    hue = (track_id * _GOLDEN_RATIO) % 1.0
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.85 if human else 0.45, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


def dimmed(colour: Colour) -> Colour:
    """A darker ``colour``."""
    return round(colour[0] * _DIMMED), round(colour[1] * _DIMMED), round(colour[2] * _DIMMED)


def readable_on(fill: Colour) -> Colour:
    """Dark or white, whichever stands out on ``fill`` (luma of ITU-R BT.601)."""
    luma = 0.299 * fill[0] + 0.587 * fill[1] + 0.114 * fill[2]
    return DARK if luma > _MIDDLE_LUMA else WHITE


def text_width_px(text: str, style: Style) -> int:
    """Width of ``text`` as drawn."""
    return int(cv2.getTextSize(text, _FONT, style.font_scale, style.text_thickness)[0][0])


def fit_text(text: str, width_px: int, style: Style) -> str:
    """``text``, cut with ".." where it is wider than ``width_px``."""
    if text_width_px(text, style) <= width_px:
        return text
    for length in range(len(text) - 1, 0, -1):
        if text_width_px(text[:length] + "..", style) <= width_px:
            return text[:length] + ".."
    return ""


def draw_text(canvas: Canvas, text: str, x: int, baseline_y: int, colour: Colour, style: Style) -> None:
    """Write ``text`` from ``x`` on."""
    cv2.putText(
        canvas, text, (x, baseline_y), _FONT, style.font_scale, colour, style.text_thickness, cv2.LINE_AA
    )  # fmt: skip


def draw_human_box(canvas: Canvas, box: Box, colour: Colour, thickness: int) -> None:
    """A closed rectangle; a thick one has a dark rim, to be seen on any background."""
    if thickness > 1:
        cv2.rectangle(canvas, box[:2], box[2:], DARK, thickness + 2)
    cv2.rectangle(canvas, box[:2], box[2:], colour, thickness)


def draw_faint_box(canvas: Canvas, box: Box, colour: Colour) -> None:
    """A rectangle of one pixel through which the picture shows."""
    x1, y1, x2, y2 = box
    edges = (
        canvas[y1 : y1 + 1, x1 : x2 + 1], canvas[y2 : y2 + 1, x1 : x2 + 1],
        canvas[y1 : y2 + 1, x1 : x1 + 1], canvas[y1 : y2 + 1, x2 : x2 + 1],
    )  # fmt: skip
    tint = np.array(colour, np.float32) * _FAINT
    for edge in edges:
        edge[:] = edge * np.float32(1 - _FAINT) + tint


def draw_object_box(canvas: Canvas, box: Box, colour: Colour, thickness: int) -> None:
    """A thin rectangle with thick corners."""
    x1, y1, x2, y2 = box
    arm = max(2, min(x2 - x1, y2 - y1) // 4)
    corners: list[NDArray[Any]] = [
        np.array([(x, y + dy * arm), (x, y), (x + dx * arm, y)], np.int32)
        for x, dx in ((x1, 1), (x2, -1))
        for y, dy in ((y1, 1), (y2, -1))
    ]
    if thickness > 1:
        cv2.polylines(canvas, corners, False, DARK, thickness + 2)
    cv2.rectangle(canvas, box[:2], box[2:], colour, 1)
    cv2.polylines(canvas, corners, False, colour, thickness)


def draw_link(canvas: Canvas, human: Box, thing: Box, colour: Colour, style: Style) -> tuple[int, int]:
    """A line from the middle of the human's box to the middle of the object's; returns its own middle."""
    begin, end = _centre(human), _centre(thing)
    cv2.line(canvas, begin, end, DARK, style.line_px + 2, cv2.LINE_AA)
    cv2.line(canvas, begin, end, colour, style.line_px, cv2.LINE_AA)
    for point in (begin, end):
        cv2.circle(canvas, point, 2 * style.line_px + 1, DARK, -1, cv2.LINE_AA)
        cv2.circle(canvas, point, 2 * style.line_px, colour, -1, cv2.LINE_AA)
    return (begin[0] + end[0]) // 2, (begin[1] + end[1]) // 2


class LabelPlacer:
    """Draws labels where they were wanted or near by: inside the picture, not over each other where avoidable."""

    def __init__(self, canvas: Canvas, style: Style) -> None:
        self._canvas = canvas
        self._style = style
        self._taken: list[Box] = []

    def draw(self, label: Label, x: int, y: int, *, centred: bool = False) -> None:
        """Draw ``label`` with its lower left corner, or its middle, wanted at (x, y)."""
        style = self._style
        height_px, width_px = self._canvas.shape[:2]
        text = fit_text(label.text, width_px - 2 * style.pad_px, style)
        if not text:
            return
        width = text_width_px(text, style) + 2 * style.pad_px
        height = style.text_height_px + 2 * style.pad_px
        wanted = (x - width // 2, y - height // 2) if centred else (x, y - height)
        x1, y1, x2, y2 = box = self._place(wanted, width, height, (width_px, height_px))
        self._taken.append(box)
        cv2.rectangle(self._canvas, (x1, y1), (x2, y2), label.fill, -1)
        if label.border is not None:
            cv2.rectangle(self._canvas, (x1, y1), (x2, y2), label.border, 1)
        draw_text(self._canvas, text, x1 + style.pad_px, y2 - style.pad_px, label.text_colour, style)

    def _place(self, wanted: tuple[int, int], width: int, height: int, picture: tuple[int, int]) -> Box:
        x = max(0, min(wanted[0], picture[0] - width))
        choices = [self._box(x, wanted[1] + shift * (height + 1), width, height, picture) for shift in _shifts()]
        free = (box for box in choices if not any(_overlap(box, taken) for taken in self._taken))
        return next(free, choices[0])

    @staticmethod
    def _box(x: int, y: int, width: int, height: int, picture: tuple[int, int]) -> Box:
        inside = max(0, min(y, picture[1] - height))
        return x, inside, x + width - 1, inside + height - 1


def _shifts() -> Iterable[int]:
    yield 0
    for distance in range(1, _MAX_SHIFTS + 1):
        yield distance
        yield -distance


def _overlap(first: Box, second: Box) -> bool:
    return first[0] <= second[2] and second[0] <= first[2] and first[1] <= second[3] and second[1] <= first[3]


def _centre(box: Box) -> tuple[int, int]:
    return (box[0] + box[2]) // 2, (box[1] + box[3]) // 2
