"""The tracker in plain numpy: the reference of the compiled step, and what runs while that is being compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry.boxes import pairwise_iou
from videohoi.structures import Detections, Tracks
from videohoi.track import kalman, memory
from videohoi.track.association import Association, leave_to_older
from videohoi.track.byte_config import GRACE_SECONDS, ByteConfig
from videohoi.track.clock import StampClock
from videohoi.track.track_table import Rows, empty_table, seen_once, usable_rows


class Followed(NamedTuple):
    """A frame's answer."""

    tracks: Tracks
    boxes_xyxy_px: NDArray[np.float64]
    """(N, 4) corners of the filter's state of each row's track after it saw the row; the row's own without an id"""


class PlainByte:
    """Tracks one source on the given clock."""

    def __init__(self, config: ByteConfig, human_class_id: int, next_id: int = 1) -> None:
        self._config = config
        self._human_class_id = human_class_id
        self._model = kalman.motion_model(config)
        self._table = empty_table(self._model)
        self.next_id = next_id
        """the id the next new track gets"""

    @property
    def track_count(self) -> int:
        """Tracks held, confirmed or not, seen or lost."""
        return len(self._table)

    def step(self, detections: Detections, clock: StampClock, jumped: bool) -> Followed:
        """The next frame, at the time of ``clock``; ``jumped`` ends all tracks before it."""
        table = self._table
        ended = self._advance(clock, jumped)
        rows = usable_rows(detections, self._config.low_score, self._human_class_id)
        coasting = table.seen_seconds < clock.previous_seconds
        kalman.predict(table.motion, coasting, table.humans, clock.dt_seconds, self._model)
        association = Association(rows, table, coasting, self._config)
        track_of_row = association.tracks()
        same_thing = self._same_thing(rows)
        leave_to_older(track_of_row, same_thing)
        self._follow(rows, track_of_row, clock.now_seconds)
        self._start(rows, track_of_row, same_thing, clock.now_seconds)
        self._inherit(rows, track_of_row, association, self._proven(clock))
        self._confirm(self._proven(clock))
        seen = table.seen_seconds == clock.now_seconds
        memory.note_carriers(table.last_boxes, seen, table.humans, table.ids, table.carrier_ids, table.carrier_offsets)
        return self._answer(detections, rows, track_of_row, seen, ended)

    def _advance(self, clock: StampClock, jumped: bool) -> tuple[int, ...]:
        """Drop the tracks that are over; returns their ids."""
        table, config = self._table, self._config
        patience = np.where(table.humans, config.human_lost_seconds, config.lost_seconds)
        patience = np.where(table.confirmed, patience, max(config.unconfirmed_seconds, clock.dt_seconds))
        alive = (clock.now_seconds - table.seen_seconds <= patience + GRACE_SECONDS) & (not jumped)
        ended = tuple(table.ids[table.confirmed & ~alive].tolist())
        table.keep(alive)
        return ended

    def _same_thing(self, rows: Rows) -> NDArray[np.bool_]:
        """(R, R) object rows of two classes whose boxes are as good as one."""
        objects = ~rows.humans
        pair = objects[:, None] & objects[None] & (rows.class_ids[:, None] != rows.class_ids[None])
        same: NDArray[np.bool_] = pair & (pairwise_iou(rows.boxes, rows.boxes) > self._config.duplicate_iou)
        return same

    def _follow(self, rows: Rows, track_of_row: NDArray[np.int64], now_seconds: float) -> None:
        """Give each matched track its row."""
        table, matched = self._table, np.flatnonzero(track_of_row >= 0)
        tracks, boxes = track_of_row[matched], rows.boxes[matched]
        decays = np.exp((table.seen_seconds[tracks] - now_seconds) / self._config.vote_tau_seconds)
        class_ids, scores = rows.class_ids[matched], rows.scores[matched]
        memory.vote(table.classes, table.votes, tracks, class_ids, scores, decays, self._config.rename_ratio)
        motion = table.motion[tracks]
        kalman.correct(motion, boxes, self._model)
        table.motion[tracks] = motion
        table.last_boxes[tracks] = boxes
        table.seen_seconds[tracks] = now_seconds
        table.hits[tracks] += 1

    def _start(
        self, rows: Rows, track_of_row: NDArray[np.int64], same_thing: NDArray[np.bool_], now_seconds: float
    ) -> None:
        """Start a track for each free row that is sure enough and no second name of a followed thing."""
        followed = track_of_row >= 0
        free = np.flatnonzero(~followed & (rows.scores >= self._config.new_track_score))
        for row in free:
            followed[row] = not (same_thing[row] & followed).any()
        new = free[followed[free]]
        if len(new):
            track_of_row[new] = np.arange(len(self._table), len(self._table) + len(new))
            self._table.extend(seen_once(rows.select(new), now_seconds, self._model))

    def _proven(self, clock: StampClock) -> NDArray[np.bool_]:
        """(T,) has no id and gets one now."""
        table = self._table
        age = table.seen_seconds - table.born_seconds
        old = (table.hits >= self._config.confirm_hits) & (age >= self._config.confirm_seconds - GRACE_SECONDS)
        proven: NDArray[np.bool_] = ~table.confirmed & (old | clock.at_first_frame)
        return proven

    def _inherit(
        self, rows: Rows, track_of_row: NDArray[np.int64], association: Association, proven: NDArray[np.bool_]
    ) -> None:
        """A human that has proven itself close to where a lost one may be is the lost one, and takes its place."""
        table = self._table
        matched = np.flatnonzero(track_of_row >= 0)
        heir_rows = matched[(proven & table.humans)[track_of_row[matched]]]
        heirs = track_of_row[heir_rows]
        chosen, lost = association.returned(heir_rows, table.born_seconds[heirs])
        if not len(chosen):
            return
        heir = heirs[chosen]
        table.hits[lost] += table.hits[heir]
        for column in (table.motion, table.last_boxes, table.seen_seconds):
            column[lost] = column[heir]
        track_of_row[heir_rows[chosen]] = lost
        kept = np.ones(len(table), np.bool_)
        kept[heir] = False
        table.keep(kept)
        track_of_row[matched] = (np.cumsum(kept) - 1)[track_of_row[matched]]

    def _confirm(self, proven: NDArray[np.bool_]) -> None:
        """Give ids, oldest track first."""
        new = np.flatnonzero(proven)
        self._table.ids[new] = np.arange(self.next_id, self.next_id + len(new))
        self.next_id += len(new)

    def _answer(
        self,
        detections: Detections,
        rows: Rows,
        track_of_row: NDArray[np.int64],
        seen: NDArray[np.bool_],
        ended: tuple[int, ...],
    ) -> Followed:
        table = self._table
        track_ids, class_ids = np.full(len(detections), -1, np.int64), detections.class_ids.copy()
        boxes = detections.boxes_xyxy_px.astype(np.float64)
        matched = np.flatnonzero(track_of_row >= 0)
        named = matched[table.confirmed[track_of_row[matched]]]
        tracks, sources = track_of_row[named], rows.sources[named]
        track_ids[sources], class_ids[sources] = table.ids[tracks], table.classes[tracks, 0]
        boxes[sources] = kalman.corners(table.motion[tracks])
        lost = tuple(table.ids[table.confirmed & ~seen].tolist())
        return Followed(Tracks(track_ids, class_ids, lost, ended), boxes)
