"""Is a predicted pair of tracks the pair the annotator meant? Boxes are compared at the annotated keyframes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from videohoi.evaluate.segments.run_files import RunClip, TrackBoxes
from videohoi.evaluate.segments.truth import ClipTruth, TruthSpan
from videohoi.structures import Segment

MINIMUM_IOU = 0.3
"""a predicted box is at the place of a true one from this IoU on"""
SMALL_OBJECT_PX = 40.0
"""a true box whose sides' geometric mean is below this is also met by a box whose centre lies inside it: IoU says
little about so few pixels"""
TRACK_REACH_SECONDS = 0.05
"""a track's box counts for a keyframe up to this far away in time: one frame at 20 frames/s, for runs that skip some"""
KEYFRAME_REACH_SECONDS = 1.0
"""where no keyframe lies inside a span, the nearest one on either side counts up to this far away; annotators set
one about every half second, and short events fall between them"""


class PairPlaces:
    """Compares the tracks of one run clip with the keyframe boxes of its truth. Pure; caches box comparisons."""

    def __init__(self, truth: ClipTruth, prediction: RunClip) -> None:
        self._truth = truth
        self._tracks = prediction.tracks
        self._known: dict[tuple[int, str], _Comparison] = {}

    @cached_property
    def _seconds(self) -> NDArray[np.float64]:
        return np.array([keyframe.seconds for keyframe in self._truth.keyframes], np.float64)

    @cached_property
    def _classes(self) -> dict[str, str | None]:
        """Class of each person and object; persons share one that no object has."""
        things = {thing.object_id: thing.object_class for thing in self._truth.objects}
        return {**dict.fromkeys(self._truth.person_ids, ""), **things}

    @cached_property
    def _boxed_ids(self) -> frozenset[str]:
        return frozenset(subject for keyframe in self._truth.keyframes for subject in keyframe.boxes_xyxy_px)

    def same_pair(self, segment: Segment, span: TruthSpan, *, exclusive: bool = False) -> bool:
        """Whether the tracks of ``segment`` are the pair of ``span``; verb and class are not looked at.

        Common keyframes are those at which the true person and object and both predicted tracks have a box, inside
        the time that ``segment`` and ``span`` share (inside ``span`` when they share none). Where there is none,
        the nearest common keyframe before and the nearest after stand in, each at most ``KEYFRAME_REACH_SECONDS``
        away. The pair is the same when both boxes agree on at least half of the common keyframes, and there is one.
        An object that is boxed nowhere in the clip (hidden, or one that does not exist) has no place to compare:
        there the person alone decides.

        ``exclusive``: a box agrees only where no other annotated box of its class fits it better. Two things that
        pass each other both agree with one track otherwise.
        """
        compared = [self._compare(segment.human_id, span.person_id)]
        if span.object_id in self._boxed_ids:
            compared.append(self._compare(segment.object_id, span.object_id))
        common = np.logical_and.reduce([comparison.both for comparison in compared])
        agree = np.logical_and.reduce([c.best if exclusive else c.agree for c in compared])
        begin = max(segment.begin_seconds, span.begin_seconds)
        end = min(segment.end_seconds, span.end_seconds)
        if begin > end:
            begin, end = span.begin_seconds, span.end_seconds
        chosen = self._chosen(common, begin, end)
        return bool(len(chosen) > 0 and 2 * int(agree[chosen].sum()) >= len(chosen))

    def _chosen(self, common: NDArray[np.bool_], begin: float, end: float) -> NDArray[np.int64]:
        """Rows of the common keyframes that count for ``begin`` .. ``end`` (first and last frame)."""
        half_frame = self._truth.frame_seconds / 2
        rows = np.flatnonzero(common)
        seconds = self._seconds[rows]
        inside = (seconds > begin - half_frame) & (seconds < end + half_frame)
        if inside.any():
            return rows[inside]
        before = rows[(seconds <= begin) & (seconds >= begin - KEYFRAME_REACH_SECONDS)][-1:]
        after = rows[(seconds >= end) & (seconds <= end + KEYFRAME_REACH_SECONDS)][:1]
        return np.concatenate([before, after])

    def _compare(self, track_id: int, subject: str) -> _Comparison:
        known = self._known.get((track_id, subject))
        if known is None:
            known = self._known[track_id, subject] = self._compared(self._tracks[track_id], subject)
        return known

    def _compared(self, track: TrackBoxes, subject: str) -> _Comparison:
        rows = _nearest_rows(track.pts_seconds, self._seconds)
        both, agree, best = np.zeros((3, len(rows)), np.bool_)
        for k, keyframe in enumerate(self._truth.keyframes):
            true_box = keyframe.boxes_xyxy_px.get(subject)
            if true_box is None or rows[k] < 0:
                continue
            box = track.boxes_xyxy_px[rows[k]]
            both[k], agree[k] = True, boxes_agree(box, true_box)
            rivals = (
                intersection_over_union(box, other)
                for name, other in keyframe.boxes_xyxy_px.items()
                if self._classes[name] == self._classes[subject]
            )
            best[k] = agree[k] and intersection_over_union(box, true_box) >= max(rivals)
        return _Comparison(both, agree, best)


