"""A graph whose stages report facts about themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from videohoi.decode.protocol import Source
from videohoi.graph import AnyNode, EdgePolicy, Graph
from videohoi.structures import FrameResult


@runtime_checkable
class Informative(Protocol):
    """A node that adds facts to the run report."""

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
        """What the stages report: detector, head, counts."""
        each = [node.facts() for node in self._stage_nodes if isinstance(node, Informative)]
        return {key: value for facts in each for key, value in facts.items()}
