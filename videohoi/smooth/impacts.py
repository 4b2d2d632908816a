"""Kicks, hits, throws and catches: moments at which an object's velocity changes beside a human.

The moment is found from the tracks alone (a jump of the velocity that gravity cannot make, within a human's reach);
which verb it is follows from where the contact lies on the human and from the speed before and after it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.smooth.config import BALL_LOOKALIKES, ImpactConfig
from videohoi.smooth.motion import TrackBoxes, Vector, sizes_px
from videohoi.smooth.pair_table import ON, PairKey, PairTable
from videohoi.vocabulary import Vocabulary

SLOW_HEIGHTS_PER_SECOND = 0.5
"""relative to the human, a thing slower than this is in the hand"""
LEAST_HEIGHT_SIZES = 3.0
"""a human box lower than this many object sizes shows only a part (a hand): the object sets the scale instead"""


@dataclass(frozen=True)
class Impact:
    """A velocity change of an object near a human."""

    pts_seconds: float
    change_heights_per_second: float
    at_foot: bool
    slow_before: bool
    """the object moved with the human before"""
    slow_after: bool
    """the object moves with the human afterwards"""

    def verbs(self) -> tuple[str, ...]:
        """Verbs that fit, the likeliest first."""
        if self.at_foot and not self.slow_after:
            return ("kick", "hit")
        if self.slow_before and not self.slow_after:
            return ("throw", "hit")
        if self.slow_after and not self.slow_before:
            return ("catch",)
        return ("hit", "catch") if not (self.slow_before and self.slow_after) else ()

    def score(self, config: ImpactConfig) -> float:
        """In [0.5, 1): 0.5 at the least change that counts, growing with the change."""
        return float(1 - 0.5 ** (self.change_heights_per_second / config.least_change_heights_per_second))


@dataclass(frozen=True, repr=False)
class Changes:
    """Velocity changes of the objects of n pairs at one time; arrays (n,)."""

    pts_seconds: float
    heights_per_second: Vector
    """-1 where it cannot be measured or lies out of the human's reach"""
    at_foot: NDArray[np.bool_]
    slow_before: NDArray[np.bool_]
    slow_after: NDArray[np.bool_]

    def impact(self, place: int) -> Impact | None:
        """That of one pair; None where there is none."""
        change = float(self.heights_per_second[place])
        flags = (bool(flag[place]) for flag in (self.at_foot, self.slow_before, self.slow_after))
        return None if change < 0 else Impact(self.pts_seconds, change, *flags)


def measure_changes(
    tracks: TrackBoxes, humans: NDArray[np.int64], objects: NDArray[np.int64], at_seconds: float, config: ImpactConfig
) -> Changes:
    """Velocity changes at ``at_seconds`` of the objects in track columns ``objects`` (n,) beside ``humans`` (n,)."""
    begin, end = at_seconds - config.half_window_seconds, at_seconds + config.half_window_seconds
    window, earlier, later = (tracks.window(*span) for span in ((begin, end), (begin, at_seconds), (at_seconds, end)))
    before, after = earlier.velocities[objects], later.velocities[objects]
    nearest = window.nearest(at_seconds)
    human_boxes, boxes = nearest[humans], nearest[objects]
    heights = np.maximum(human_boxes[:, 3] - human_boxes[:, 1], LEAST_HEIGHT_SIZES * sizes_px(boxes))
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    known = (earlier.counts[objects] >= 2) & (later.counts[objects] >= 2) & (window.counts[humans] > 0)
    known &= outside_px(centres, human_boxes) <= config.reach_heights * heights
    drift = np.where(window.moving[humans, None], window.velocities[humans], 0.0)
    return Changes(
        pts_seconds=at_seconds,
        heights_per_second=np.where(known, _lengths(after - before) / heights, -1.0),
        at_foot=(human_boxes[:, 3] - centres[:, 1]) / heights < config.foot_share,
        slow_before=_lengths(before - drift) / heights < SLOW_HEIGHTS_PER_SECOND,
        slow_after=_lengths(after - drift) / heights < SLOW_HEIGHTS_PER_SECOND,
    )


def any_jump(tracks: TrackBoxes, at_seconds: float, config: ImpactConfig) -> bool:
    """Some track changes its velocity by enough for an impact of a thing of its size on the smallest human.

    Most frames have none, and need no look at pairs.
    """
    begin, end = at_seconds - config.half_window_seconds, at_seconds + config.half_window_seconds
    earlier, later = tracks.window(begin, at_seconds), tracks.window(at_seconds, end)
    sizes = sizes_px(tracks.window(begin, end).nearest(at_seconds))
    least = config.least_change_heights_per_second * LEAST_HEIGHT_SIZES * sizes
    known = (earlier.counts >= 2) & (later.counts >= 2)
    return bool((known & (_lengths(later.velocities - earlier.velocities) >= least)).any())


