"""Which row of a frame continues which track: rounds of optimal assignment, the surest first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from videohoi.track.byte_config import ByteConfig
from videohoi.track.rows import Rows
from videohoi.track.steps import Steps
from videohoi.track.track_table import TrackTable


def associate(
    rows: Rows, table: TrackTable, coasting: NDArray[np.bool_], config: ByteConfig, steps: Steps
) -> NDArray[np.int64]:
    """(R,) track of each row, -1 none.

    ``table`` is already predicted to this frame; ``coasting`` (T,): not seen in the last one. Tracks with an id choose
    first. Their high rows: by overlap with the voted class, by overlap with another known class, by high overlap with
    any object class, by distance. Then their low rows the same way (BYTE's second association, algorithm 1). Then
    tracks without an id choose among the high rows.
    """
    frame = _Frame(rows, table, coasting, config, steps)
    high = rows.scores >= config.high_score
    frame.match(high, table.confirmed, config.high_iou)
    frame.match(~high, table.confirmed, config.low_iou)
    frame.match(high, ~table.confirmed, config.high_iou)
    return frame.track_of_row


def leave_to_older(track_of_row: NDArray[np.int64], same_thing: NDArray[np.bool_]) -> None:
    """Where two tracks found one thing under two names, the younger loses its row, in place.

    ``track_of_row`` (R,) with tracks in the order of their birth; ``same_thing`` (R, R) the rows are of one thing.
    The loser is lost from then on: it ends after ``lost_seconds``, or is found again if the two part before that.
    """
    if not same_thing.any():
        return
    matched = np.flatnonzero(track_of_row >= 0)
    clash = np.triu(same_thing[np.ix_(matched, matched)], 1)
    for first, second in matched[np.argwhere(clash)]:
        older, younger = sorted((first, second), key=lambda row: track_of_row[row])
        if track_of_row[older] >= 0:
            track_of_row[younger] = -1


class _Frame:
    """One frame's matching so far."""

    def __init__(
        self, rows: Rows, table: TrackTable, coasting: NDArray[np.bool_], config: ByteConfig, steps: Steps
    ) -> None:
        self._rows = rows
        self._steps = steps
        self._places, self._spread = steps.places(
            table.motion, table.last_boxes, coasting, table.ids, table.carrier_ids, table.carrier_offsets
        )
        self._switch_iou = config.switch_iou
        self._reach_sizes = np.where(table.humans, config.human_reach_sizes, config.object_reach_sizes).astype(
            np.float64
        )
        self._reach = (float(config.reach_sigmas), float(config.reach_limit_sizes), float(config.reach_size_ratio))
        kin = rows.humans[:, None] == table.humans[None]
        self._voted = kin & (rows.class_ids[:, None] == table.classes[None, :, 0])
        self._known = kin & _knows(table, rows.class_ids, config.known_class_share)
        self._kin = kin
        self.track_of_row = np.full(len(rows), -1, np.int64)
        self._free_tracks = np.ones(len(table), np.bool_)

    def match(self, rows: NDArray[np.bool_], tracks: NDArray[np.bool_], min_iou: float) -> None:
        """Assign free ``rows`` (R,) to free ``tracks`` (T,), the surest reason first."""
        self._by_overlap(rows, tracks, self._voted, min_iou)
        self._by_overlap(rows, tracks, self._known, min_iou)
        self._by_overlap(rows, tracks, self._kin, self._switch_iou)
        self._by_distance(rows, tracks)

    def _by_overlap(
        self, rows: NDArray[np.bool_], tracks: NDArray[np.bool_], allowed: NDArray[np.bool_], min_iou: float
    ) -> None:
        """The greatest sum of IoU * score."""
        if not self._free(rows, tracks):
            return
        mask = self._open(rows, tracks, allowed)
        if mask.any():
            self._assign(self._steps.overlap(self._rows.boxes, self._rows.scores, self._places, mask, float(min_iou)))

    def _by_distance(self, rows: NDArray[np.bool_], tracks: NDArray[np.bool_]) -> None:
        """The greatest sum of closeness, for what is too small or too fast to overlap."""
        if not self._free(rows, tracks):
            return
        mask = self._open(rows, tracks, self._known)
        if mask.any():
            self._assign(
                self._steps.reach(self._rows.boxes, self._places, self._spread, self._reach_sizes, mask, self._reach)
            )

    def _free(self, rows: NDArray[np.bool_], tracks: NDArray[np.bool_]) -> bool:
        """Is there anything left to assign: most frames are done after the first step."""
        return bool((rows & (self.track_of_row < 0)).any() and (tracks & self._free_tracks).any())

    def _open(
        self, rows: NDArray[np.bool_], tracks: NDArray[np.bool_], allowed: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        free_rows = rows & (self.track_of_row < 0)
        mask: NDArray[np.bool_] = allowed & free_rows[:, None] & (tracks & self._free_tracks)[None]
        return mask

    def _assign(self, similarity: NDArray[np.float64]) -> None:
        possible = similarity > 0.0
        rows, tracks = np.flatnonzero(possible.any(axis=1)), np.flatnonzero(possible.any(axis=0))
        if not len(rows):
            return
        chosen_rows, chosen_tracks = linear_sum_assignment(similarity[np.ix_(rows, tracks)], maximize=True)
        chosen_rows, chosen_tracks = rows[chosen_rows], tracks[chosen_tracks]
        real = possible[chosen_rows, chosen_tracks]
        self.track_of_row[chosen_rows[real]] = chosen_tracks[real]
        self._free_tracks[chosen_tracks[real]] = False


def _knows(table: TrackTable, class_ids: NDArray[np.int64], least_share: float) -> NDArray[np.bool_]:
    """(R, T) the row's class has at least ``least_share`` of the track's votes, or is its voted class."""
    share = table.votes / np.maximum(table.votes.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    known = share >= least_share
    known[:, 0] = True
    match = (class_ids[:, None, None] == table.classes[None]) & known[None]
    result: NDArray[np.bool_] = match.any(axis=2)
    return result
