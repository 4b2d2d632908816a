"""The report of a run: counts, times, ages and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from videohoi.errors import StageError
from videohoi.graph.edge import Edge
from videohoi.graph.measuring import DurationSummary, Meter
from videohoi.graph.node import notes_of
from videohoi.graph.plan import Plan, Wiring
from videohoi.graph.stage import SourceFeed, StageThread, Tally
from videohoi.names import counted


@dataclass(frozen=True)
class NodeReport:
    """The source or one node."""

    name: str
    items_in: int
    """items processed; for the source, items read"""
    items_out: int
    process: DurationSummary
    """of ``process``; for the source, of reading one item, which includes waiting for a camera"""
    busy_seconds: float
    """inside the node's own code, drain included; never time spent waiting on an edge"""
    cpu_seconds: float
    """CPU time of the node's own thread (``time.thread_time``); a library's inner thread pool is not in it"""
    busy_share: float
    """busy_seconds over its stage's, 0 to 1"""


@dataclass(frozen=True)
class StageReport:
    """One thread."""

    name: str
    busy_seconds: float
    busy_share: float
    """busy_seconds over the run's wall_seconds, 0 to 1; the stage nearest to 1 sets the pace"""
    cpu_seconds: float
    cpu_share: float
    """cpu_seconds over those of all stages, 0 to 1"""
    nodes: tuple[NodeReport, ...]


@dataclass(frozen=True)
class EdgeReport:
    """One hand-off between threads; ``items_in == items_out + dropped + stale + discarded + waiting``."""

    name: str
    policy: str
    capacity: int
    items_in: int
    items_out: int
    dropped: int
    """made room for newer ones"""
    stale: int
    """older than the staleness budget"""
    discarded: int
    """in flight when the run was cut"""
    waiting: int


@dataclass(frozen=True)
class RunReport:
    """A whole run."""

    plan: str
    """``Graph.describe()``"""
    policy: str
    """``lossless``, or ``latest`` if any edge may drop"""
    source_id: str
    frames_in: int
    """items read from the source"""
    frames_out: int
    """items that left the last stage of the trunk (before branches)"""
    frames_dropped: int
    """dropped or stale on trunk edges, and refused by the source's time check"""
    open_seconds: float
    """opening the source and all nodes"""
    wall_seconds: float
    """first thread started to last thread ended"""
    frames_per_second: float
    """frames_out over wall_seconds"""
    first_result_seconds: float | None
    """from the call of run or iterate, opening included; None without a result"""
    age: DurationSummary | None
    """capture to the end of the graph, of live frames; None for files"""
    stages: tuple[StageReport, ...]
    edges: tuple[EdgeReport, ...]
    complete: bool
    """every item of the source went through and every node was drained"""
    interrupted: bool
    """stopped from outside: KeyboardInterrupt, ``Graph.stop`` or leaving ``iterate`` early"""
    notes: tuple[str, ...] = ()
    """one sentence each, for people"""

    def to_dict(self) -> dict[str, Any]:
        """As plain dicts, lists, numbers and strings."""
        return plain_dict(self)


def plain_dict(report: Any) -> dict[str, Any]:
    """A report (a dataclass of plain values) as plain dicts, lists, numbers and strings."""
    plain: dict[str, Any] = _lists(asdict(report))
    return plain


def _lists(value: Any) -> Any:
    """Tuples as lists, all the way down, so that the value equals what it becomes through JSON."""
    if isinstance(value, dict):
        return {key: _lists(inner) for key, inner in value.items()}
    return [_lists(inner) for inner in value] if isinstance(value, (tuple, list)) else value


STALL_SECONDS = 2.0
"""a source that has delivered nothing for this long, or a node that has not returned, is named in the report"""


@dataclass
class Progress:
    """The progress of a run; times are of ``time.perf_counter``."""

    source_id: str = ""
    """known once the source is being opened"""
    called_seconds: float = 0.0
    """run or iterate was called"""
    started_seconds: float = 0.0
    """the first thread started"""
    ended_seconds: float = 0.0
    """the last thread ended, or now"""
    complete: bool = False
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)


def make_report(plan: Plan, wiring: Wiring, tally: Tally, progress: Progress) -> RunReport:
    """The report of a run; ``tally`` counts what the caller's own thread took."""
    wall_seconds = max(progress.ended_seconds - progress.started_seconds, 0.0)
    tallies = [tally, *(stage.tally for stage in wiring.stages if not stage.outlets)]
    frames_out = wiring.trunk[-1].tally.count
    refused = wiring.feed.guard.refused
    trunk_counts = [edge.counts() for edge in wiring.trunk_edges]
    return RunReport(
        plan=plan.describe(),
        policy=plan.overflow,
        source_id=progress.source_id,
        frames_in=wiring.feed.meter.items_in,
        frames_out=frames_out,
        frames_dropped=refused + sum(counts.dropped + counts.stale for counts in trunk_counts),
        open_seconds=max(progress.started_seconds - progress.called_seconds, 0.0),
        wall_seconds=wall_seconds,
        frames_per_second=_ratio(frames_out, wall_seconds),
        first_result_seconds=_first_result(tallies, progress),
        age=_age(tallies),
        stages=_stage_reports(wiring, wall_seconds),
        edges=tuple(_edge_report(edge) for edge in wiring.edges),
        complete=progress.complete,
        interrupted=progress.interrupted,
        notes=(*progress.notes, *_refusal_note(refused), *_source_notes(wiring.feed), *_node_notes(wiring)),
    )


