"""What the runtime needs of a source, and what it reads from the items that come out of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar, runtime_checkable

from videohoi.structures import Frame, FrameResult, SourceInfo

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)


class Source(Protocol[Item_co]):
    """Where items come from. Opened and closed in short-lived threads, read by the thread of the first stage."""

    def open(self) -> SourceInfo:
        """Open and say what is known."""
        ...

    def frames(self) -> Iterator[Item_co]:
        """The items, once, in order."""
        ...

    def close(self) -> None:
        """Release; called once, after the last item was read."""
        ...


@runtime_checkable
class Interruptible(Protocol):
    """A source that can be called out of its own waiting, such as a camera that waits to be connected again."""

    def interrupt(self) -> None:
        """``frames`` is to end soon; called from any thread, also inside a signal handler, and does not wait."""
        ...


class IterableSource(Generic[Item]):
    """Any iterable as a source; its own ``close``, if it has one, is called at the end."""

    def __init__(self, items: Iterable[Item], info: SourceInfo | None = None) -> None:
        self._items = items
        self._info = info or SourceInfo("items", 0, 0, None, None, None)

    def open(self) -> SourceInfo:
        """The info given, or one that names the source ``items`` and knows nothing else."""
        return self._info

    def frames(self) -> Iterator[Item]:
        """The items."""
        return iter(self._items)

    def close(self) -> None:
        """Close the iterable, if it can be closed."""
        close = getattr(self._items, "close", None)
        if close is not None:
            close()


def frame_of(item: object) -> Frame | None:
    """The frame an item is or carries; None for any other kind of item."""
    if isinstance(item, Frame):
        return item
    return item.frame if isinstance(item, FrameResult) else None


def captured_seconds_of(item: object) -> float | None:
    """When the item's frame was captured (monotonic clock); None for files and for other kinds of item."""
    frame = frame_of(item)
    return frame.captured_seconds if frame is not None else None


def notes_of(source: object) -> tuple[str, ...]:
    """What a source says went wrong while it was read (its ``report.notes``); nothing where it keeps no such notes."""
    return tuple(map(str, getattr(getattr(source, "report", None), "notes", ())))


class TimeGuard:
    """Refuses frames whose time does not increase, per source id."""

    def __init__(self) -> None:
        self._last_seconds: dict[str, float] = {}
        self.refused = 0
        """frames refused so far"""

    def admits(self, item: object) -> bool:
        """False, and counted, for a frame not later than the one before it; items without a frame pass."""
        frame = frame_of(item)
        if frame is None:
            return True
        last = self._last_seconds.get(frame.source_id)
        if last is not None and not frame.pts_seconds > last:  # "not >" also refuses NaN
            self.refused += 1
            return False
        self._last_seconds[frame.source_id] = frame.pts_seconds
        return True
