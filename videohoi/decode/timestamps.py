"""Media time that strictly increases, whatever the container says."""

from __future__ import annotations

import math
from collections import deque
from statistics import median

from videohoi.decode.protocol import SourceReport

NUDGE_SECONDS = 1e-3
"""how far a stamp that did not increase is moved past the previous one: the time unit of most containers"""
CLOCK_BREAK_SECONDS = 1.0
"""a stamp further back than this means that the clock restarted (joined recordings), not a frame out of order"""
STEPS_REMEMBERED = 5
"""recent steps whose median replaces a missing one: few, to follow a variable rate; odd, to have a middle one"""


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
