"""pairs.csv: one row a pair of tracks, worked by hand."""

from __future__ import annotations

import csv
import dataclasses

import numpy as np
import pytest

from videohoi.errors import SinkError
from videohoi.sink.pairs_csv import COLUMNS, PairsCsv
from videohoi.structures import Frame, FrameResult, HumanObjectPairs, Interactions, Tracks


@pytest.fixture
def scored(vocabulary):
    """A frame in which person 1 and thing 4 have these verb scores."""

    def make(pts_seconds, verbs, *, ids=(1, 4), object_class="skateboard"):
        scores = np.zeros((1, len(vocabulary.verbs)), np.float32)
        for verb, score in verbs.items():
            scores[0, vocabulary.verb_id(verb)] = score
        pairs = HumanObjectPairs(np.array([0]), np.array([1]))
        classes = np.array([vocabulary.person_id, vocabulary.object_id(object_class)])
        frame = Frame(np.zeros((4, 4, 3), np.uint8), 0, pts_seconds, "clip.mp4")
        return FrameResult(frame, pair_scores=Interactions(pairs, scores), tracks=Tracks(np.array(ids), classes))

    return make


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write(path, vocabulary, info, results):
    sink = PairsCsv(path, vocabulary)
    sink.open(info, {})
    for result in results:
        sink.process(result)
    sink.close(complete=True)
    return rows_of(path)


def test_the_verb_is_the_one_of_highest_mean_over_the_frames_of_the_pair(tmp_path, vocabulary, info, scored):
    results = [scored(0.0, {"ride": 0.9, "jump": 0.5}), scored(0.1, {"ride": 0.1, "jump": 0.7})]
    (row,) = write(tmp_path / "pairs.csv", vocabulary, info, results)
    assert list(row) == list(COLUMNS)
    assert (row["human_id"], row["object_id"], row["object_class"]) == ("1", "4", "skateboard")
    assert row["likeliest_verb"] == "jump", "0.6 beats 0.5 although ride has the highest single score"
    assert float(row["likeliest_score"]) == pytest.approx(0.6)
    assert row["frames"] == "2"
    assert (float(row["first_seconds"]), float(row["last_seconds"])) == (0.0, 0.1)


def test_the_class_is_the_one_named_most_often_and_its_verbs_alone_count(tmp_path, vocabulary, info, scored):
    """Nobody drinks with a skateboard, whatever was scored while the thing was taken for a cup."""
    results = [
        scored(0.0, {"drink_with": 0.9}, object_class="cup"),
        scored(0.1, {"ride": 0.2}),
        scored(0.2, {"ride": 0.1}),
    ]
    (row,) = write(tmp_path / "pairs.csv", vocabulary, info, results)
    assert (row["object_class"], row["likeliest_verb"]) == ("skateboard", "ride")
    assert float(row["likeliest_score"]) == pytest.approx(0.1)


def test_a_pair_without_a_segment_has_no_interaction(tmp_path, vocabulary, info, scored):
    (row,) = write(tmp_path / "pairs.csv", vocabulary, info, [scored(0.0, {"ride": 0.9})])
    assert (row["verb"], row["score"], row["seconds"]) == ("", "", "")


def test_the_interaction_is_the_best_of_the_segments(tmp_path, vocabulary, info, scored, make_event):
    """0.9 * 1 s of holding and 0.6 * 0.5 s again beat 0.8 * 1.2 s of riding; a moment beats nothing but silence."""
    spans = [
        ("hold", 0.0, 1.0, 0.9), ("hold", 3.0, 3.5, 0.6), ("ride", 0.5, 1.7, 0.8), ("kick", 2.0, 2.0, 0.99),
    ]  # fmt: skip
    events = [
        make_event("end", verb=verb, begin_seconds=begin, end_seconds=end, mean_score=score, interaction_id=number)
        for number, (verb, begin, end, score) in enumerate(spans)
    ]
    dropped = [make_event(phase, verb="jump", interaction_id=9, end_seconds=90.0) for phase in ("begin", "retract")]
    result = dataclasses.replace(scored(0.0, {"flip": 0.14}), events=(*events, *dropped))
    (row,) = write(tmp_path / "pairs.csv", vocabulary, info, [result])
    assert (row["verb"], row["score"], row["seconds"]) == ("hold", "0.8000", "1.5000")
    assert (row["likeliest_verb"], row["likeliest_score"]) == ("flip", "0.1400")


def test_an_interaction_still_on_at_the_end_counts_under_its_own_class(
    tmp_path, vocabulary, info, scored, make_event
):  # fmt: skip
    begin = make_event("begin", object_class="surfboard", begin_seconds=0.0, end_seconds=0.5)
    results = [dataclasses.replace(scored(0.0, {"ride": 0.5}), events=(begin,)), scored(0.5, {"ride": 0.5})]
    (row,) = write(tmp_path / "pairs.csv", vocabulary, info, results)
    assert (row["object_class"], row["verb"], float(row["seconds"])) == ("surfboard", "ride", 0.5)


def test_pairs_are_sorted_by_human_and_object(tmp_path, vocabulary, info, scored):
    results = [scored(0.0, {"ride": 0.5}, ids=ids) for ids in ((10, 2), (2, 9), (2, 10))]
    rows = write(tmp_path / "pairs.csv", vocabulary, info, results)
    assert [(row["human_id"], row["object_id"]) for row in rows] == [("2", "9"), ("2", "10"), ("10", "2")]


def test_unconfirmed_boxes_and_frames_without_pairs_give_no_row(tmp_path, vocabulary, info, scored, make_result):
    results = [scored(0.0, {"ride": 0.5}, ids=(-1, 4)), scored(0.1, {"ride": 0.5}, ids=(1, -1)), make_result()]
    assert write(tmp_path / "pairs.csv", vocabulary, info, results) == []
    assert (tmp_path / "pairs.csv").read_text(encoding="utf-8") == ",".join(COLUMNS) + "\n"


def test_an_aborted_run_leaves_nothing_and_the_next_starts_afresh(tmp_path, vocabulary, info, scored):
    sink = PairsCsv(tmp_path / "pairs.csv", vocabulary)
    sink.open(info, {})
    sink.process(scored(0.0, {"ride": 0.5}, ids=(7, 8)))
    sink.abort()
    sink.close(complete=False)
    assert list(tmp_path.iterdir()) == []
    sink.open(info, {})
    sink.process(scored(0.0, {"ride": 0.5}))
    sink.close(complete=False)
    assert [row["human_id"] for row in rows_of(tmp_path / "pairs.csv")] == ["1"]


def test_a_place_that_cannot_be_written_is_refused_before_the_first_frame(tmp_path, vocabulary, info):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SinkError, match=r"cannot write .*pairs\.csv"):
        PairsCsv(tmp_path / "file" / "pairs.csv", vocabulary).open(info, {})
