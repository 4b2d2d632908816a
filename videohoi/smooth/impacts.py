"""Kicks, hits, throws and catches: moments at which an object's velocity changes beside a human.

The moment is found from the tracks alone (a jump of the velocity that gravity cannot make, within a human's reach);
which verb it is follows from where the contact lies on the human and from the speed before and after it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from videohoi.smooth.config import ImpactConfig
from videohoi.smooth.history import BoxHistory, size_px
from videohoi.smooth.timed_rows import Vector

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


def measure_impact(human: BoxHistory, thing: BoxHistory, at_seconds: float, config: ImpactConfig) -> Impact | None:
    """Velocity change of ``thing`` at ``at_seconds`` if it lies within reach of ``human``; None otherwise."""
    begin, end = at_seconds - config.half_window_seconds, at_seconds + config.half_window_seconds
    human_seen = human.window(begin, end)
    speed_in, speed_out = thing.velocity(begin, at_seconds, 2), thing.velocity(at_seconds, end, 2)
    if speed_in is None or speed_out is None or len(human_seen) == 0:
        return None
    middle, human_box = thing.window(begin, end).nearest(at_seconds), human_seen.nearest(at_seconds)
    height = max(float(human_box[3] - human_box[1]), LEAST_HEIGHT_SIZES * size_px(middle))
    centre = (middle[:2] + middle[2:]) / 2
    if outside_px(centre, human_box) > config.reach_heights * height:
        return None
    drift = human.velocity(begin, end, 2)
    drift = np.zeros(2) if drift is None else drift
    share_from_bottom = (human_box[3] - centre[1]) / height
    return Impact(
        pts_seconds=at_seconds,
        change_heights_per_second=math.hypot(*(speed_out - speed_in).tolist()) / height,
        at_foot=bool(share_from_bottom < config.foot_share),
        slow_before=math.hypot(*(speed_in - drift).tolist()) / height < SLOW_HEIGHTS_PER_SECOND,
        slow_after=math.hypot(*(speed_out - drift).tolist()) / height < SLOW_HEIGHTS_PER_SECOND,
    )


def outside_px(point: Vector, box_xyxy_px: Vector) -> float:
    """Distance of a point from a box; 0 inside."""
    x, y = point.tolist()
    left, top, right, bottom = box_xyxy_px.tolist()
    return math.hypot(max(left - x, x - right, 0.0), max(top - y, y - bottom, 0.0))


class ImpactPeaks:
    """Picks the local maxima of one pair's velocity change over time."""

    def __init__(self, config: ImpactConfig) -> None:
        self.config = config
        self._rising: Impact | None = None
        self._last_seconds = -np.inf

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
