"""The strip of the overlay, segments.csv and pairs.csv tell the same of one scripted run."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from smooth_scenes import INFO, LIVE, WORDS, frames, ridden, smoothed, step, times

from videohoi.sink.pairs_csv import PairsCsv
from videohoi.sink.segments_csv import SegmentsCsv
from videohoi.sink.timeline import Timeline
from videohoi.smooth.config import SmoothingConfig
from videohoi.structures import Discontinuity

RATE_HZ = 30.0
TENTH_MS = 1e-4
"""times of the files are rounded to it"""


def seen_as(items, name, from_seconds):
    """The object's track has another class from then on."""
    return [_renamed(item, name) if item.frame.pts_seconds >= from_seconds else item for item in items]


def _renamed(item, name):
    classes = np.where(item.tracks.class_ids == WORDS.person_id, WORDS.person_id, WORDS.object_id(name))
    detections = replace(item.detections, class_ids=classes)
    return replace(item, detections=detections, tracks=replace(item.tracks, class_ids=classes))


def cut_at(items, index):
    item = items[index]
    cut = replace(item, frame=replace(item.frame, discontinuity=Discontinuity.SCENE_CUT))
    return [*items[:index], cut, *items[index + 1 :]]


def written(sink, results):
    sink.open(INFO, {})
    for result in results:
        sink.process(result)
    sink.close(complete=True)
    with sink.path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def told_by_the_strip(results):
    """Bars at the end of the run: (human, verb, object, class, begin, end)."""
    timeline = Timeline(window_seconds=1000.0, slot_count=50)
    for result in results:
        timeline.feed(result.frame.pts_seconds, result.events)
    bars = [
        (*lane.key, bar.begin_seconds, bar.end_seconds)
        for lane in timeline.slots
        if lane is not None
        for bar in lane.bars.values()
    ]
    return sorted(bars, key=lambda bar: bar[4]), timeline.gaps_seconds


def told_by_the_file(rows):
    return [
        (int(row["human_id"]), row["verb"], int(row["object_id"]), row["object_class"], float(row["begin_seconds"]),
         float(row["end_seconds"]))
        for row in rows
    ]  # fmt: skip


BASE = frames(times(RATE_HZ, 6), *ridden(step("ride", 0.9, 0.5, 5.0, (2.0, 3.5))))
SCENES = {
    "two states": BASE,
    "the track is renamed": seen_as(BASE, "surfboard", 1.0),
    "the track is renamed late": seen_as(BASE, "surfboard", 4.2),
    "a cut": cut_at(BASE, 45),
    "on at the end": frames(times(RATE_HZ, 3), *ridden(step("ride", 0.9, 0.5, 9.0))),
    "a blip": frames(times(RATE_HZ, 6), *ridden(step("ride", 0.9, 2.0, 2.2))),
}


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("config", [SmoothingConfig(), replace(LIVE, min_seconds=0.5)], ids=["offline", "live"])
def test_bars_are_the_segments_of_the_file(tmp_path, config, scene):
    results = smoothed(SCENES[scene], config)
    rows = written(SegmentsCsv(tmp_path / "segments.csv"), results)
    told, gaps = told_by_the_strip(results)
    expected = told_by_the_file(rows)
    assert bool(expected) == (scene != "a blip")
    assert [bar[:4] for bar in told] == [row[:4] for row in expected]
    # Live, what is still on at the end is known to hold up to its last update.
    last = 0.0 if config.lookahead_seconds or scene != "on at the end" else config.update_seconds
    for bar, row in zip(told, expected, strict=True):
        assert bar[4:] == pytest.approx(row[4:], abs=TENTH_MS + last)
    assert gaps == ([45 / RATE_HZ] if scene == "a cut" else [])


@pytest.mark.parametrize("scene", SCENES)
def test_offline_the_strip_shows_nothing_that_is_not_in_the_file(tmp_path, scene):
    """At every frame the strip has the beginning of the file's segments, and nothing that is taken back later."""
    results = smoothed(SCENES[scene])
    expected = told_by_the_file(written(SegmentsCsv(tmp_path / "segments.csv"), results))
    for count in range(1, len(results) + 1):
        now = results[count - 1].frame.pts_seconds
        begun = [
            (*row[:4], row[4], min(row[5], now)) for row in expected if row[4] <= now + TENTH_MS
        ]  # fmt: skip
        told, _ = told_by_the_strip(results[:count])
        assert [bar[:4] for bar in told] == [row[:4] for row in begun]
        assert np.allclose([bar[4:] for bar in told], [row[4:] for row in begun], atol=2 * TENTH_MS)


@pytest.mark.parametrize("scene", SCENES)
def test_a_pairs_interaction_is_one_of_the_file(tmp_path, scene):
    results = smoothed(SCENES[scene])
    segments = told_by_the_file(written(SegmentsCsv(tmp_path / "segments.csv"), results))
    told = {(row["verb"], row["object_class"]) for row in written(PairsCsv(tmp_path / "pairs.csv", WORDS), results)}
    assert told <= ({(row[1], row[3]) for row in segments} or {("", "skateboard")})
    assert len(told) == 1
