"""The time limits of a graph: which are allowed, and who has passed one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from videohoi.errors import StageError, UsageError
from videohoi.graph.shutdown import Urgency
from videohoi.graph.stage import StageThread


def check_limits(**seconds: float) -> None:
    """``UsageError`` for a limit that would never come or lies in the past (``inf`` means no limit)."""
    for name, value in seconds.items():
        if not value >= 0:
            raise UsageError(f"{name}={value}: expected seconds, 0 or more")


@dataclass(frozen=True)
class Limits:
    """Of one ``Graph``; see there. ``UsageError`` for one that is negative or no number."""

    open_seconds: float
    item_seconds: float
    drain_seconds: float
    stop_seconds: float
    finish_seconds: float
    close_seconds: float

    def __post_init__(self) -> None:
        check_limits(**vars(self))

    def to_close(self, urgency: Urgency, failed: bool) -> float | None:
        """For closing all parts; None: as long as it takes."""
        if failed or urgency == Urgency.ABORT:
            return self.close_seconds
        return None if urgency == Urgency.NONE else self.finish_seconds

    def overdue(self, stages: Iterable[StageThread]) -> StageError | None:
        """The failure of the first node that has been busy with one item for too long."""
        for stage in stages:
            if stage.running and (stuck := stage.stuck(self.item_seconds)) is not None:
                cause = TimeoutError(f"it did not return within {self.item_seconds:g} s")
                return StageError(stuck[0], stage.source_id, None, cause)
        return None
