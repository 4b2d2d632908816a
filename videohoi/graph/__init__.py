"""The streaming runtime: node contract, bounded edges with an overflow policy, run and stop, clock, report.

It knows no stage: a decoder, a detector or a sink becomes part of a graph by keeping the contract of ``node``.
"""

from videohoi.graph.batch_lane import BatchLane, BatchPolicy, BatchReport, LaneReport
from videohoi.graph.batcher import Batcher, BatchNode
from videohoi.graph.edge import EdgePolicy
from videohoi.graph.measuring import Clock, MonotonicClock
from videohoi.graph.multi import MultiGraph, MultiReport
from videohoi.graph.node import AnyNode, BaseNode, FunctionNode, Interruptible, IterableSource, Node, Source, TapNode
from videohoi.graph.plan import Branch
from videohoi.graph.report import RunReport
from videohoi.graph.run_record import RunRecord
from videohoi.graph.runner import Graph

__all__ = [
    "AnyNode",
    "BaseNode",
    "BatchLane",
    "BatchNode",
    "BatchPolicy",
    "BatchReport",
    "Batcher",
    "Branch",
    "Clock",
    "EdgePolicy",
    "FunctionNode",
    "Graph",
    "Interruptible",
    "IterableSource",
    "LaneReport",
    "MonotonicClock",
    "MultiGraph",
    "MultiReport",
    "Node",
    "RunRecord",
    "RunReport",
    "Source",
    "TapNode",
]