def _lengths(vectors: Vector) -> Vector:
    result: Vector = np.hypot(vectors[:, 0], vectors[:, 1])
    return result


def outside_px(points: Vector, boxes_xyxy_px: Vector) -> Vector:
    """(n,) distances of points (n, 2) from boxes (n, 4); 0 inside."""
    beyond = np.maximum(np.maximum(boxes_xyxy_px[:, :2] - points, points - boxes_xyxy_px[:, 2:]), 0.0)
    return _lengths(beyond)


class ImpactPeaks:
    """Picks the local maxima of one pair's velocity change over time."""

    def __init__(self, config: ImpactConfig) -> None:
        self.config = config
        self._rising: Impact | None = None
        self._last_seconds = -np.inf

    @property
    def is_rising(self) -> bool:
        """A maximum may be passing: measurements too weak to count matter as well."""
        return self._rising is not None

    def update(self, impact: Impact | None, at_seconds: float) -> Impact | None:
        """Feed the measurement at ``at_seconds``; returns an impact once its peak has passed."""
        strong = (
            impact is not None
            and impact.change_heights_per_second >= self.config.least_change_heights_per_second
            and at_seconds - self._last_seconds >= self.config.refractory_seconds
        )
        if strong and impact is not None:
            grows = self._rising is None or (impact.change_heights_per_second > self._rising.change_heights_per_second)
            if grows:
                self._rising = impact
                return None
        peak, waited = self._rising, at_seconds - (self._rising.pts_seconds if self._rising else at_seconds)
        if peak is not None and (not strong or waited >= self.config.half_window_seconds):
            self._rising, self._last_seconds = None, peak.pts_seconds
            return peak
        return None


@dataclass(frozen=True)
class Momentary:
    """An impact with the words for it."""

    row: int
    """of the pair table"""
    verb: int
    class_id: int
    """of the object: what is kicked and looks like a ball is one"""
    pts_seconds: float
    score: float


class ImpactFinder:
    """Finds the momentary verbs of one source."""

    def __init__(self, vocabulary: Vocabulary, config: ImpactConfig) -> None:
        self._vocabulary = vocabulary
        self._config = config
        self._dribble = np.flatnonzero([verb == "dribble" for verb in vocabulary.verbs])
        self._peaks: dict[PairKey, ImpactPeaks] = {}

    def forget(self, pairs: list[PairKey]) -> None:
        """Those pairs are gone."""
        for key in pairs:
            self._peaks.pop(key, None)

    def find(
        self, table: PairTable, rows: NDArray[np.int64], tracks: TrackBoxes, newest_seconds: float
    ) -> list[Momentary]:
        """What became known with the frame at ``newest_seconds``, in the order of ``rows``; notes who was kicked."""
        at = newest_seconds - self._config.half_window_seconds
        rising = {key for key, peaks in self._peaks.items() if peaks.is_rising}
        if not rising and not any_jump(tracks, at, self._config):
            return []
        humans, objects = tracks.columns_of(table.human_ids[rows]), tracks.columns_of(table.object_ids[rows])
        changes = measure_changes(tracks, humans, objects, at, self._config)
        strong = changes.heights_per_second >= self._config.least_change_heights_per_second
        found = []
        for place, row in enumerate(rows.tolist()):
            key = (int(table.human_ids[row]), int(table.object_ids[row]))
            if strong[place] or key in rising:
                peaks = self._peaks.setdefault(key, ImpactPeaks(self._config))
                impact = peaks.update(changes.impact(place), at)
                if impact is not None:
                    found += self._told(table, row, impact)
        return found

    def _told(self, table: PairTable, row: int, impact: Impact) -> list[Momentary]:
        if impact.at_foot and not impact.slow_after:
            table.kicked_seconds[row] = impact.pts_seconds
        score = impact.score(self._config)
        weak = impact.at_foot and score < self._config.dribble_score
        words = self._words(impact, int(table.class_ids[row]))
        if words is None or (weak and (table.phase[row, self._dribble] == ON).any()):
            return []  # an impact by the foot is part of the dribbling
        return [Momentary(row, *words, impact.pts_seconds, score)]

    def _words(self, impact: Impact, class_id: int) -> tuple[int, int] | None:
        """Verb and object class of an impact, decided together."""
        vocabulary = self._vocabulary
        name = vocabulary.objects[class_id]
        names = (name, "sports_ball") if name in BALL_LOOKALIKES else (name,)
        for verb in impact.verbs():
            for name in names:
                known = verb in vocabulary.verbs and name in vocabulary.objects
                if known and vocabulary.valid[vocabulary.objects.index(name), vocabulary.verbs.index(verb)]:
                    return vocabulary.verbs.index(verb), vocabulary.objects.index(name)
        return None
