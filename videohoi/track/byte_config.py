"""What can be set of the tracker, and where each default comes from.

"BYTE" below is Zhang et al., "ByteTrack", ECCV 2022, arXiv 2110.06864, and the public code's defaults at 30 frames/s.
Times are seconds. A length in "sizes" is a multiple of the geometric mean of a box's sides, sqrt(width * height).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from videohoi.errors import ConfigError
from videohoi.ranges import MOST_SECONDS, Count, NotNegative, PositiveSeconds, Range, Seconds, Share, check_ranges

GRACE_SECONDS = 1e-6
"""sums of frame times miss round limits by rounding; no time that matters is shorter"""
LEAST_LOST_STEPS = 1.5
"""a track missed in no frame goes on, however far frames are apart"""


@dataclass(frozen=True)
class ByteConfig:
    """Settings of ``ByteTracker``; a value out of its range is a ``ConfigError``."""

    high_score: Share = 0.4
    """rows from here up are associated first. BYTE 0.5-0.6 for a strong person detector; small detectors score lower"""
    low_score: Share = 0.1
    """rows from here up to ``high_score`` may continue a track, never start one; lower ones get -1. BYTE 0.1"""
    new_track_score: Share = 0.4
    """rows from here up may start a track. BYTE: high_score + 0.1; equal here, as two hits are asked for anyway"""
    high_iou: Share = 0.1
    """least IoU of a high object row with a place its track may be. BYTE gates IoU * score at 0.2; here the score ranks
    the candidates and does not gate them, so that a low-scoring detector is not held to a higher overlap"""
    human_iou: Share = 0.4
    """the same for humans. From one frame to the next a human overlaps itself by far more, also at 10 Hz; where people
    pass each other, a weaker overlap is more often a neighbour of the hidden person (BYTE's 0.2 at a score of 0.5)"""
    low_iou: Share = 0.4
    """the same for low rows of either. BYTE 0.5"""
    switch_iou: Share = 0.6
    """least IoU at which an object row continues a track of another object class (never human to object or back)"""
    human_reach_sizes: NotNegative = 0.5
    """when nothing overlaps, a human row may lie this far from the track, in sizes; C-BIoU (Yang et al., WACV 2023,
    arXiv 2211.14317) widens boxes by 0.3 and then 0.5 of a side for the same reason"""
    object_reach_sizes: NotNegative = 2.0
    """the same for objects of a known class: small things cover several of their sizes between two frames"""
    reach_sigmas: NotNegative = 3.0
    """... plus this many standard deviations of the predicted centre (the gate of SORT-like trackers; 3 sigma)"""
    reach_limit_sizes: NotNegative = 5.0
    """... but never further than this"""
    reach_size_ratio: Share = 0.5
    """smaller over larger size of row and track below which distance says nothing"""
    known_class_share: Share = 0.2
    """share of a track's votes from which a class counts as known to it in the distance round"""
    duplicate_iou: Share = 0.8
    """two object rows of different classes that overlap by more are one object, which class-aware suppression leaves
    twice: one is tracked, the other gets -1; 1 switches this off"""
    part_cover: Annotated[float, Range(0.0, 2.0)] = 0.9
    """share of a human's box inside another's from which it may be a part of that body (``body_parts``); over 1: off"""
    confirm_hits: Count = 2
    """rows a new track needs before it gets an id. BYTE 2"""
    confirm_seconds: Seconds = 0.03
    """... and how long it must have been seen. 0.03: two frames at 25-30 Hz, as BYTE; three at 60 Hz"""
    unconfirmed_seconds: Seconds = 0.12
    """an unconfirmed track not seen for longer (but for one frame at least, as BYTE) is dropped: three at 25-30 Hz"""
    lost_seconds: PositiveSeconds = 1.0
    """an object not seen for longer has ended; a jump in time by more ends all. BYTE: 30 frames at 30 Hz"""
    human_lost_seconds: PositiveSeconds = 2.0
    """the same for humans, who walk behind objects and return, and must be confirmed to get their id back"""
    vote_tau_seconds: PositiveSeconds = 5.0
    """memory of the class vote: a vote weighs score * exp(-age / tau)"""
    rename_ratio: Annotated[float, Range(1.0, 1000.0)] = 1.25
    """how many times the votes of the present class another one needs to replace it, so that names do not flicker"""
    position_noise_sizes: NotNegative = 0.27
    """random walk of the centre and sides, sizes per sqrt(second). BYTE: 1/20 a frame = 1/20 * sqrt(30)"""
    human_speed_noise_sizes: NotNegative = 1.0
    """random walk of a human's speed, sizes/s per sqrt(second). BYTE: 1/160 a frame = 30/160 * sqrt(30)"""
    object_speed_noise_sizes: NotNegative = 12.0
    """the same for objects: things in hands and at feet change speed by many of their sizes/s at once"""
    measurement_noise_sizes: NotNegative = 0.05
    """standard deviation of a detected centre or side. BYTE 1/20"""
    human_first_speed_sizes: NotNegative = 1.9
    """standard deviation of a new human's speed, sizes/s. BYTE: 10/160 a frame = 10/160 * 30"""
    object_first_speed_sizes: NotNegative = 20.0
    """the same for objects"""
    growth_tau_seconds: PositiveSeconds = 0.3
    """the speed at which a box grows or shrinks decays with this time constant, seen or not"""
    coast_tau_seconds: PositiveSeconds = 0.4
    """the speed of an object that is not seen decays with this time constant: it was put down or is in a hand"""
    human_coast_tau_seconds: PositiveSeconds = 2.0
    """the same for humans, who walk on behind objects. BYTE: no decay"""
    min_dt_seconds: PositiveSeconds = 1e-3
    """least step of the clock: equal and slightly backward stamps count as this"""

    def for_frame_step(self, step_seconds: float) -> ByteConfig:
        """These settings for a source with a frame every ``step_seconds`` (0: unknown).

        Where frames are farther apart than a track lives unseen (a time-lapse), a track lives until the next frame and
        half a step more, and is found again by overlap or close by, since its motion cannot be extrapolated that far.
        """
        if step_seconds <= self.lost_seconds:
            return self
        least = min(LEAST_LOST_STEPS * step_seconds, MOST_SECONDS)
        return replace(
            self, lost_seconds=least, human_lost_seconds=max(least, self.human_lost_seconds), reach_sigmas=0.0
        )

    def __post_init__(self) -> None:
        check_ranges(self, "track")
        if not self.low_score <= self.high_score <= self.new_track_score:
            raise ConfigError(
                "track: expected low_score <= high_score <= new_track_score, "
                f"got {self.low_score}, {self.high_score}, {self.new_track_score}"
            )
