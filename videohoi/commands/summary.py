"""The table at the end of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from videohoi.commands.tables import print_table
from videohoi.decode.protocol import SourceReport
from videohoi.names import counted, screen_name
from videohoi.pipeline.annotate import AnnotatedVideo
from videohoi.structures import Segment

_WHOLE = 10
"""frames a second from which no fraction is shown"""
MOST_CUTS = 5
"""scene cuts whose times are shown; report.json has them all"""
MOST_ROWS = 20
"""longer lists are cut in the terminal; segments.csv has them all"""


def show_summary(
    console: Console, done: Sequence[AnnotatedVideo], *, skipped: int, failed: int, not_started: int = 0
) -> None:
    """The segments, every note of the reports, the speed and the folders; then the models and what they lack."""
    for video in done:
        _show_segments(console, video)
        for line in (*decode_lines(video.decode), *run_lines(video), outcome_line(video)):
            console.print(f"{video.source_id}: {line}", markup=False, soft_wrap=True)
    count = len(done) + skipped + failed + not_started
    if skipped:
        console.print(f"{_part(skipped, count)} complete already and skipped")
    if failed and (done or skipped):
        console.print(f"{failed} of {counted(count, 'input')} failed; the errors are above")
    if not_started and (done or skipped):
        console.print(f"{_part(not_started, count)} not started; run the same command again with --resume")
    for line in dict.fromkeys(line for video in done for line in stage_lines(video.facts)):
        console.print(line, markup=False, soft_wrap=True)


def outcome_line(video: AnnotatedVideo) -> str:
    """How far the run came, how fast it was, and where its results are."""
    run, info = video.run, video.source_info
    expected = info.frame_count if info is not None else None
    pace = f"{_speed(run.frames_per_second)} frames/s; results in {video.folder}"
    if run.complete:
        return f"{counted(run.frames_out, 'frame')} at {pace}"
    is_short = expected is not None and expected > run.frames_out
    frames = f"{run.frames_out} of {expected} frames" if is_short else counted(run.frames_out, "frame")
    return f"{'interrupted' if video.interrupted else 'incomplete'} after {frames}, {pace}"


def _part(number: int, count: int) -> str:
    return f"{number} of {counted(count, 'input')} {'was' if number == 1 else 'were'}"


def run_lines(video: AnnotatedVideo) -> list[str]:
    """Notes of the stages, scene cuts, and pairs that were left out."""
    decode_notes = tuple(video.decode.notes)  # the run repeats them, with the name of the stage before each
    lines = [
        note
        for note in dict.fromkeys(video.run.notes)
        if not any(note == own or note.endswith(f": {own}") for own in decode_notes)
    ]
    cuts = video.facts.get("cuts")
    if cuts:
        times = ", ".join(f"{seconds:.2f}" for seconds in cuts[:MOST_CUTS])
        more = f" and {len(cuts) - MOST_CUTS} more" if len(cuts) > MOST_CUTS else ""
        lines.append(f"scene cuts at {times}{more} s; tracks and states end there")
    truncated = video.facts.get("truncated_pairs")
    if truncated:
        lines.append(f"not scored: {counted(truncated, 'pair')}; raise interact.pair_limit to score more")
    return lines


def _show_segments(console: Console, video: AnnotatedVideo) -> None:
    if not video.segments:
        alone = "; a single picture has no duration" if video.run.frames_out == 1 else ""
        console.print(f"{video.source_id}: no interaction found{alone}", markup=False)
        return
    table = Table(title=escape(video.source_id), title_justify="left")
    for column in ("human", "verb", "object"):
        table.add_column(column)
    for column in ("times", "seconds", "mean p"):
        table.add_column(column, justify="right")
    table.add_column("from - to")
    rows = _rows(video.segments)
    for row in rows[:MOST_ROWS]:
        table.add_row(*row)
    if len(rows) > MOST_ROWS:
        table.caption = f"and {len(rows) - MOST_ROWS} more in segments.csv"
    print_table(console, table)


def _speed(frames_per_second: float) -> str:
    return f"{frames_per_second:.0f}" if frames_per_second >= _WHOLE else f"{frames_per_second:.2g}"


def _rows(segments: Sequence[Segment]) -> list[tuple[str, ...]]:
    """One row a (human, verb, object), longest first."""

    def key(segment: Segment) -> tuple[int, str, int]:
        return segment.human_id, segment.verb, segment.object_id

    rows = []
    for (human, verb, object_id), group in groupby(sorted(segments, key=key), key=key):
        parts = list(group)
        total = sum(part.end_seconds - part.begin_seconds for part in parts)
        spans = ", ".join(f"{part.begin_seconds:.2f} - {part.end_seconds:.2f}" for part in parts[:3])
        more = f", +{len(parts) - 3}" if len(parts) > 3 else ""
        mean = sum(part.score * _length(part) for part in parts) / sum(map(_length, parts))
        name = f"{screen_name(parts[0].object_class)} {object_id}"
        figures = (str(len(parts)), f"{total:.1f}", f"{mean:.2f}")
        rows.append((total, (f"person {human}", screen_name(verb), name, *figures, spans + more)))
    return [row for _, row in sorted(rows, key=lambda pair: -pair[0])]


def _length(segment: Segment) -> float:
    """Weight of a segment in a mean over time; a moment counts a little."""
    return max(segment.end_seconds - segment.begin_seconds, 1e-3)


def decode_lines(report: SourceReport) -> list[str]:
    """One sentence for each kind of damage."""
    lines = list(report.notes)
    if report.corrupt_packets:
        lost = counted(report.corrupt_packets, "packet or image", "packets or images")
        lines.append(f"{lost} could not be decoded; what it holds is missing")
    if report.ended_early_seconds is not None:
        lines.append(f"the file ended early, at {report.ended_early_seconds:.2f} s; everything before was processed")
    if report.repaired_timestamps or report.missing_timestamps:
        repaired = counted(report.repaired_timestamps + report.missing_timestamps, "frame")
        lines.append(f"{repaired} had a missing or backward time stamp; it was repaired")
    return lines


def stage_lines(facts: Mapping[str, Any]) -> list[str]:
    """Which detector and head were used, and what would be better."""
    lines = []
    for key, title in (("detector", "Detector"), ("head", "Verbs")):
        if key in facts:
            stage = facts[key]
            note = stage["note"]
            lines.append(f"{title}: {stage['name']} ({stage['engine']}). {note[:1].upper()}{note[1:]}".rstrip())
    return lines
