"""The shape of a graph: which nodes share a thread, which edges join the threads, and one line that says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from videohoi.errors import UsageError
from videohoi.graph.edge import LOSSLESS, EdgePolicy
from videohoi.graph.node import AnyNode


@dataclass(frozen=True)
class Branch:
    """Nodes that get every result of the trunk in a thread of their own, such as one encoder or one set of files."""

    nodes: tuple[AnyNode, ...]
    edge: EdgePolicy = LOSSLESS
    """keep it lossless for files; ``latest`` suits a display"""


@dataclass(frozen=True)
class Plan:
    """Source name, trunk stages, the edges between them, branches. Raises ``UsageError`` where they do not fit."""

    source_name: str
    stages: tuple[tuple[AnyNode, ...], ...]
    """one tuple a thread; the first shares its thread with the source and may be empty"""
    edges: tuple[EdgePolicy, ...]
    """one between each two stages"""
    branches: tuple[Branch, ...]

    def __post_init__(self) -> None:
        groups = [*self.stages[1:], *(branch.nodes for branch in self.branches)]
        if not self.stages or not all(groups):
            raise UsageError("a graph needs one stage or more, and only the first may have no node: drop the empty one")
        if len(self.edges) != len(self.stages) - 1:
            raise UsageError(
                f"a graph of {len(self.stages)} stages has {len(self.stages) - 1} edges between them, "
                f"got {len(self.edges)}: give one policy for all or one for each"
            )
        counts = Counter([self.source_name, *(node.name for node in self.nodes)])
        twice = sorted(name for name, count in counts.items() if count > 1)
        if twice:
            raise UsageError(f"node names must differ within a graph, used more than once: {', '.join(twice)}")

    @property
    def nodes(self) -> tuple[AnyNode, ...]:
        """All nodes in pipeline order, branches last."""
        groups = [*self.stages, *(branch.nodes for branch in self.branches)]
        return tuple(node for group in groups for node in group)

    @property
    def overflow(self) -> str:
        """``latest`` if any trunk edge may drop, else ``lossless``."""
        return "latest" if any(edge.overflow == "latest" for edge in self.edges) else "lossless"

    def describe(self) -> str:
        """One line: ``decode |latest| detect | track > smooth | overlay, csv > jsonl``; | changes the thread."""
        text = " > ".join([self.source_name, *(node.name for node in self.stages[0])])
        for edge, stage in zip(self.edges, self.stages[1:], strict=True):
            text += _bar(edge) + " > ".join(node.name for node in stage)
        if self.branches:
            ends = (" > ".join(node.name for node in branch.nodes) for branch in self.branches)
            text += " | " + ", ".join(ends)
        return text


def make_plan(
    source_name: str,
    stages: Sequence[Sequence[AnyNode]],
    edges: EdgePolicy | Sequence[EdgePolicy],
    branches: Sequence[Sequence[AnyNode] | Branch],
) -> Plan:
    """A plan from the short forms: one policy for all edges, a plain list of nodes for a lossless branch."""
    policies = (edges,) * (len(stages) - 1) if isinstance(edges, EdgePolicy) else tuple(edges)
    ends = tuple(branch if isinstance(branch, Branch) else Branch(tuple(branch)) for branch in branches)
    return Plan(source_name, tuple(map(tuple, stages)), policies, ends)


def _bar(edge: EdgePolicy) -> str:
    return " | " if edge.overflow == "lossless" else " |latest| "
