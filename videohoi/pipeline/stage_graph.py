"""A graph whose stages say what they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from videohoi.decode.protocol import Source
from videohoi.graph import AnyNode, EdgePolicy, Graph
from videohoi.structures import FrameResult


@runtime_checkable
class Informative(Protocol):
    """A node with something to say in the run report."""

    def facts(self) -> dict[str, Any]:
        """Report keys and plain values; final once the run is over."""
        ...


class StageGraph(Graph[FrameResult]):
    """``Graph`` from a source to frame results; what a bundled pipeline builds."""

    def __init__(
        self,
        source: Source,
        stages: Sequence[Sequence[AnyNode]],
        branches: Sequence[Sequence[AnyNode]],
        edges: EdgePolicy | Sequence[EdgePolicy],
        **options: Any,
    ) -> None:
        """One list of nodes per thread, and further options, as ``Graph`` takes them."""
        super().__init__(source, stages, branches=branches, edges=edges, **options)
        self._stage_nodes = [node for nodes in stages for node in nodes]

    def facts(self) -> dict[str, Any]:
        """What the stages say of themselves: detector, head, counts."""
        told = [node.facts() for node in self._stage_nodes if isinstance(node, Informative)]
        return {key: value for facts in told for key, value in facts.items()}
