"""Kicks, hits, throws and catches: moments at which an object's velocity changes beside a human.

The moment is found from the tracks alone (a jump of the velocity that gravity cannot make, within a human's reach);
which verb it is follows from where the contact lies on the human and from the speed before and after it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from videohoi.smooth.config import ImpactConfig
from videohoi.smooth.history import BoxHistory, Vector, centres, size_px, slope

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
    window = config.half_window_seconds
    times, boxes = thing.between(at_seconds - window, at_seconds + window)
    human_times, human_boxes = human.between(at_seconds - window, at_seconds + window)
    before, after = times <= at_seconds, times >= at_seconds
    if before.sum() < 2 or after.sum() < 2 or len(human_times) == 0:  # a line needs two points
        return None
    middle = boxes[np.argmin(np.abs(times - at_seconds))]
    human_box = human_boxes[np.argmin(np.abs(human_times - at_seconds))]
    height = max(float(human_box[3] - human_box[1]), LEAST_HEIGHT_SIZES * size_px(middle))
    centre = centres(middle[None])[0]
    if outside_px(centre, human_box) > config.reach_heights * height:
        return None
    drift = slope(human_times, centres(human_boxes)) if len(human_times) > 1 else np.zeros(2)
    speed_in = slope(times[before], centres(boxes[before]))
    speed_out = slope(times[after], centres(boxes[after]))
    share_from_bottom = (human_box[3] - centre[1]) / height
    return Impact(
        pts_seconds=at_seconds,
        change_heights_per_second=float(np.hypot(*(speed_out - speed_in))) / height,
        at_foot=bool(share_from_bottom < config.foot_share),
        slow_before=bool(np.hypot(*(speed_in - drift)) / height < SLOW_HEIGHTS_PER_SECOND),
        slow_after=bool(np.hypot(*(speed_out - drift)) / height < SLOW_HEIGHTS_PER_SECOND),
    )


def outside_px(point: Vector, box_xyxy_px: Vector) -> float:
    """Distance of a point from a box; 0 inside."""
    return float(np.hypot(*np.maximum(np.maximum(box_xyxy_px[:2] - point, point - box_xyxy_px[2:]), 0.0)))


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
