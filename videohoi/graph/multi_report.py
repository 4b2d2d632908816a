"""What a run over several sources did. Plain values, ready for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from videohoi.graph.batch_report import BatchReport
from videohoi.graph.report import RunReport, plain_dict


@dataclass(frozen=True)
class MultiReport:
    """Several sources, one graph each."""

    sources: Mapping[str, RunReport]
    """by the names given to ``MultiGraph``"""
    failures: Mapping[str, str]
    """of the sources that failed: one line each"""
    batches: tuple[BatchReport, ...]
    """of the models they share"""
    wall_seconds: float
    interrupted: bool
    """stopped from outside: KeyboardInterrupt or ``MultiGraph.stop``"""
    notes: tuple[str, ...] = ()
    """one sentence each, for people; those of one source are in its own report"""

    @property
    def complete(self) -> bool:
        """Every source was read to its end and drained."""
        return all(report.complete for report in self.sources.values())

    def to_dict(self) -> dict[str, Any]:
        """As plain dicts, lists, numbers and strings."""
        return {**plain_dict(self), "complete": self.complete}
