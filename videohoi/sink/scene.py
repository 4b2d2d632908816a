"""One frame's detections and interactions, drawn over its picture."""

from __future__ import annotations

import numpy as np

from videohoi.names import screen_name
from videohoi.sink.drawing import (
    DARK,
    WHITE,
    Box,
    Canvas,
    Label,
    LabelPlacer,
    Style,
    dimmed,
    draw_faint_box,
    draw_human_box,
    draw_link,
    draw_object_box,
    readable_on,
    track_colour,
)
from videohoi.sink.frame_rows import ActivePair, DetectionRows
from videohoi.sink.placement import Placement

_MAX_VERBS = 3  # of a pair's label; more would cover the picture


class ScenePainter:
    """Draws boxes, and for each active interaction of this frame a line with its verbs."""

    def __init__(self, style: Style, person_id: int, *, show_all: bool) -> None:
        """``show_all``: boxes without an interaction have a name too, and stand out a little more."""
        self._style = style
        self._show_all = show_all
        self._person_id = person_id

    def draw(self, canvas: Canvas, rows: DetectionRows, pairs: list[ActivePair], placement: Placement) -> None:
        """Draw into ``canvas``, in which the frame's picture stands at ``placement``."""
        boxes = _canvas_boxes(rows, placement)
        row_of = {
            track_id: row for row, track_id in enumerate(rows.track_ids.tolist()) if track_id >= 0 and row in boxes
        }
        shown = [pair for pair in pairs if pair.observed and pair.human_id in row_of and pair.object_id in row_of]
        # Who takes part stays named while the partner is out of sight.
        members = {track_id for pair in pairs for track_id in (pair.human_id, pair.object_id)}
        busy = {row_of[track_id] for track_id in members & row_of.keys()}
        placer = LabelPlacer(canvas, self._style)
        idle = [row for row in boxes if row not in busy]
        for row in (*idle, *sorted(busy)):
            self._draw_box(canvas, rows, row, boxes[row], busy=row in busy)
        middles = [
            self._draw_link(canvas, pair, boxes[row_of[pair.human_id]], boxes[row_of[pair.object_id]]) for pair in shown
        ]
        reported = {row_of[pair.object_id]: pair.object_class for pair in reversed(pairs) if pair.object_id in row_of}
        for row in sorted(busy):
            self._draw_name(placer, rows, row, boxes[row], reported.get(row, rows.names[row]), busy=True)
        for pair, middle in zip(shown, middles, strict=True):
            placer.draw(_verb_label(pair), *middle, centred=True)
        for row in idle if self._show_all else ():
            self._draw_name(placer, rows, row, boxes[row], rows.names[row], busy=False)

    def _colour(self, rows: DetectionRows, row: int, *, busy: bool) -> tuple[int, int, int]:
        colour = track_colour(int(rows.track_ids[row]), human=int(rows.class_ids[row]) == self._person_id)
        return colour if busy else dimmed(colour)

    def _draw_box(self, canvas: Canvas, rows: DetectionRows, row: int, box: Box, *, busy: bool) -> None:
        if not busy and not self._show_all:
            draw_faint_box(canvas, box, self._colour(rows, row, busy=True))
            return
        draw = draw_human_box if int(rows.class_ids[row]) == self._person_id else draw_object_box
        thickness = self._style.line_px if busy else self._style.thin_px
        draw(canvas, box, self._colour(rows, row, busy=busy), thickness)

    def _draw_link(self, canvas: Canvas, pair: ActivePair, human: Box, thing: Box) -> tuple[int, int]:
        return draw_link(canvas, human, thing, track_colour(pair.human_id, human=True), self._style)

    def _draw_name(
        self, placer: LabelPlacer, rows: DetectionRows, row: int, box: Box, name: str, *, busy: bool
    ) -> None:
        if rows.track_ids[row] < 0:
            return
        colour = self._colour(rows, row, busy=busy)
        human = int(rows.class_ids[row]) == self._person_id
        text = f"{screen_name(name)} {rows.track_ids[row]}"
        label = Label(text, readable_on(colour), colour) if human else Label(text, colour, DARK)
        placer.draw(label, box[0], box[1])


def _verb_label(pair: ActivePair) -> Label:
    words = [f"{screen_name(verb)} {score:.2f}" for verb, score in pair.verbs[:_MAX_VERBS]]
    if len(pair.verbs) > _MAX_VERBS:
        words.append(f"+{len(pair.verbs) - _MAX_VERBS}")
    return Label(", ".join(words), WHITE, DARK, border=track_colour(pair.human_id, human=True))


def _canvas_boxes(rows: DetectionRows, placement: Placement) -> dict[int, Box]:
    """Whole-pixel boxes inside the placed picture by row; a box with a NaN or infinite corner is left out."""
    scaled = placement.to_canvas(rows.boxes_xyxy_px)
    finite = [bool(inside) for inside in np.all(np.isfinite(scaled), axis=1)]
    low = np.array([placement.x_px, placement.y_px] * 2, np.float32)
    high = low + np.array([placement.width_px - 1, placement.height_px - 1] * 2, np.float32)
    whole = np.clip(np.round(np.nan_to_num(scaled)), low, high).astype(np.int64).tolist()
    return {row: (x1, y1, x2, y2) for row, (x1, y1, x2, y2) in enumerate(whole) if finite[row]}