def _first_result(tallies: list[Tally], progress: Progress) -> float | None:
    firsts = [tally.first_seconds for tally in tallies if tally.first_seconds is not None]
    return min(firsts) - progress.called_seconds if firsts else None


def _age(tallies: list[Tally]) -> DurationSummary | None:
    """Age at the branch with the oldest results: the honest figure when branches differ."""
    summaries = [tally.ages.summary() for tally in tallies if tally.ages.count]
    return max(summaries, key=lambda summary: summary.p50_ms, default=None)


def _stage_reports(wiring: Wiring, wall_seconds: float) -> tuple[StageReport, ...]:
    meters = {stage.name: _meters(stage, wiring) for stage in wiring.stages}
    cpu_total = sum(meter.cpu_seconds for named in meters.values() for meter in named.values())
    return tuple(_stage_report(name, named, wall_seconds, cpu_total) for name, named in meters.items())


def _meters(stage: StageThread, wiring: Wiring) -> dict[str, Meter]:
    own = [wiring.feed.meter, *stage.meters] if stage.feed is wiring.feed else stage.meters
    return dict(zip(stage.part_names, own, strict=True))


def _stage_report(name: str, meters: dict[str, Meter], wall_seconds: float, cpu_total: float) -> StageReport:
    busy = sum(meter.busy_seconds for meter in meters.values())
    cpu = sum(meter.cpu_seconds for meter in meters.values())
    nodes = tuple(_node_report(node, meter, busy) for node, meter in meters.items())
    return StageReport(name, busy, _ratio(busy, wall_seconds), cpu, _ratio(cpu, cpu_total), nodes)


def _node_report(name: str, meter: Meter, stage_busy_seconds: float) -> NodeReport:
    share = _ratio(meter.busy_seconds, stage_busy_seconds)
    summary = meter.durations.summary()
    return NodeReport(
        name, meter.items_in, meter.items_out, summary, meter.busy_seconds, meter.cpu_seconds, share
    )  # fmt: skip


def _edge_report(edge: Edge[Any]) -> EdgeReport:
    counts, policy = edge.counts(), edge.policy
    return EdgeReport(
        edge.name, policy.overflow, policy.capacity, counts.put, counts.taken,
        counts.dropped, counts.stale, counts.discarded, counts.waiting,
    )  # fmt: skip


def _refusal_note(refused: int) -> tuple[str, ...]:
    return (f"{counted(refused, 'frame')} refused: time not later than the frame before",) if refused else ()


def _source_notes(feed: SourceFeed) -> list[str]:
    """The notes of the source, and one if it has been silent for long."""
    notes = [f"{feed.name!r}: {note}" for note in notes_of(feed.source)]
    if feed.reading and (seconds := feed.meter.since_start()) >= STALL_SECONDS:
        notes.append(f"{feed.name!r} has delivered nothing for {seconds:.0f} s")
    return notes


def _node_notes(wiring: Wiring) -> list[str]:
    """The ``notes`` of nodes that keep some, and the nodes that have not returned for long."""
    nodes = [node for stage in wiring.stages for node in stage.nodes]
    own_notes = [(node.name, note) for node in nodes for note in getattr(node, "notes", ())]
    stuck_nodes = [stage.stuck(STALL_SECONDS) for stage in wiring.stages if stage.running]
    return [f"{name!r}: {note}" for name, note in own_notes] + [
        f"{name!r} has been busy with one item for {seconds:.0f} s" for name, seconds in filter(None, stuck_nodes)
    ]


def failure_notes(failures: Sequence[StageError], wiring: Wiring) -> list[str]:
    """Failures after the first, and results behind the failed stage that were discarded."""
    notes = [f"also failed: {failure}" for failure in failures[1:]]
    failed = failures[0].stage if failures else ""
    for place, stage in enumerate(wiring.trunk):
        if failed in stage.part_names:
            edges = [*wiring.trunk_edges[place:], *(edge for edge in wiring.edges if edge not in wiring.trunk_edges)]
            lost = [(edge.name, edge.counts().discarded) for edge in edges]
            notes += [f"{count} items on {name!r} were discarded after the failure" for name, count in lost if count]
    return notes


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0
