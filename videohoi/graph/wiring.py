"""From a plan to threads and edges that wait to be started."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from videohoi.graph.clock import Clock
from videohoi.graph.edge import Edge, EdgePolicy
from videohoi.graph.failures import OpenParts
from videohoi.graph.news import News
from videohoi.graph.node import AnyNode
from videohoi.graph.plan import Plan
from videohoi.graph.shutdown import Gate
from videohoi.graph.source import Source
from videohoi.graph.stage import Shared, SourceFeed, StageThread
from videohoi.graph.tape import Tape


class Wiring:
    """The threads of a graph, the edges between them, and what of it all is open."""

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
        """Some thread is waited for."""
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
