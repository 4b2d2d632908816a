"""Clocks, meters of one part, and a histogram of durations in constant memory."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """A clock that never goes back; the zero point has no meaning."""

    def now(self) -> float:
        """Seconds."""
        ...


class MonotonicClock:
    """The machine's monotonic clock, the one ``Frame.captured_seconds`` is read from."""

    def now(self) -> float:
        """Seconds of ``time.monotonic``."""
        return time.monotonic()


class Meter:
    """Wall and CPU time of one node, measured around its calls by its own thread; about 1 us a call."""

    def __init__(self) -> None:
        self.durations = DurationHistogram()
        """of the calls that took an item"""
        self.busy_seconds = 0.0
        self.cpu_seconds = 0.0
        """of the node's own thread; pools that a library starts inside (OpenCV, ONNX Runtime) are not in it"""
        self.items_in = 0
        self.items_out = 0
        self.is_running = False
        """inside a call now"""
        self._wall_start = 0.0
        self._cpu_start = 0.0

    def start(self) -> None:
        """Begin a call."""
        self._wall_start = time.perf_counter()
        self._cpu_start = time.thread_time()
        self.is_running = True

    def since_start(self) -> float:
        """Wall seconds since the last call began."""
        return time.perf_counter() - self._wall_start

    def stop(self) -> float:
        """End a call; gives its wall seconds."""
        self.is_running = False
        self.cpu_seconds += time.thread_time() - self._cpu_start
        wall_seconds = time.perf_counter() - self._wall_start
        self.busy_seconds += wall_seconds
        return wall_seconds

    def stop_item(self, items_out: int) -> None:
        """End a call that took one item."""
        self.durations.add(self.stop())
        self.items_in += 1
        self.items_out += items_out


LOWEST_SECONDS = 1e-6
"""durations below one microsecond share one bin: the clock resolves no finer"""
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
    """Counts durations in log-spaced bins (9 KB at most). One thread adds; reading meanwhile is safe but may lag."""

    def __init__(self) -> None:
        self._bins: dict[int, int] = {}
        self.count = 0
        self.total_seconds = 0.0
        self._least_seconds = math.inf
        self._most_seconds = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration; a negative one (clocks of two machines) counts as 0."""
        seconds = max(seconds, 0.0)
        position = self._bin(seconds)
        self._bins[position] = self._bins.get(position, 0) + 1
        self.count += 1
        self.total_seconds += seconds
        self._least_seconds = min(self._least_seconds, seconds)
        self._most_seconds = max(self._most_seconds, seconds)

    def percentile_seconds(self, fraction: float) -> float:
        """The duration of nearest rank ceil(fraction * count), within 1 %; 0 when empty."""
        # A tiny step down, since 0.07 * 100 = 7.000000000000001 must still be rank 7.
        rank = max(1, math.ceil(fraction * self.count - 1e-9))
        seen = 0
        for position, count in sorted(self._bins.copy().items()):
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
