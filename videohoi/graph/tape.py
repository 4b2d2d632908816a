"""The place in a graph where a run can be recorded or replayed; this one does neither."""

from __future__ import annotations

from typing import Any

from videohoi.graph.clock import Clock
from videohoi.graph.edge import Edge, EdgePolicy


class Tape:
    """Sees every item the source yields and makes the edges. Called by the threads of the stages."""

    item_limit: int | None = None
    """the source is read no further than this; None: to its end"""

    def begin(self, source_id: str) -> None:
        """The source is open; called before any thread starts. Raises ``SinkError``."""

    def read(self, number: int, item: object) -> None:
        """Item ``number`` (from 0) came out of the source. Raises ``InputError`` or ``SinkError``."""

    def ended(self, count: int) -> None:
        """The source ended by itself after ``count`` items. Raises ``InputError``."""

    def edge(self, number: int, name: str, policy: EdgePolicy, clock: Clock) -> Edge[Any]:
        """The edge of this number."""
        return Edge(name, policy, clock)

    def finish(self, source_ended: bool, cut: bool) -> None:
        """The run is over; called after the last thread. ``cut``: items in flight were lost. Raises ``SinkError``."""

    def notes(self) -> tuple[str, ...]:
        """For the run report."""
        return ()


NO_TAPE = Tape()
"""what a graph uses unless told otherwise; it has no state"""
