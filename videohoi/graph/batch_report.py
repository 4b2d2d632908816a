"""What a shared model did, and for whom. Plain values, ready for JSON."""

from __future__ import annotations

from dataclasses import dataclass

from videohoi.graph.histogram import DurationSummary


@dataclass(frozen=True)
class LaneReport:
    """One source's part; ``items_in == items_out + failed + discarded + waiting``."""

    source_id: str
    items_in: int
    items_out: int
    """results given back to the source's graph"""
    failed: int
    """items the model raised on, alone"""
    discarded: int
    """the source's graph was cut before it took the result"""
    waiting: int
    """for the model, or with it"""


@dataclass(frozen=True)
class BatchReport:
    """A model shared by several sources."""

    name: str
    batches: int
    items: int
    """items that left in batches"""
    full: int
    """batches that left because they were full"""
    waited: int
    """batches that left because the oldest item had waited long enough"""
    nobody_else: int
    """batches that left because every source was waiting for its result"""
    retried: int
    """batches that failed and were tried again item by item"""
    wait: DurationSummary
    """of each item, from arrival until its batch left"""
    process: DurationSummary
    """of each batch, inside the model"""
    busy_seconds: float
    cpu_seconds: float
    """of the model's own thread; a library's inner pool is not in it"""
    lanes: tuple[LaneReport, ...]

    @property
    def mean_size(self) -> float:
        """Items a batch; 0 without any."""
        return self.items / self.batches if self.batches else 0.0
