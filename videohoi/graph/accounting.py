"""From counters and meters to a ``RunReport``; may be read while the graph runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from videohoi.errors import StageError
from videohoi.graph.edge import Edge
from videohoi.graph.histogram import DurationSummary
from videohoi.graph.meter import Meter
from videohoi.graph.plan import Plan
from videohoi.graph.report import EdgeReport, NodeReport, RunReport, StageReport
from videohoi.graph.source import notes_of
from videohoi.graph.stage import SourceFeed, StageThread, Tally
from videohoi.graph.wiring import Wiring

STALL_SECONDS = 2.0
"""a source that has given nothing, or a node that has not returned, for this long is spoken of in the report"""


@dataclass
class Progress:
    """Where a run stands; times are of ``time.perf_counter``."""

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
    """Of the end that shows the oldest results: the honest one when branches differ."""
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
    return (f"{refused} frames refused: their time was not later than the frame before",) if refused else ()


def _source_notes(feed: SourceFeed) -> list[str]:
    """What the source says of itself, and that it says nothing."""
    notes = [f"{feed.name!r}: {note}" for note in notes_of(feed.source)]
    if feed.reading and (seconds := feed.meter.since_start()) >= STALL_SECONDS:
        notes.append(f"{feed.name!r} has given nothing for {seconds:.0f} s")
    return notes


def _node_notes(wiring: Wiring) -> list[str]:
    """What nodes say of themselves (their ``notes``, if they have any), and who has not returned for long."""
    said = [(node.name, note) for stage in wiring.stages for node in stage.nodes for note in getattr(node, "notes", ())]
    found = [stage.stuck(STALL_SECONDS) for stage in wiring.stages if stage.running]
    return [f"{name!r}: {note}" for name, note in said] + [
        f"{name!r} has been busy with one item for {seconds:.0f} s" for name, seconds in filter(None, found)
    ]


def failure_notes(failures: Sequence[StageError], wiring: Wiring) -> list[str]:
    """What came after the first failure: others, and results that had passed the failed stage but were cut off."""
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
