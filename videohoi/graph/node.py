"""The contracts of a node and of a source: what the runtime promises, and what they promise in return.

The runtime promises a node
    - ``open`` comes first and once, in pipeline order, before any ``process`` of the whole graph;
    - ``process`` is called by one thread at a time, items in order; among the frames of one source
      timestamps strictly increase (a frame whose time does not is refused at the source and counted);
    - at the end of the stream, also one caused by ``Graph.stop(drain=True)`` or by a failure upstream, ``drain``
      and then ``reset``; after a failure of its own, or a hard stop, neither;
    - ``close`` exactly once if ``open`` returned, after the last ``process``, whatever failed anywhere;
    - ``open`` and ``close`` run in short-lived threads that the caller waits for, the rest in the thread of the node's
      stage. Only a node that does not return in time, from ``open`` too, is closed by its own thread once it
      returns.

A node promises the runtime
    - to return from every call: it never waits endlessly (a hung node is reported and left behind, see ``Graph``);
    - to return outputs in order, and to return every output it holds by ``drain`` at the latest;
    - to change no item: it makes new ones (``dataclasses.replace``), since branches share items between threads;
    - to hold its state in the instance, and to release what ``open`` took if ``open`` itself raises.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from videohoi.structures import Frame, FrameResult, SourceInfo

In = TypeVar("In")
Out = TypeVar("Out")
Item = TypeVar("Item")
In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)


class Node(Protocol[In_contra, Out_co]):
    """One step of a graph; see the module's docstring for the contract."""

    @property
    def name(self) -> str:
        """Unique in its graph; appears in errors and reports."""
        ...

    def open(self, info: SourceInfo) -> None:
        """Get ready for one source: load, compile, create files."""
        ...

    def process(self, item: In_contra) -> Iterable[Out_co]:
        """Take one item and return 0 or more; never None."""
        ...

    def drain(self) -> Iterable[Out_co]:
        """What is still held at the end of the stream; read lazily, so it may be a generator."""
        ...

    def reset(self) -> None:
        """Forget the stream so far, as if just opened."""
        ...

    def close(self, *, complete: bool) -> None:
        """Release everything. ``complete`` is False if the graph was stopped or failed before the stream's end."""
        ...


AnyNode = Node[Any, Any]
"""A node of a list whose neighbours' types are not checked against each other."""


class BaseNode(ABC, Generic[In, Out]):
    """A node that needs only ``process``; the rest does nothing until overridden."""

    def __init__(self, name: str) -> None:
        self.name = name

    def open(self, info: SourceInfo) -> None:
        """Nothing to get ready."""

    @abstractmethod
    def process(self, item: In) -> Iterable[Out]:
        """Take one item and return 0 or more."""

    def drain(self) -> Iterable[Out]:
        """Nothing is held."""
        return ()

    def reset(self) -> None:
        """Nothing to forget."""

    def close(self, *, complete: bool) -> None:
        """Nothing to release."""


class FunctionNode(BaseNode[In, Out]):
    """A plain function as a node: one item in, its result out."""

    def __init__(self, name: str, function: Callable[[In], Out]) -> None:
        super().__init__(name)
        self._function = function

    def process(self, item: In) -> Iterable[Out]:
        """The function's result."""
        return (self._function(item),)


class TapNode(BaseNode[Item, Item]):
    """A plain function that is shown each item; the item itself is passed on unchanged."""

    def __init__(self, name: str, look: Callable[[Item], object]) -> None:
        super().__init__(name)
        self._look = look

    def process(self, item: Item) -> Iterable[Item]:
        """The item, unchanged."""
        self._look(item)
        return (item,)


Item_co = TypeVar("Item_co", covariant=True)


class Source(Protocol[Item_co]):
    """A source of items. Opened and closed in short-lived threads, read by the thread of the first stage."""

    def open(self) -> SourceInfo:
        """Open, and return what is known about the source."""
        ...

    def frames(self) -> Iterator[Item_co]:
        """The items, once, in order."""
        ...

    def close(self) -> None:
        """Release; called once, after the last item was read."""
        ...


@runtime_checkable
class Interruptible(Protocol):
    """A source whose own waiting can be interrupted, such as a camera that waits for its connection."""

    def interrupt(self) -> None:
        """Ask ``frames`` to end soon. Called from any thread, also inside a signal handler; does not wait."""
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
    """Notes of what went wrong while a source was read (its ``report.notes``); empty if it keeps none."""
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
