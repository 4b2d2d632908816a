"""What one node costs: measured around its calls, so that waiting on an edge never counts as work."""

from __future__ import annotations

import time

from videohoi.graph.histogram import DurationHistogram


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
