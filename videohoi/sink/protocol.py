"""The interface of a sink, as the rest of the package uses it."""

from __future__ import annotations

from typing import Any, Protocol

from videohoi.structures import FrameResult, SourceInfo


class Sink(Protocol):
    """Takes results in frame order. Files appear atomically at ``close`` and are valid even if closed early."""

    name: str
    """stage name in errors and reports"""

    def open(self, info: SourceInfo, header: dict[str, Any]) -> None:
        """Begin an output for one source. ``header`` is the run's header (schema version, detector, policy, ...)."""
        ...

    def process(self, result: FrameResult) -> None:
        """Take one result."""
        ...

    def close(self, *, complete: bool) -> None:
        """Finish the files. ``complete`` is False after an interrupt or error: what was processed stays, valid."""
        ...

    def abort(self) -> None:
        """Remove partial output; nothing of it is left."""
        ...
