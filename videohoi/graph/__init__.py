"""The streaming runtime: node contract, bounded edges with an overflow policy, run and stop, clock, report.

It knows no stage: a decoder, a detector or a sink becomes part of a graph by keeping the contract of ``node``.
"""

from videohoi.graph.clock import Clock, ManualClock, MonotonicClock
from videohoi.graph.edge import EdgePolicy
from videohoi.graph.node import AnyNode, BaseNode, FunctionNode, Node, TapNode
from videohoi.graph.plan import Branch
from videohoi.graph.report import RunReport
from videohoi.graph.runner import Graph
from videohoi.graph.source import IterableSource, Source

__all__ = [
    "AnyNode",
    "BaseNode",
    "Branch",
    "Clock",
    "EdgePolicy",
    "FunctionNode",
    "Graph",
    "IterableSource",
    "ManualClock",
    "MonotonicClock",
    "Node",
    "RunReport",
    "Source",
    "TapNode",
]
