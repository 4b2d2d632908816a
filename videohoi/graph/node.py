"""The contract of a node: what the runtime promises, and what a node promises in return.

The runtime promises a node
    - ``open`` comes first and once, in pipeline order, before any ``process`` of the whole graph;
    - ``process`` is called by one thread at a time, items in order; among the frames of one source
      timestamps strictly increase (a frame whose time does not is refused at the source and counted);
    - at the end of the stream, also one caused by ``Graph.stop(drain=True)`` or by a failure upstream, ``drain``
      and then ``reset``; after a failure of its own, or a hard stop, neither;
    - ``close`` exactly once if ``open`` returned, after the last ``process``, whatever failed anywhere;
    - ``open`` and ``close`` run in short-lived threads that the caller waits for, the rest in the thread of the node's
      stage. Only a node that does not return in time, from ``open`` too, is closed by the thread that it keeps, once it
      does return.

A node promises the runtime
    - to return from every call: it starts no endless wait (a hung node is reported and left behind, see ``Graph``);
    - to give back outputs in order, and never to keep one it will not give back by ``drain``;
    - to change no item: it makes new ones (``dataclasses.replace``), since branches share items between threads;
    - to hold its state in the instance, and to release what ``open`` took if ``open`` itself raises.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

from videohoi.structures import SourceInfo

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
        """Take one item and give back 0 or more; never None."""
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
        """Take one item and give back 0 or more."""

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
    """A plain function that looks at each item; the item itself goes on."""

    def __init__(self, name: str, look: Callable[[Item], object]) -> None:
        super().__init__(name)
        self._look = look

    def process(self, item: Item) -> Iterable[Item]:
        """The item, unchanged."""
        self._look(item)
        return (item,)
