"""Which row of a frame continues which track: optimal assignment in rounds, strongest evidence first. Plain numpy.

Rows and tracks with an id: high rows by overlap with the voted class, by overlap with another known class, by high
overlap with any object class, by distance. Then low rows the same way (BYTE's second association, algorithm 1). Then
tracks without an id choose among the high rows.

Distance is weak evidence, and weaker in a crowd. For humans it never suffices alone: a low row needs overlap, and a
human who was out of sight is confirmed like a new one. The row starts a track; once that has been seen
``confirm_hits`` times, it takes over the identity of the lost track it is close to. A false alarm or a passer-by
therefore never takes a lost identity, and a human who returns to an empty scene has the old id a frame or two later.

A track may be at three places: where its motion takes it, where it was last seen (observation-centric, OC-SORT, Cao et
al., CVPR 2023, arXiv 2203.14360, section 4.2), and, while it is hidden, where the human it belongs to has carried it. A
similarity of 0 means "cannot be the same".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from videohoi.geometry.boxes import box_centres, pairwise_iou
from videohoi.track import memory
from videohoi.track.byte_config import ByteConfig
from videohoi.track.track_table import Rows, TrackTable


def leave_to_older(track_of_row: NDArray[np.int64], same_thing: NDArray[np.bool_]) -> None:
    """Where two tracks matched one object under two class names, the younger one loses its row, in place.

    ``track_of_row`` (R,) with tracks in the order of their birth; ``same_thing`` (R, R) the rows are of one object.
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


