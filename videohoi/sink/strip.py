"""The strip below the picture: who did what during the last seconds."""

from __future__ import annotations

import math

import cv2

from videohoi.names import screen_name
from videohoi.sink.drawing import Canvas, Colour, Style, dimmed, draw_text, fit_text, text_width_px, track_colour
from videohoi.sink.timeline import Lane, Timeline

_BACKGROUND: Colour = (24, 25, 31)
_GRID: Colour = (52, 54, 64)
_TEXT: Colour = (225, 226, 230)
_FAINT_TEXT: Colour = (150, 152, 162)
GAP_COLOUR: Colour = (240, 90, 90)
_TICK_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
_WIDEST_NAME = "person 12 stand on skateboard 34"  # a long lane name sets the width of the names' column
_WIDEST_TIME = "00000.0 s"
_NAMES_SHARE = 0.45  # of the strip's width at most


class TimelineStrip:
    """Draws a ``Timeline`` into rows of the canvas: one row for each slot and one for the times."""

    def __init__(self, style: Style, width_px: int, slot_count: int, person_name: str) -> None:
        self._style = style
        self._row_px = style.text_height_px + 2 * style.pad_px
        self._slot_count = slot_count
        self._bottom_px = style.pad_px + slot_count * self._row_px
        self._person_name = person_name
        names_px = text_width_px(_WIDEST_NAME, style) + 4 * style.pad_px
        self._left_px = min(names_px, round(width_px * _NAMES_SHARE))
        self._right_px = max(self._left_px + 1, width_px - 2 * style.pad_px)

    @property
    def height_px(self) -> int:
        """Rows the strip needs."""
        return self._row_px * (self._slot_count + 1) + self._style.pad_px

    def draw(self, canvas: Canvas, timeline: Timeline) -> None:
        """Fill ``canvas``, the strip's own rows of the picture."""
        cv2.rectangle(canvas, (0, 0), (canvas.shape[1], canvas.shape[0]), _BACKGROUND, -1)  # numpy's fill is slow here
        self._draw_grid(canvas, timeline)
        for slot, lane in enumerate(timeline.slots):
            if lane is not None:
                self._draw_lane(canvas, slot, lane, timeline)
        self._draw_gaps(canvas, timeline)
        self._draw_foot(canvas, timeline)

    def _x(self, seconds: float, timeline: Timeline) -> int:
        share = 1 - (timeline.now_seconds - seconds) / timeline.window_seconds
        return round(self._left_px + max(0.0, share) * (self._right_px - self._left_px))

    def _baseline(self, row: int) -> int:
        return self._style.pad_px + row * self._row_px + self._style.pad_px + self._style.text_height_px

    def _draw_grid(self, canvas: Canvas, timeline: Timeline) -> None:
        step = self._tick_seconds(timeline.window_seconds)
        first = math.ceil(max(0.0, timeline.now_seconds - timeline.window_seconds) / step)
        now_label_px = text_width_px(_WIDEST_TIME, self._style)
        for tick in range(first, math.floor(timeline.now_seconds / step) + 1):
            x = self._x(tick * step, timeline)
            cv2.line(canvas, (x, 0), (x, self._bottom_px), _GRID, 1)
            text = f"{tick * step:g}"
            half_px = text_width_px(text, self._style) // 2
            if self._left_px <= x - half_px and x + half_px < self._right_px - now_label_px:
                draw_text(canvas, text, x - half_px, self._baseline(self._slot_count), _FAINT_TEXT, self._style)
        cv2.line(canvas, (self._right_px, 0), (self._right_px, self._bottom_px), _FAINT_TEXT, 1)

    def _draw_gaps(self, canvas: Canvas, timeline: Timeline) -> None:
        """A thin line through all lanes where the source was not continuous, over the bars."""
        for seconds in timeline.gaps_seconds:
            x = self._x(seconds, timeline)
            cv2.line(canvas, (x, 0), (x, self._bottom_px), GAP_COLOUR, 1)

    def _tick_seconds(self, window_seconds: float) -> float:
        """The smallest step at which the labels of two ticks stand apart."""
        pixels_per_second = (self._right_px - self._left_px) / window_seconds
        needed_px = 1.5 * text_width_px("0000", self._style)
        wide_enough = (step for step in _TICK_SECONDS if step * pixels_per_second >= needed_px)
        return next(wide_enough, window_seconds)

    def _draw_lane(self, canvas: Canvas, slot: int, lane: Lane, timeline: Timeline) -> None:
        style = self._style
        key = lane.key
        name = screen_name(f"{self._person_name} {key.human_id} {key.verb} {key.object_class} {key.object_id}")
        colour = track_colour(key.human_id, human=True)
        text = fit_text(name, self._left_px - 4 * style.pad_px, style)
        draw_text(canvas, text, 2 * style.pad_px, self._baseline(slot), _TEXT if lane.active else _FAINT_TEXT, style)
        top = style.pad_px + slot * self._row_px + style.pad_px
        for bar in lane.bars.values():
            begin, end = self._x(bar.begin_seconds, timeline), self._x(bar.end_seconds, timeline)
            corner = (max(end, begin + 1), top + style.text_height_px)
            cv2.rectangle(canvas, (begin, top), corner, colour if bar.is_open else dimmed(colour), -1)

    def _draw_foot(self, canvas: Canvas, timeline: Timeline) -> None:
        baseline = self._baseline(self._slot_count)
        if timeline.hidden_count:
            more = f"+{timeline.hidden_count} more"
            draw_text(canvas, more, 2 * self._style.pad_px, baseline, _TEXT, self._style)
        now = f"{timeline.now_seconds:.1f} s"
        x = self._right_px - text_width_px(now, self._style)
        draw_text(canvas, now, x, baseline, _TEXT, self._style)
