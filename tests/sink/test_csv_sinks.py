import csv
import dataclasses

import numpy as np
import pytest

from videohoi.errors import SinkError
from videohoi.sink.segment_builder import RunSegments
from videohoi.sink.segments_csv import SegmentsCsv
from videohoi.sink.tracks_csv import TracksCsv


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def process_all(sink, results):
    for result in results:
        sink.process(result)


def test_segments_columns_rounding_and_order(tmp_path, info, make_event, make_result):
    sink = SegmentsCsv(tmp_path / "segments.csv", RunSegments(frozenset({"kick"})))
    sink.open(info, {})
    late = make_event("end", interaction_id=1, begin_seconds=2.00004, end_seconds=3.123456, human_id=1)
    other_human = make_event("end", interaction_id=2, begin_seconds=1.0, human_id=3, verb="hold")
    kick = make_event("end", interaction_id=3, begin_seconds=1.0, human_id=2, verb="kick", object_id=10)
    hold = make_event("end", interaction_id=4, begin_seconds=1.0, human_id=2, verb="hold", object_id=10)
    object_2 = make_event("end", interaction_id=5, begin_seconds=1.0, human_id=2, verb="ride", object_id=2)
    for event in (late, other_human, kick, hold, object_2):
        sink.process(make_result(events=[event]))
    assert not (tmp_path / "segments.csv").exists()
    sink.close(complete=True)
    header, *rows = read(tmp_path / "segments.csv")
    assert ",".join(header) == (
        "human_id,verb,object_id,object_class,begin_seconds,end_seconds,score,peak_score,kind,source_id"
    )
    assert [(row[0], row[1], row[2]) for row in rows] == [
        ("2", "ride", "2"),
        ("2", "hold", "10"),
        ("2", "kick", "10"),
        ("3", "hold", "4"),
        ("1", "ride", "4"),
    ]
    assert rows[-1] == ["1", "ride", "4", "skateboard", "2.0000", "3.1235", "0.8000", "0.9000", "state", "clip.mp4"]
    assert [row[8] for row in rows] == ["state", "state", "event", "state", "state"]


def test_segments_open_at_an_interrupt_are_written(tmp_path, info, make_event, make_result):
    sink = SegmentsCsv(tmp_path / "segments.csv")
    sink.open(info, {})
    sink.process(make_result(events=[make_event("begin", end_seconds=1.5)]))
    sink.close(complete=False)
    assert read(tmp_path / "segments.csv")[1][5] == "1.5000"


def test_a_sink_can_be_used_for_a_second_run(tmp_path, info, make_event, make_result):
    sink = SegmentsCsv(tmp_path / "segments.csv")
    for verb in ("ride", "hold"):
        sink.open(info, {})
        sink.process(make_result(events=[make_event("begin", verb=verb)]))
        sink.close(complete=True)
    assert [row[1] for row in read(tmp_path / "segments.csv")[1:]] == ["hold"]


def test_an_aborted_run_leaves_nothing_for_the_next(tmp_path, info, make_event, make_result):
    sink = SegmentsCsv(tmp_path / "segments.csv")
    sink.open(info, {})
    sink.process(make_result(events=[make_event("begin")]))
    sink.abort()
    assert list(tmp_path.iterdir()) == []
    sink.open(info, {})
    sink.close(complete=True)
    assert len(read(tmp_path / "segments.csv")) == 1


def test_names_with_commas_quotes_and_broken_unicode_survive(tmp_path, info, make_event, make_result):
    sink = SegmentsCsv(tmp_path / "segments.csv")
    sink.open(info, {})
    sink.process(make_result(events=[make_event("end", source_id='a,"b"\udcff.mp4', object_class="Fußball")]))
    sink.close(complete=True)
    row = read(tmp_path / "segments.csv")[1]
    assert row[3] == "Fußball"
    assert row[9] == 'a,"b"\\udcff.mp4'


def test_tracks_have_one_row_per_confirmed_box(tmp_path, info, make_result, vocabulary):
    sink = TracksCsv(tmp_path / "tracks.csv", vocabulary)
    sink.open(info, {})
    sink.process(make_result(5, 0.166667))
    assert not (tmp_path / "tracks.csv").exists()
    sink.close(complete=True)
    header, *rows = read(tmp_path / "tracks.csv")
    assert ",".join(header) == "frame,pts_seconds,track_id,object_class,x1,y1,x2,y2,score"
    assert rows == [
        ["5", "0.1667", "1", "person", "40.00", "60.00", "100.00", "200.00", "0.9300"],
        ["5", "0.1667", "4", "skateboard", "180.00", "150.00", "280.00", "220.00", "0.8000"],
    ]


def test_tracks_use_the_voted_class_not_the_frames_own(tmp_path, info, make_result, vocabulary):
    result = make_result()
    voted = result.tracks.class_ids.copy()
    voted[1] = vocabulary.object_id("surfboard")
    result = dataclasses.replace(result, tracks=dataclasses.replace(result.tracks, class_ids=voted))
    sink = TracksCsv(tmp_path / "tracks.csv", vocabulary)
    sink.open(info, {})
    sink.process(result)
    sink.close(complete=True)
    assert read(tmp_path / "tracks.csv")[2][3] == "surfboard"


def test_a_value_that_is_not_finite_is_an_empty_field(tmp_path, info, make_result, vocabulary):
    result = make_result()
    result.detections.scores[0] = np.nan
    result.detections.boxes_xyxy_px[0, 2] = np.inf
    sink = TracksCsv(tmp_path / "tracks.csv", vocabulary)
    sink.open(info, {})
    sink.process(result)
    sink.close(complete=True)
    assert read(tmp_path / "tracks.csv")[1][4:] == ["40.00", "60.00", "", "200.00", ""]


def test_tracks_that_do_not_match_the_detections_are_refused(tmp_path, info, make_result, vocabulary):
    result = make_result()
    short = dataclasses.replace(result, detections=result.detections.select(np.array([0])))
    sink = TracksCsv(tmp_path / "tracks.csv", vocabulary)
    sink.open(info, {})
    with pytest.raises(SinkError, match="3 track rows for 1 detections"):
        sink.process(short)
    sink.abort()


def test_a_class_outside_the_vocabulary_is_refused(tmp_path, info, make_result, vocabulary):
    result = make_result()
    result.tracks.class_ids[0] = 80
    sink = TracksCsv(tmp_path / "tracks.csv", vocabulary)
    sink.open(info, {})
    with pytest.raises(SinkError, match="class id 80 is not one of the 80 objects"):
        sink.process(result)
    sink.abort()


def test_a_full_disk_keeps_whole_rows(tmp_path, info, make_result, vocabulary, full_disk):
    sink = TracksCsv(tmp_path / "tracks.csv", vocabulary)
    sink.open(info, {})
    with full_disk(400), pytest.raises(SinkError, match=r"tracks\.csv"):
        process_all(sink, [make_result(index) for index in range(100)])
    sink.close(complete=False)
    rows = read(tmp_path / "tracks.csv")
    assert len(rows) > 2
    assert {len(row) for row in rows} == {9}
    assert rows[-1][-1] == "0.8000"
