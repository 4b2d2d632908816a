"""The plan of a graph, checked before anything starts, and the threads and edges built from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from videohoi.errors import UsageError
from videohoi.graph.edge import LOSSLESS, Edge, EdgePolicy
from videohoi.graph.measuring import Clock
from videohoi.graph.node import AnyNode, Source
from videohoi.graph.parts import OpenParts
from videohoi.graph.replay import Tape
from videohoi.graph.shutdown import Gate, News
from videohoi.graph.stage import Shared, SourceFeed, StageThread


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


class Wiring:
    """The threads of a graph, the edges between them, and the parts that are open."""

    def __init__(self, plan: Plan, source: Source[Any], news: News, clock: Clock, tape: Tape) -> None:
        self.feed = SourceFeed(plan.source_name, source, news, tape)
        self._tape = tape
        self.parts = OpenParts()
        self.gate = Gate()
        self.edges: list[Edge[Any]] = []
        self._shared = Shared(news, self.parts, self.gate, clock)
        self.trunk = [self._stage(plan.stages[0], self.feed)]
        for policy, nodes in zip(plan.edges, plan.stages[1:], strict=True):
            self.trunk.append(self._behind(self.trunk[-1], policy, nodes))
        self.trunk_edges = tuple(self.edges)
        self.branches = [self._behind(self.trunk[-1], branch.edge, branch.nodes) for branch in plan.branches]

    @property
    def stages(self) -> list[StageThread]:
        """All threads, trunk first."""
        return self.trunk + self.branches

    def is_running(self) -> bool:
        """A thread is still waited for."""
        return any(stage.running for stage in self.stages)

    def abort(self) -> None:
        """Cut every edge."""
        for edge in self.edges:
            edge.abort()

    def add_outlet(self, policy: EdgePolicy) -> Edge[Any]:
        """One more edge behind the trunk, for the caller's own thread to take from."""
        return self._edge(self.trunk[-1], policy, "caller")

    def _behind(self, before: StageThread, policy: EdgePolicy, nodes: Sequence[AnyNode]) -> StageThread:
        return self._stage(nodes, self._edge(before, policy, nodes[0].name))

    def _edge(self, before: StageThread, policy: EdgePolicy, consumer: str) -> Edge[Any]:
        name = f"{before.part_names[-1]} -> {consumer}"
        edge = self._tape.edge(len(self.edges), name, policy, self._shared.clock)
        before.outlets.append(edge)
        self.edges.append(edge)
        return edge

    def _stage(self, nodes: Sequence[AnyNode], feed: SourceFeed | Edge[Any]) -> StageThread:
        return StageThread(nodes, feed, self._shared)
