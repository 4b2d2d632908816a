"""Reading a run's files back."""

import json

import pytest

from videohoi.errors import InputError
from videohoi.evaluate.segments.run_files import PairVerb, read_run, read_run_clip

SEGMENTS = "human_id,verb,object_id,object_class,begin_seconds,end_seconds,score,peak_score,kind,source_id"
TRACKS = "frame,pts_seconds,track_id,object_class,x1,y1,x2,y2,score"
PAIRS = "human_id,object_id,object_class,verb,likeliest_verb,likeliest_score"
SEGMENT_ROWS = ("1,hold,2,cup,0.5,1.25,0.8,0.9,state,play.mp4",)
TRACK_ROWS = (
    "0,0.0,1,person,0,0,10,20,0.9", "0,0.0,2,bowl,5,5,8,8,0.6", "0,0.0,-1,cup,5,5,8,8,0.2", "0,0.0,-1,cup,6,5,8,8,0.2",
    "2,0.08,2,cup,6,5,9,8,0.6", "1,0.04,2,cup,5.5,5,8.5,8,0.6",
)  # fmt: skip


def write_clip(folder, segments=SEGMENT_ROWS, tracks=TRACK_ROWS, pairs=None, report=None):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "segments.csv").write_text("\n".join([SEGMENTS, *segments]) + "\n")
    (folder / "tracks.csv").write_text("\n".join([TRACKS, *tracks]) + "\n")
    if pairs is not None:
        (folder / "pairs.csv").write_text("\n".join([PAIRS, *pairs]) + "\n")
    if report is not None:
        (folder / "report.json").write_text(report)
    return folder


def test_segments_and_tracks_are_read(tmp_path):
    clip = read_run_clip(write_clip(tmp_path / "play.videohoi"))
    (segment,) = clip.segments
    assert (clip.clip, segment.verb, segment.begin_seconds, segment.end_seconds) == ("play", "hold", 0.5, 1.25)
    assert (segment.human_id, segment.object_id, segment.score, segment.kind) == (1, 2, 0.8, "state")
    cup = clip.tracks[2]
    assert cup.pts_seconds.tolist() == [0.0, 0.04, 0.08], "rows are put in order of time"
    assert cup.boxes_xyxy_px[1].tolist() == [5.5, 5, 8.5, 8]
    assert cup.object_class == "cup", "two of three rows say so"
    assert set(clip.tracks) == {1, 2}, "unconfirmed detections (id -1) are no track"
    assert clip.pair_verbs is None


def test_pairs_are_read_when_there(tmp_path):
    clip = read_run_clip(write_clip(tmp_path / "play", pairs=["1,2,cup,,wash,0.4"]))
    assert clip.pair_verbs == {(1, 2): PairVerb("wash", 0.4)}


def test_columns_may_come_in_any_order_and_with_others(tmp_path):
    folder = write_clip(tmp_path / "play")
    (folder / "tracks.csv").write_text(
        "note,score,y2,x2,y1,x1,object_class,track_id,pts_seconds,frame\n"
        "x,0.9,20,10,0,0,person,1,0.0,0\nx,0.9,20,10,0,0,cup,2,0.0,0\n"
    )
    assert read_run_clip(folder).tracks[1].boxes_xyxy_px.tolist() == [[0, 0, 10, 20]]


def test_an_empty_result_is_a_result(tmp_path):
    clip = read_run_clip(write_clip(tmp_path / "play", segments=(), tracks=()))
    assert (clip.segments, clip.tracks) == ((), {})


def test_the_layouts_of_a_run(tmp_path):
    single = write_clip(tmp_path / "one.videohoi")
    assert list(read_run(single)) == ["one"]
    run = tmp_path / "run"
    write_clip(run / "b.videohoi")
    write_clip(run / "a")
    (run / "logs").mkdir()
    assert list(read_run(run)) == ["a", "b"]


@pytest.mark.parametrize(
    ("report", "name"),
    [
        (json.dumps({"source": "/videos/match.mp4"}), "match"),
        (json.dumps({"source": {"kind": "file"}}), "folder"),
        (json.dumps({}), "folder"),
        (None, "folder"),
    ],
)
def test_the_clip_is_named_by_the_report_or_the_folder(tmp_path, report, name):
    assert read_run_clip(write_clip(tmp_path / "folder.videohoi", report=report)).clip == name


def test_two_outputs_of_one_clip_are_refused(tmp_path):
    write_clip(tmp_path / "a")
    write_clip(tmp_path / "a.videohoi")
    with pytest.raises(InputError, match=r"a second output of clip 'a'"):
        read_run(tmp_path)


def test_missing_things_are_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere: no such folder"):
        read_run(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"no segments\.csv in it or in a folder directly below"):
        read_run(tmp_path)
    folder = write_clip(tmp_path / "a")
    (folder / "tracks.csv").unlink()
    with pytest.raises(InputError, match=r"tracks\.csv: cannot be read"):
        read_run(tmp_path)


BROKEN = [
    (
        {"segments": ["1,hold,2,cup,x,1.25,0.8,0.9,state,s"]},
        r"segments\.csv:2: begin_seconds: expected a finite number",
    ),
    ({"segments": ["1,hold,2,cup,nan,1.25,0.8,0.9,state,s"]}, r"begin_seconds: expected a finite number, got 'nan'"),
    (
        {"segments": ["1,hold,2,cup,2.0,1.0,0.8,0.9,state,s"]},
        r"end_seconds: expected a time from begin_seconds 2\.0 on",
    ),
    ({"segments": ["1,hold,2,cup,0.0,1.0,1.8,0.9,state,s"]}, r"score: expected a score in \[0, 1\], got 1\.8"),
    ({"segments": ["1.5,hold,2,cup,0.0,1.0,0.8,0.9,state,s"]}, r"human_id: expected a whole number, got '1\.5'"),
    ({"segments": ["1,,2,cup,0.0,1.0,0.8,0.9,state,s"]}, r"verb: expected a name, got nothing"),
    ({"segments": ["1,hold,2,cup,0.0"]}, r"segments\.csv:2: expected 10 values in the line"),
    ({"segments": ["1,hold,2,cup,0.0,1.0,0.8,0.9,state,s,more"]}, r"segments\.csv:2: expected 10 values in the line"),
    ({"segments": ["1,hold,7,cup,0.0,1.0,0.8,0.9,state,s"]}, r"segments\.csv: track 7 has no box in tracks\.csv"),
    ({"tracks": ["0,0.0,1,person,9,0,1,20,0.9"]}, r"tracks\.csv:2: expected a box with x1 <= x2"),
    ({"tracks": ["0,0.0,1,person,0,0,1,2,0.9"] * 2}, r"track 1 has two boxes at one pts_seconds"),
    ({"pairs": ["1,2,cup,hold,hold,0.5", "1,2,cup,,wash,0.4"]}, r"pairs\.csv:3: pair \(1, 2\) is listed twice"),
    ({"report": "{"}, r"report\.json: cannot be read as JSON"),
]


@pytest.mark.parametrize(("files", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_a_malformed_file_is_named_with_line_and_expectation(tmp_path, files, message):
    with pytest.raises(InputError, match=message) as caught:
        read_run_clip(write_clip(tmp_path / "play", **files))
    assert "\n" not in str(caught.value)


def test_a_missing_column_is_named(tmp_path):
    folder = write_clip(tmp_path / "play")
    (folder / "segments.csv").write_text(SEGMENTS.replace(",score,", ",") + "\n")
    with pytest.raises(InputError, match=r"segments\.csv: no column score; expected human_id,verb"):
        read_run_clip(folder)
