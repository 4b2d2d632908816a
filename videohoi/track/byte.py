"""BYTE over humans and objects of all classes, row-aligned, in seconds.

Method: Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022, arXiv
2110.06864: match high-scored boxes first, then let low-scored ones continue the tracks that are left. What differs:
the output is an id for each input row; ids belong to the instance; ended tracks are removed; time comes from stamps;
association knows classes and votes on them; things that move further than their own width are found by distance.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import InputError, UsageError
from videohoi.geometry.warming import warmed
from videohoi.structures import Detections, SourceInfo, Tracks
from videohoi.track.association import associate, leave_to_older
from videohoi.track.byte_config import ByteConfig
from videohoi.track.clock import StampClock
from videohoi.track.kalman import motion_model
from videohoi.track.rows import Rows, usable_rows
from videohoi.track.steps import COMPILED, PLAIN
from videohoi.track.track_table import TrackTable, empty_table, seen_once

GRACE_SECONDS = 1e-6
"""sums of frame times miss round limits by rounding; no time that matters is shorter"""


class ByteTracker:
    """Tracks one source; see ``protocol.Tracker``. Same input, same output; the order of rows does not matter.

    The first frame after ``open`` or a discontinuity gives ids at once (as BYTE); later a new thing must be seen
    ``confirm_hits`` times. Rows that are not finite or have no area get -1.
    """

    def __init__(self, config: ByteConfig | None = None, *, human_class_id: int = 0) -> None:
        """``human_class_id``: ``Vocabulary.person_id``; a human is never matched to an object."""
        self._config = config if config is not None else ByteConfig()
        self._human_class_id = human_class_id
        self._model = motion_model(self._config)
        self._clock = StampClock(self._config.min_dt_seconds, self._config.lost_seconds)
        self._table: TrackTable | None = None
        self._next_id = 1
        self._steps = COMPILED

    def open(self, info: SourceInfo) -> None:
        """Begin a source with ids from 1. Loads the compiled kernels, or runs on numpy while they are compiled."""
        self._steps = COMPILED if warmed(self._warm_up) else PLAIN
        self._next_id = 1
        self._clock.restart()
        self._table = empty_table(self._model)

    def update(self, detections: Detections, pts_seconds: float) -> Tracks:
        """Ids of the rows at media time ``pts_seconds``.

        A stamp that is equal or slightly backward advances the clock by ``min_dt_seconds``; a jump of more than
        ``lost_seconds`` either way ends all tracks. ``UsageError`` before ``open``; ``InputError`` on a stamp that is
        not finite.
        """
        if self._table is None:
            raise UsageError("ByteTracker.update before open: call open(info) first")
        if not math.isfinite(pts_seconds):
            raise InputError(f"pts_seconds must be a finite number of seconds, got {pts_seconds}")
        table = self._table
        ended = self._advance(table, pts_seconds)
        rows = usable_rows(detections, self._config.low_score, self._human_class_id)
        coasting = table.seen_seconds < self._clock.previous_seconds
        self._steps.predict(table.motion, coasting, table.humans, self._clock.dt_seconds, self._model)
        track_of_row = associate(rows, table, coasting, self._config, self._steps)
        same_thing = self._same_thing(rows)
        leave_to_older(track_of_row, same_thing)
        self._follow(table, rows, track_of_row)
        self._start(table, rows, track_of_row, same_thing)
        self._confirm(table)
        self._note_carriers(table)
        return self._result(table, detections, rows, track_of_row, ended)

    def reset(self) -> None:
        """Forget every track; ids go on counting and none returns."""
        if self._table is not None:
            self._table = empty_table(self._model)
        self._clock.restart()

    def close(self) -> None:
        """Free the state; may be called twice."""
        self._table = None

    @property
    def track_count(self) -> int:
        """Tracks held now, confirmed or not, seen or lost: what memory and time per frame grow with."""
        return 0 if self._table is None else len(self._table)

    def _advance(self, table: TrackTable, pts_seconds: float) -> tuple[int, ...]:
        """Step the clock and drop the tracks that are over; returns their ids."""
        jumped = self._clock.tick(pts_seconds)
        unseen = self._clock.now_seconds - table.seen_seconds
        patience = np.where(table.confirmed, self._config.lost_seconds, self._config.unconfirmed_seconds)
        alive = (unseen <= patience + GRACE_SECONDS) & (not jumped)
        ended = tuple(table.ids[table.confirmed & ~alive].tolist())
        table.keep(alive)
        return ended

    def _same_thing(self, rows: Rows) -> NDArray[np.bool_]:
        """(R, R) object rows of two classes whose boxes are as good as one."""
        objects = ~rows.humans
        pair = objects[:, None] & objects[None] & (rows.class_ids[:, None] != rows.class_ids[None])
        same: NDArray[np.bool_] = pair & (self._steps.iou(rows.boxes, rows.boxes) > self._config.duplicate_iou)
        return same

    def _follow(self, table: TrackTable, rows: Rows, track_of_row: NDArray[np.int64]) -> None:
        """Give each matched track its row."""
        matched = np.flatnonzero(track_of_row >= 0)
        tracks, boxes, now = track_of_row[matched], rows.boxes[matched], self._clock.now_seconds
        decays = np.exp((table.seen_seconds[tracks] - now) / self._config.vote_tau_seconds)
        self._steps.vote(
            table.classes,
            table.votes,
            tracks,
            rows.class_ids[matched],
            rows.scores[matched],
            decays,
            float(self._config.rename_ratio),
        )
        self._steps.correct(table.motion, tracks, boxes, self._model)
        table.last_boxes[tracks] = boxes
        table.seen_seconds[tracks] = now
        table.hits[tracks] += 1

    def _start(
        self, table: TrackTable, rows: Rows, track_of_row: NDArray[np.int64], same_thing: NDArray[np.bool_]
    ) -> None:
        """Start a track for each free row that is sure enough and no second name of a followed thing."""
        followed = track_of_row >= 0
        free = np.flatnonzero(~followed & (rows.scores >= self._config.new_track_score))
        for row in free:
            followed[row] = not (same_thing[row] & followed).any()
        new = free[followed[free]]
        if not len(new):
            return
        track_of_row[new] = np.arange(len(table), len(table) + len(new))
        table.extend(seen_once(rows.select(new), self._clock.now_seconds, self._model))

    def _confirm(self, table: TrackTable) -> None:
        """Give ids, oldest track first."""
        age = table.seen_seconds - table.born_seconds
        proven = (table.hits >= self._config.confirm_hits) & (age >= self._config.confirm_seconds - GRACE_SECONDS)
        new = np.flatnonzero(~table.confirmed & (proven | self._clock.at_first_frame))
        table.ids[new] = np.arange(self._next_id, self._next_id + len(new))
        self._next_id += len(new)

    def _note_carriers(self, table: TrackTable) -> None:
        seen = table.seen_seconds == self._clock.now_seconds
        self._steps.note_carriers(
            table.last_boxes, seen, table.humans, table.ids, table.carrier_ids, table.carrier_offsets
        )

    def _result(
        self,
        table: TrackTable,
        detections: Detections,
        rows: Rows,
        track_of_row: NDArray[np.int64],
        ended: tuple[int, ...],
    ) -> Tracks:
        track_ids = np.full(len(detections), -1, np.int64)
        class_ids = detections.class_ids.copy()
        matched = np.flatnonzero(track_of_row >= 0)
        tracks = track_of_row[matched]
        named = table.confirmed[tracks]
        sources = rows.sources[matched[named]]
        track_ids[sources] = table.ids[tracks[named]]
        class_ids[sources] = table.classes[tracks[named], 0]
        lost = table.confirmed & (table.seen_seconds < self._clock.now_seconds)
        return Tracks(track_ids, class_ids, tuple(table.ids[lost].tolist()), ended)

    def _warm_up(self) -> None:
        """Run every kernel once on a small scene of the types that ``update`` uses."""
        rehearsal = ByteTracker(self._config, human_class_id=self._human_class_id)
        rehearsal._table = empty_table(self._model)
        human, thing = self._human_class_id, self._human_class_id + 1
        classes, scores = np.array([human, thing, thing], np.int64), np.ones(3, np.float32)
        step_seconds = min(self._config.lost_seconds, self._config.unconfirmed_seconds) / 2.0
        for frame in range(3):
            far = 90 + 60 * frame  # further each time than it is wide: asks for the distance round as well
            boxes = np.array([[0, 0, 9, 30], [2, 9, 5, 12], [far, 9, far + 5, 14]], np.float32)
            rehearsal.update(Detections(boxes, scores, classes), frame * step_seconds)
