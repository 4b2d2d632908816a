"""What the end of a run says."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from videohoi.commands.summary import MOST_ROWS, decode_lines, show_summary, stage_lines
from videohoi.decode.protocol import SourceReport
from videohoi.graph import FunctionNode, Graph, IterableSource
from videohoi.pipeline.annotate import AnnotatedVideo
from videohoi.structures import Segment, SourceInfo

RIDE = Segment("clip.mp4", 1, "ride", 4, "skateboard", 2.31, 7.9, 0.8, 0.93)
FACTS = {
    "detector": {"name": "starter", "engine": "onnxruntime", "note": "it is small."},
    "head": {"name": "starter", "engine": "onnxruntime", "note": ""},
    "truncated_pairs": 0,
}


def shown(
    *segments: Segment, decode: SourceReport | None = None, skipped: int = 0, failed: int = 0, frames: int = 2
) -> str:
    run = Graph(IterableSource(range(frames)), [[FunctionNode("same", lambda item: item)]]).run()
    folder = Path("clip.videohoi")
    video = AnnotatedVideo("clip.mp4", folder, segments, run, decode or SourceReport(), FACTS)
    console = Console(file=io.StringIO(), width=120)
    show_summary(console, [video], skipped=skipped, failed=failed)
    return console.file.getvalue()


def row_with(text: str, *words: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if all(word in line for word in words)]
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_one_row_for_each_triplet_with_its_times_and_its_mean_score_over_time():
    again = replace(RIDE, begin_seconds=9.0, end_seconds=10.0, score=0.9)
    row = row_with(shown(RIDE, again), "ride")
    mean = (RIDE.score * (7.9 - 2.31) + 0.9) / (7.9 - 2.31 + 1.0)
    assert row == ["person 1", "ride", "skateboard 4", "2", "6.6", f"{mean:.2f}", "2.31 - 7.90, 9.00 - 10.00"]


def test_the_longest_comes_first_and_a_long_list_is_cut_with_a_word():
    many = [replace(RIDE, object_id=10 + n, end_seconds=3.0 + n) for n in range(MOST_ROWS + 2)]
    lines = shown(*many).splitlines()
    assert f"skateboard {10 + MOST_ROWS + 1} " in next(line for line in lines if "ride" in line)
    assert any("and 2 more in segments.csv" in line for line in lines)


def test_no_interaction_is_said_in_words():
    assert "clip.mp4: no interaction found\n" in shown()
    assert "no interaction found; a single picture has no duration" in shown(frames=1)


def test_one_is_not_many():
    report = SourceReport(corrupt_packets=1, repaired_timestamps=1)
    lines = [" ".join(line.split()) for line in shown(decode=report, skipped=1, frames=1).splitlines()]
    assert "1 of 2 inputs was complete already and skipped" in lines
    assert any(line.startswith("clip.mp4: 1 frame at ") for line in lines)
    assert "clip.mp4: 1 packet or image could not be decoded; what it holds is missing" in lines
    assert "clip.mp4: 1 frame had a missing or backward time stamp; it was repaired" in lines


def test_what_was_skipped_and_failed_is_counted():
    text = shown(skipped=2, failed=1)
    assert "2 of 4 inputs were complete already" in text
    assert "1 of 4 inputs failed" in text


def test_decode_troubles_are_sentences():
    report = SourceReport(
        corrupt_packets=3, missing_timestamps=1, repaired_timestamps=1, ended_early_seconds=1.5, notes=["a note"]
    )
    text = " | ".join(decode_lines(report))
    for part in ("a note", "3 packets", "at 1.50 s", "2 frames had a missing or backward time stamp"):
        assert part in text
    assert decode_lines(SourceReport(frames=3)) == []


def test_detector_and_head_are_named_and_cut_pairs_counted():
    assert stage_lines(FACTS) == ["Detector: starter (onnxruntime). It is small.", "Verbs: starter (onnxruntime)."]
    assert stage_lines({}) == []


def a_video(name: str, **changes: object) -> AnnotatedVideo:
    run = Graph(IterableSource(range(3)), [[FunctionNode("same", lambda item: item)]]).run()
    run = replace(run, **{key: changes.pop(key) for key in ("notes", "complete") if key in changes})
    video = AnnotatedVideo(name, Path(f"{name}.videohoi"), (), run, SourceReport(), FACTS)
    return replace(video, **changes)


def summary_of(*videos: AnnotatedVideo, **counts: int) -> list[str]:
    console = Console(file=io.StringIO(), width=120)
    show_summary(console, videos, **{"skipped": 0, "failed": 0, **counts})
    return console.file.getvalue().splitlines()


def test_every_note_of_the_report_is_shown_with_its_video():
    first = a_video("a.mp4", notes=("the tracker warns", "told twice", "told twice"))
    second = a_video("b.mp4", decode=SourceReport(notes=["told twice"]), notes=("told twice",),
                     facts={**FACTS, "truncated_pairs": 7, "cuts": [1.5, 2.25]})  # fmt: skip
    lines = summary_of(first, second)
    assert lines.count("a.mp4: the tracker warns") == lines.count("a.mp4: told twice") == 1
    assert lines.count("b.mp4: told twice") == 1
    assert "b.mp4: not scored: 7 pairs; raise interact.pair_limit to score more" in lines
    assert "b.mp4: scene cuts at 1.50, 2.25 s; tracks and states end there" in lines
    assert len([line for line in lines if line.startswith("Detector: starter")]) == 1


def test_models_of_all_videos_are_named():
    other = {**FACTS, "detector": {"name": "starter", "engine": "openvino", "note": ""}}
    lines = summary_of(a_video("a.mp4"), a_video("b.mp4", facts=other))
    assert [line for line in lines if line.startswith("Detector")] == [
        "Detector: starter (onnxruntime). It is small.", "Detector: starter (openvino).",
    ]  # fmt: skip


def test_an_interrupted_run_says_how_far_it_came_and_what_is_left():
    info = SourceInfo("a.mp4", 8, 8, 25.0, 52, 2.08)
    cut = a_video("a.mp4", complete=False, interrupted=True, source_info=info)
    lines = summary_of(a_video("b.mp4"), cut, not_started=3)
    assert any(line.startswith("a.mp4: interrupted after 3 of 52 frames, ") for line in lines)
    assert any(line.startswith("b.mp4: 3 frames at ") for line in lines)
    assert "3 of 5 inputs were not started; run the same command again with --resume" in lines
