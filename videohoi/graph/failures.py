"""Failures with the name of who failed, open parts that are closed exactly once, and a chain that loses no failure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from videohoi.errors import StageError

Result = TypeVar("Result")


def attributed(stage: str, source_id: str, frame_index: int | None, call: Callable[[], Result]) -> Result:
    """``call()``; whatever it raises becomes the cause of a ``StageError``.

    One that names ``stage`` already goes through as it is: who raised it may know the frame better.
    """
    try:
        return call()
    except BaseException as cause:
        if isinstance(cause, StageError) and cause.stage == stage:
            raise
        raise StageError(stage, source_id, frame_index, cause) from cause


class OpenParts:
    """What is open, in pipeline order. Closing takes a part out first, so no part is ever closed twice."""

    def __init__(self) -> None:
        self._closers: dict[str, Callable[[bool], None]] = {}

    def add(self, name: str, close: Callable[[bool], None]) -> None:
        """Remember how to close ``name``; ``close`` gets whether the stream is complete."""
        self._closers[name] = close

    @property
    def names(self) -> tuple[str, ...]:
        """What is open now."""
        return tuple(self._closers)

    def close(self, name: str, source_id: str, *, complete: bool) -> StageError | None:
        """Close ``name`` if it is open; gives the failure instead of raising it, so that the others get their turn."""
        close = self._closers.pop(name, None)
        if close is None:
            return None
        try:
            attributed(name, source_id, None, partial(close, complete))
        except StageError as failure:
            return failure
        return None


def chained(failures: list[StageError]) -> StageError:
    """The first failure, with the others at the end of its chain of contexts, so that a traceback shows them all."""
    first = failures[0]
    for other in failures[1:]:
        chain = _chain(first)
        # A part that raises the very same exception again in close adds nothing, and would make the chain a circle.
        if not set(map(id, chain)) & set(map(id, _chain(other))):
            chain[-1].__context__ = other
    return first


def _chain(failure: BaseException) -> list[BaseException]:
    """A failure, its cause, that one's cause, ..."""
    chain: list[BaseException] = []
    link: BaseException | None = failure
    while link is not None and all(link is not known for known in chain):
        chain.append(link)
        link = link.__cause__ or link.__context__
    return chain