class Association:
    """One frame's matching so far."""

    def __init__(self, rows: Rows, table: TrackTable, coasting: NDArray[np.bool_], config: ByteConfig) -> None:
        """``table`` is already predicted to this frame; ``coasting`` (T,): not seen in the last one."""
        self._rows = rows
        self._config = config
        self._places, self._spread = memory.places(
            table.motion, table.last_boxes, coasting, table.ids, table.carrier_ids, table.carrier_offsets
        )
        self._confirmed, self._humans = table.confirmed, table.humans.copy()
        self._seen_seconds = table.seen_seconds.copy()
        self._was_away = table.humans & table.confirmed & coasting
        kin = rows.humans[:, None] == table.humans[None]
        self._voted = kin & (rows.class_ids[:, None] == table.classes[None, :, 0])
        self._known = kin & _knows(table, rows.class_ids, config.known_class_share)
        self._kin = kin
        self._track_of_row = np.full(len(rows), -1, np.int64)
        self._free_tracks = np.ones(len(table), np.bool_)

    def tracks(self) -> NDArray[np.int64]:
        """(R,) track of each row, -1 none."""
        config, confirmed = self._config, self._confirmed
        high = self._rows.scores >= config.high_score
        sure = np.where(self._humans, config.human_iou, config.high_iou)
        unsure = np.full(len(sure), config.low_iou, np.float64)
        self._match(high, confirmed, sure, by_distance=~self._was_away)
        self._match(~high, confirmed, unsure, by_distance=~self._humans)
        self._match(high, ~confirmed, sure, by_distance=~self._was_away)
        return self._track_of_row

    def returned(
        self, rows: NDArray[np.int64], born_seconds: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which of ``rows`` are close to a lost human with an id, and to which: places in ``rows``, tracks.

        ``born_seconds`` (like ``rows``): when their own tracks began; a human is not in two places at a time.
        """
        lost = np.flatnonzero(self._humans & self._confirmed & self._free_tracks)
        if not len(lost) or not len(rows):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        allowed = self._seen_seconds[lost][None] < born_seconds[:, None]
        chosen, tracks = _best(self._closeness(rows, lost, allowed))
        return chosen, lost[tracks]

    def _match(
        self,
        rows: NDArray[np.bool_],
        tracks: NDArray[np.bool_],
        min_iou: NDArray[np.float64],
        by_distance: NDArray[np.bool_],
    ) -> None:
        """Assign free ``rows`` (R,) to free ``tracks`` (T,), the strongest evidence first."""
        switch_iou = np.full(len(tracks), self._config.switch_iou, np.float64)
        for allowed, limit in ((self._voted, min_iou), (self._known, min_iou), (self._kin, switch_iou)):
            mask = self._open(rows, tracks, allowed)
            if mask.any():
                boxes, scores = self._rows.boxes, self._rows.scores
                self._take(*_best(overlap_similarity(boxes, scores, self._places, mask, limit)))
        mask = self._open(rows, tracks & by_distance, self._known)
        if mask.any():
            everyone = np.arange(len(tracks))
            self._take(*_best(self._closeness(np.arange(len(rows)), everyone, mask)))

    def _closeness(
        self, rows: NDArray[np.int64], tracks: NDArray[np.int64], allowed: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        config = self._config
        reach_sizes = np.where(self._humans[tracks], config.human_reach_sizes, config.object_reach_sizes)
        reach = (config.reach_sigmas, config.reach_limit_sizes, config.reach_size_ratio)
        boxes, places, spread = self._rows.boxes[rows], self._places[tracks], self._spread[tracks]
        return reach_similarity(boxes, places, spread, reach_sizes, allowed, reach)

    def _open(
        self, rows: NDArray[np.bool_], tracks: NDArray[np.bool_], allowed: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        free_rows = rows & (self._track_of_row < 0)
        mask: NDArray[np.bool_] = allowed & free_rows[:, None] & (tracks & self._free_tracks)[None]
        return mask

    def _take(self, rows: NDArray[np.int64], tracks: NDArray[np.int64]) -> None:
        self._track_of_row[rows] = tracks
        self._free_tracks[tracks] = False


def _best(similarity: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the pairs above 0 that add up to the greatest sum."""
    possible = similarity > 0.0
    rows, columns = np.flatnonzero(possible.any(axis=1)), np.flatnonzero(possible.any(axis=0))
    chosen_rows, chosen_columns = linear_sum_assignment(similarity[np.ix_(rows, columns)], maximize=True)
    chosen_rows, chosen_columns = rows[chosen_rows], columns[chosen_columns]
    real = possible[chosen_rows, chosen_columns]
    return chosen_rows[real], chosen_columns[real]


def _knows(table: TrackTable, class_ids: NDArray[np.int64], least_share: float) -> NDArray[np.bool_]:
    """(R, T) the row's class has at least ``least_share`` of the track's votes, or is its voted class."""
    share = table.votes / np.maximum(table.votes.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    known = share >= least_share
    known[:, 0] = True
    match = (class_ids[:, None, None] == table.classes[None]) & known[None]
    result: NDArray[np.bool_] = match.any(axis=2)
    return result


PLACES = 3
"""predicted, last seen, carried"""
OTHER_PLACE_TRUST = 0.9
"""weight of an overlap with a place other than the predicted one: prediction wins a tie between two tracks"""


def overlap_similarity(
    boxes: NDArray[np.float64],
    scores: NDArray[np.float64],
    places: NDArray[np.float64],
    allowed: NDArray[np.bool_],
    min_iou: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(R, T) best IoU of row and track over the track's places, times the score; 0 under ``min_iou`` or not allowed.

    IoU * score is the fusion of BYTE's public code (``matching.fuse_score``). ``boxes`` (R, 4), ``scores`` (R,),
    ``places`` (T, 3, 4), ``allowed`` (R, T), ``min_iou`` (T,).
    """
    predicted = pairwise_iou(boxes, places[:, 0])
    other = np.maximum(pairwise_iou(boxes, places[:, 1]), pairwise_iou(boxes, places[:, 2]))
    iou = np.maximum(predicted, OTHER_PLACE_TRUST * other)
    return np.where(allowed & (iou >= min_iou), iou * scores[:, None], 0.0)


def reach_similarity(
    boxes: NDArray[np.float64],
    places: NDArray[np.float64],
    spread_px: NDArray[np.float64],
    reach_sizes: NDArray[np.float64],
    allowed: NDArray[np.bool_],
    reach: tuple[float, float, float],
) -> NDArray[np.float64]:
    """(R, T) closeness of row and track in (0, 1]: (1 - distance / reach) * size ratio; 0 out of reach or not allowed.

    ``spread_px`` (T,): standard deviation of the predicted centre. ``reach_sizes`` (T,): how far its kind may be, in
    sizes. ``reach``: sigmas, limit in sizes, least size ratio (``ByteConfig.reach_*``). Distance is that to the nearest
    of the track's places; reach is min(reach_sizes * size + sigmas * spread, limit * size), 1 px at least, with size
    the geometric mean of row's and track's.
    """
    sigmas, limit, least_ratio = reach
    centres = box_centres(boxes)
    distance = np.full((len(boxes), len(places)), np.inf)
    for k in range(PLACES):
        step = centres[:, None] - box_centres(places[:, k])[None]
        distance = np.minimum(distance, np.sqrt(step[..., 0] * step[..., 0] + step[..., 1] * step[..., 1]))
    row_size, track_size = _sizes(boxes)[:, None], _sizes(places[:, 0])[None]
    size = np.sqrt(row_size * track_size)
    far = np.maximum(np.minimum(reach_sizes[None] * size + sigmas * spread_px[None], limit * size), 1.0)
    ratio = np.minimum(row_size, track_size) / np.maximum(row_size, track_size)
    close = allowed & (ratio >= least_ratio) & (distance < far)
    return np.where(close, (1.0 - distance / far) * ratio, 0.0)


def _sizes(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
    size: NDArray[np.float64] = np.sqrt(sides[:, 0] * sides[:, 1])
    return size
