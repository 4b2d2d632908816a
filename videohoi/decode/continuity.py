"""What makes the frames of a source comparable: times that increase, and pictures of one size.

Pictures are never stretched to another shape, and boxes on both sides of a change of size are not compared.
"""

from __future__ import annotations

import math
from collections import deque
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from videohoi.decode.protocol import SourceReport
from videohoi.structures import Discontinuity

NUDGE_SECONDS = 1e-3
"""how far a stamp that did not increase is moved past the previous one: the time unit of most containers"""
CLOCK_BREAK_SECONDS = 1.0
"""a stamp further back than this means that the clock restarted (joined recordings), not a frame out of order"""
STEPS_REMEMBERED = 5
"""recent steps whose median replaces a missing one: few, to follow a variable rate; odd, to have a middle one"""
SAME_SHAPE = 0.02
"""relative difference of two aspect ratios that is rounding: encoders round sides to multiples of 2, 8 or 16 px"""


class TimestampRepair:
    """Turns stated stamps into strictly increasing seconds, 0 or later; counts what it had to change.

    A good stamp is passed on as it is. A missing one is the previous plus the usual step. One that does not increase
    is moved just past the previous. When the clock restarts, later stamps continue one step after the previous frame;
    if it turns out that only a single frame was wrong, the former clock is used again.
    """

    def __init__(self, report: SourceReport, nominal_step_seconds: float) -> None:
        self._report = report
        self._steps: deque[float] = deque([nominal_step_seconds], maxlen=STEPS_REMEMBERED)
        self._offset_seconds = 0.0
        self._former_offset_seconds = 0.0
        self.first_seconds: float | None = None
        """time of the first frame; None before it"""
        self.last_seconds: float | None = None
        """time of the latest frame; None before the first"""

    @property
    def step_seconds(self) -> float:
        """The median time between recent frames."""
        return median(self._steps)

    def place(self, stamp_seconds: float | None) -> float:
        """The time of the next frame, given what its input states (None or not finite: nothing)."""
        if stamp_seconds is None or not math.isfinite(stamp_seconds):
            self._report.missing_timestamps += 1
            placed = 0.0 if self.last_seconds is None else self.last_seconds + self.step_seconds
        elif self.last_seconds is None:
            self._offset_seconds = self._former_offset_seconds = max(0.0, -stamp_seconds)
            placed = stamp_seconds + self._offset_seconds
        else:
            placed = self._after(self.last_seconds, stamp_seconds)
        if self.last_seconds is not None:  # beyond what a float resolves, "just past" is the next float
            placed = max(placed, math.nextafter(self.last_seconds, math.inf))
        self.first_seconds = placed if self.first_seconds is None else self.first_seconds
        self.last_seconds = placed
        return placed

    def _after(self, last_seconds: float, stamp_seconds: float) -> float:
        placed = stamp_seconds + self._offset_seconds
        former = stamp_seconds + self._former_offset_seconds
        if last_seconds < former < placed and former - last_seconds <= CLOCK_BREAK_SECONDS:
            self._offset_seconds, placed = self._former_offset_seconds, former
        if placed > last_seconds:
            self._steps.append(placed - last_seconds)
            return placed
        self._report.repaired_timestamps += 1
        if last_seconds - placed > CLOCK_BREAK_SECONDS:
            return self._restart_clock(last_seconds, stamp_seconds)
        return last_seconds + min(NUDGE_SECONDS, self.step_seconds / 10)

    def _restart_clock(self, last_seconds: float, stamp_seconds: float) -> float:
        placed = last_seconds + self.step_seconds
        self._former_offset_seconds, self._offset_seconds = self._offset_seconds, placed - stamp_seconds
        self._report.notes.append(
            f"the clock jumped back after {last_seconds:.3f} s; later time stamps go on from there"
        )
        return placed


class PictureSizes:
    """Gives each picture the size in which its boxes are comparable with those before it.

    A picture of the same shape but smaller, as adaptive streaming sends when the network is slow, is enlarged to the
    size in use: nothing breaks. A larger one becomes the size in use, so that a recording that starts
    tiny is not shrunk. Growth and another shape are discontinuities: boxes before and after share no pixels.
    """

    def __init__(self) -> None:
        self._size_px: tuple[int, int] | None = None

    def fit(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Discontinuity | None]:
        """``image`` (H, W, 3) in the size in use, and the discontinuity if it changes that size."""
        size_px = (image.shape[1], image.shape[0])
        if self._size_px is None or size_px == self._size_px:
            self._size_px = size_px
            return image, None
        if _same_shape(size_px, self._size_px) and size_px[0] <= self._size_px[0]:
            enlarged = cv2.resize(image, self._size_px, interpolation=cv2.INTER_LINEAR)
            return np.asarray(enlarged, np.uint8), None
        self._size_px = size_px
        return image, Discontinuity.PICTURE_SIZE


def _same_shape(size_px: tuple[int, int], other_px: tuple[int, int]) -> bool:
    ratio = (size_px[0] * other_px[1]) / (size_px[1] * other_px[0])
    return abs(ratio - 1.0) <= SAME_SHAPE
