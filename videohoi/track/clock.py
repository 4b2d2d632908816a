"""A tracker's clock: steps from media stamps, never backward."""

from __future__ import annotations


class StampClock:
    """Turns stamps into steps of at least ``min_dt_seconds``; a jump of more than ``jump_seconds`` starts it anew."""

    def __init__(self, min_dt_seconds: float, jump_seconds: float) -> None:
        self._min_dt_seconds = min_dt_seconds
        self._jump_seconds = jump_seconds
        self.restart()

    def restart(self) -> None:
        """Forget the past."""
        self._last_pts: float | None = None
        self.dt_seconds = self._min_dt_seconds
        """step to the current frame"""
        self.now_seconds = 0.0
        """sum of the steps"""
        self.previous_seconds = 0.0
        """``now_seconds`` at the previous frame"""

    @property
    def at_first_frame(self) -> bool:
        """At most one step since the start."""
        return self.previous_seconds == 0.0

    def tick(self, pts_seconds: float) -> bool:
        """Step to ``pts_seconds``; True if time jumped, forward or backward, and the clock started anew."""
        step = 0.0 if self._last_pts is None else pts_seconds - self._last_pts
        jumped = abs(step) > self._jump_seconds
        if jumped:
            self.restart()
            step = 0.0
        self._last_pts = pts_seconds
        self.dt_seconds = max(step, self._min_dt_seconds)
        self.previous_seconds = self.now_seconds
        self.now_seconds += self.dt_seconds
        return jumped
