"""Percentiles of durations in a fixed amount of memory."""

from __future__ import annotations

import math
from dataclasses import dataclass

LOWEST_SECONDS = 1e-6
"""durations below one microsecond share one bin: finer is beyond the clock's worth"""
HIGHEST_SECONDS = 1e4
"""durations above share the last bin; ``max_ms`` stays exact"""
BIN_RATIO = 1.02
"""upper over lower bound of a bin; its geometric middle is then within sqrt(1.02) - 1 < 1 % of any value in it"""
BIN_COUNT = 1 + math.ceil(math.log(HIGHEST_SECONDS / LOWEST_SECONDS) / math.log(BIN_RATIO))


@dataclass(frozen=True)
class DurationSummary:
    """Durations in milliseconds. All 0 when ``count`` is 0.

    Percentiles are nearest-rank, within 1 % of the sample of that rank (0.001 ms below 0.001 ms); mean and max are
    exact.
    """

    count: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class DurationHistogram:
    """Counts durations in log-spaced bins (about 9 KB). One thread adds; reading meanwhile is safe but may lag."""

    def __init__(self) -> None:
        self._bins = [0] * BIN_COUNT
        self.count = 0
        self.total_seconds = 0.0
        self._least_seconds = math.inf
        self._most_seconds = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration; a negative one (clocks of two machines) counts as 0."""
        seconds = max(seconds, 0.0)
        self._bins[self._bin(seconds)] += 1
        self.count += 1
        self.total_seconds += seconds
        self._least_seconds = min(self._least_seconds, seconds)
        self._most_seconds = max(self._most_seconds, seconds)

    def percentile_seconds(self, fraction: float) -> float:
        """The duration of nearest rank ceil(fraction * count), within 1 %; 0 when empty."""
        # A tiny step down, since 0.07 * 100 = 7.000000000000001 must still be rank 7.
        rank = max(1, math.ceil(fraction * self.count - 1e-9))
        seen = 0
        for position, count in enumerate(self._bins):
            seen += count
            if seen >= rank:
                middle = LOWEST_SECONDS * math.pow(BIN_RATIO, position - 0.5)
                return min(max(middle, self._least_seconds), self._most_seconds)
        return 0.0

    def summary(self) -> DurationSummary:
        """Count, mean, percentiles and maximum so far."""
        if self.count == 0:
            return DurationSummary(0, 0.0, 0.0, 0.0, 0.0, 0.0)
        p50, p95, p99 = (1e3 * self.percentile_seconds(fraction) for fraction in (0.50, 0.95, 0.99))
        return DurationSummary(
            self.count, 1e3 * self.total_seconds / self.count, p50, p95, p99, 1e3 * self._most_seconds
        )

    @staticmethod
    def _bin(seconds: float) -> int:
        if seconds < LOWEST_SECONDS:
            return 0
        return min(1 + int(math.log(seconds / LOWEST_SECONDS) / math.log(BIN_RATIO)), BIN_COUNT - 1)