@dataclass(frozen=True)
class _Comparison:
    """One track and one annotated person or object at the K keyframes."""

    both: NDArray[np.bool_]
    """(K,) both have a box"""
    agree: NDArray[np.bool_]
    """(K,) and the boxes agree"""
    best: NDArray[np.bool_]
    """(K,) and no other annotated box of the class fits better"""


def boxes_agree(box_xyxy_px: NDArray[np.float64], true_box_xyxy_px: NDArray[np.float64]) -> bool:
    """IoU >= 0.3; for a small true box the predicted centre inside it also suffices. Boxes (4,) source pixels.

    A true box is small when sqrt(width * height) < 40 px.
    """
    if intersection_over_union(box_xyxy_px, true_box_xyxy_px) >= MINIMUM_IOU:
        return True
    centre = (box_xyxy_px[:2] + box_xyxy_px[2:]) / 2
    inside = np.all((centre >= true_box_xyxy_px[:2]) & (centre <= true_box_xyxy_px[2:]))
    return bool(_area(true_box_xyxy_px) < SMALL_OBJECT_PX**2 and inside)


def intersection_over_union(one_xyxy_px: NDArray[np.float64], other_xyxy_px: NDArray[np.float64]) -> float:
    """IoU of two (4,) boxes, in [0, 1]; 0 for boxes without area."""
    low = np.maximum(one_xyxy_px[:2], other_xyxy_px[:2])
    high = np.minimum(one_xyxy_px[2:], other_xyxy_px[2:])
    shared = float(np.prod(np.maximum(high - low, 0.0)))
    return shared / (_area(one_xyxy_px) + _area(other_xyxy_px) - shared) if shared > 0 else 0.0


def _area(box_xyxy_px: NDArray[np.float64]) -> float:
    return float(np.prod(box_xyxy_px[2:] - box_xyxy_px[:2]))


def _nearest_rows(pts_seconds: NDArray[np.float64], wanted_seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    """(K,) row of ``pts_seconds`` nearest to each wanted time, -1 where none is within ``TRACK_REACH_SECONDS``."""
    after = np.clip(np.searchsorted(pts_seconds, wanted_seconds), 0, len(pts_seconds) - 1)
    before = np.maximum(after - 1, 0)
    closer = np.abs(pts_seconds[before] - wanted_seconds) <= np.abs(pts_seconds[after] - wanted_seconds)
    rows = np.where(closer, before, after)
    rows[np.abs(pts_seconds[rows] - wanted_seconds) > TRACK_REACH_SECONDS] = -1
    return rows
