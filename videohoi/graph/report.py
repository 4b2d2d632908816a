"""What a run did: counts, times and notes. Plain values, ready for JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from videohoi.graph.histogram import DurationSummary


@dataclass(frozen=True)
class NodeReport:
    """The source or one node."""

    name: str
    items_in: int
    """items processed; for the source, items read"""
    items_out: int
    process: DurationSummary
    """of ``process``; for the source, of reading one item, which includes waiting for a camera"""
    busy_seconds: float
    """inside the node's own code, drain included; never time spent waiting on an edge"""
    cpu_seconds: float
    """CPU time of the node's own thread (``time.thread_time``); a library's inner thread pool is not in it"""
    busy_share: float
    """busy_seconds over its stage's, 0 to 1"""


@dataclass(frozen=True)
class StageReport:
    """One thread."""

    name: str
    busy_seconds: float
    busy_share: float
    """busy_seconds over the run's wall_seconds, 0 to 1; the stage nearest to 1 sets the pace"""
    cpu_seconds: float
    cpu_share: float
    """cpu_seconds over those of all stages, 0 to 1"""
    nodes: tuple[NodeReport, ...]


@dataclass(frozen=True)
class EdgeReport:
    """One hand-off between threads; ``items_in == items_out + dropped + stale + discarded + waiting``."""

    name: str
    policy: str
    capacity: int
    items_in: int
    items_out: int
    dropped: int
    """made room for newer ones"""
    stale: int
    """older than the staleness budget"""
    discarded: int
    """in flight when the run was cut"""
    waiting: int


@dataclass(frozen=True)
class RunReport:
    """A whole run."""

    plan: str
    """``Graph.describe()``"""
    policy: str
    """``lossless``, or ``latest`` if any edge may drop"""
    source_id: str
    frames_in: int
    """items read from the source"""
    frames_out: int
    """items that left the last stage of the trunk (before branches)"""
    frames_dropped: int
    """dropped or stale on trunk edges, and refused by the source's time check"""
    open_seconds: float
    """opening the source and all nodes"""
    wall_seconds: float
    """first thread started to last thread ended"""
    frames_per_second: float
    """frames_out over wall_seconds"""
    first_result_seconds: float | None
    """from the call of run or iterate, opening included; None without a result"""
    age: DurationSummary | None
    """capture to the end of the graph, of live frames; None for files"""
    stages: tuple[StageReport, ...]
    edges: tuple[EdgeReport, ...]
    complete: bool
    """every item of the source went through and every node was drained"""
    interrupted: bool
    """stopped from outside: KeyboardInterrupt, ``Graph.stop`` or leaving ``iterate`` early"""
    notes: tuple[str, ...] = ()
    """one sentence each, for people"""

    def to_dict(self) -> dict[str, Any]:
        """As plain dicts, lists, numbers and strings."""
        return plain_dict(self)


def plain_dict(report: Any) -> dict[str, Any]:
    """A report (a dataclass of plain values) as plain dicts, lists, numbers and strings."""
    plain: dict[str, Any] = _lists(asdict(report))
    return plain


def _lists(value: Any) -> Any:
    """Tuples as lists, all the way down, so that the value equals what JSON gives back."""
    if isinstance(value, dict):
        return {key: _lists(inner) for key, inner in value.items()}
    return [_lists(inner) for inner in value] if isinstance(value, (tuple, list)) else value
