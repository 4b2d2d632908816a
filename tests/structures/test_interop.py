"""Boxes to supervision and back, and tables for pandas."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from videohoi.errors import InputError, UsageError
from videohoi.structures import Detections, Frame, FrameResult, TrackedInteractions, Tracks

OBJECTS, VERBS = ("person", "cup", "dog"), ("hold", "pat")


class Words:
    """The names that these results speak."""

    objects, verbs = OBJECTS, VERBS

    def draw(self, result):
        return np.zeros_like(result.frame.image)


@pytest.fixture
def sv():
    return pytest.importorskip("supervision", reason="the supervision extra is not installed")


@pytest.fixture
def detections():
    boxes = np.array([[0, 0, 10, 20], [5.5, 5, 8, 9], [30, 1, 50, 22]], np.float32)
    return Detections(boxes, np.array([0.9, 0.5, 0.25], np.float32), np.array([0, 1, 1]))


@pytest.fixture
def result(detections):
    """Person 7 holds cup 4; the third box is not confirmed, and the tracker calls it a dog."""
    active = np.array([[True, False], [False, True]])
    interactions = TrackedInteractions(
        np.array([7, 7]), np.array([4, 9]), np.array([1, 2]), np.array([[0.75, 0.1], [0.2, 0.5]], np.float32),
        np.array([True, False]), active, np.zeros(2, np.float32),
    )  # fmt: skip
    return FrameResult(
        Frame(np.zeros((24, 60, 3), np.uint8), 3, 0.12, "clip.mp4"), detections,
        tracks=Tracks(np.array([7, 4, -1]), np.array([0, 1, 2])), interactions=interactions, presenter=Words(),
    )  # fmt: skip


def same(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("boxes_xyxy_px", "scores", "class_ids")
    )


def test_detections_come_back_as_they_went(sv, detections):
    theirs = detections.to_supervision(OBJECTS)
    assert isinstance(theirs, sv.Detections)
    assert theirs.xyxy.tolist() == detections.boxes_xyxy_px.tolist()
    assert theirs["class_name"].tolist() == ["person", "cup", "cup"]
    assert theirs.tracker_id is None
    assert same(Detections.from_supervision(theirs), detections)
    theirs.xyxy[:] = 0
    assert detections.boxes_xyxy_px.any(), "a copy"


def test_no_box_is_no_box_on_either_side(sv):
    assert len(Detections.empty().to_supervision(OBJECTS)) == 0
    assert same(Detections.from_supervision(sv.Detections.empty()), Detections.empty())
    assert len(Tracks.from_supervision(sv.Detections.empty())) == 0


def test_a_results_tracks_and_voted_classes_go_along(sv, result):
    theirs = result.to_supervision()
    assert theirs.tracker_id.tolist() == [7, 4, -1]
    assert theirs["class_name"].tolist() == ["person", "cup", "dog"]
    back = FrameResult.from_supervision(result.frame, theirs)
    assert back.tracks.track_ids.tolist() == [7, 4, -1]
    assert back.tracks.class_ids.tolist() == [0, 1, 2]
    assert same(Detections.from_supervision(result.tracks.to_supervision(result.detections)), back.detections)


def test_classes_of_another_numbering_are_matched_by_name(sv):
    theirs = sv.Detections(
        xyxy=np.zeros((2, 4)), class_id=np.array([40, 0]), data={"class_name": np.array(["dog", "person"])}
    )
    assert Detections.from_supervision(theirs, OBJECTS).class_ids.tolist() == [2, 0]
    assert Detections.from_supervision(theirs).class_ids.tolist() == [40, 0]
    assert Detections.from_supervision(theirs).scores.tolist() == [1, 1], "no confidence: taken for sure"
    with pytest.raises(InputError, match="class 'person' is not an object of the vocabulary"):
        Detections.from_supervision(theirs, ("dog",))


def test_boxes_without_a_class_are_refused(sv):
    with pytest.raises(InputError, match="without class_id"):
        Detections.from_supervision(sv.Detections(xyxy=np.zeros((1, 4))))


@pytest.mark.parametrize("given", [None, 3, np.zeros((2, 4))])
def test_what_is_no_supervision_detections_is_named(given):
    with pytest.raises(InputError, match=f"expected supervision.Detections, got {type(given).__name__}"):
        Detections.from_supervision(given)


def test_tracks_of_other_rows_are_refused(result):
    with pytest.raises(UsageError, match="3 rows of tracks do not belong to 0 detections"):
        result.tracks.to_supervision(Detections.empty())


def test_without_the_package_the_error_says_what_to_install(monkeypatch, result):
    for package in ("supervision", "pandas"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=r"supervision is not installed: pip install 'videohoi\[supervision\]'"):
        result.to_supervision()
    with pytest.raises(UsageError, match=r"pandas is not installed: pip install 'videohoi\[pandas\]'"):
        result.to_pandas()


def test_the_table_of_boxes(result):
    pytest.importorskip("pandas", reason="the pandas extra is not installed")
    table = result.to_pandas()
    assert list(table.columns) == [
        "source_id", "frame_index", "pts_seconds", "track_id", "object_class", "score", "x1", "y1", "x2", "y2",
    ]  # fmt: skip
    assert table.iloc[1].tolist() == ["clip.mp4", 3, 0.12, 4, "cup", 0.5, 5.5, 5, 8, 9]
    assert table["object_class"].tolist() == ["person", "cup", "dog"]


def test_the_table_of_interactions(result):
    pytest.importorskip("pandas", reason="the pandas extra is not installed")
    table = result.to_pandas("interactions")
    assert table[["human_id", "verb", "object_id", "object_class", "score", "observed"]].values.tolist() == [
        [7, "hold", 4, "cup", 0.75, True],
        [7, "pat", 9, "dog", 0.5, False],
    ]
    assert table.loc[0, "object_x1"] == 5.5
    assert np.isnan(table.loc[1, "object_x1"]), "out of sight: no invented box"
    with pytest.raises(UsageError, match=r"to_pandas\('events'\): expected detections or interactions"):
        result.to_pandas("events")


def test_an_empty_result_has_the_same_columns(result):
    pytest.importorskip("pandas", reason="the pandas extra is not installed")
    empty = FrameResult(result.frame)
    for table in ("detections", "interactions"):
        assert len(empty.to_pandas(table)) == 0
        assert list(empty.to_pandas(table).columns) == list(result.to_pandas(table).columns)


def test_reprs_say_what_matters(result):
    assert repr(result) == (
        "FrameResult('clip.mp4', frame 3 at 0.12 s: 1 person, 1 cup, 1 dog; human 7 hold cup 4 (0.75); "
        "human 7 pat dog 9 (0.50))"
    )
    assert repr(FrameResult(result.frame)) == "FrameResult('clip.mp4', frame 3 at 0.12 s: nothing)"
    assert repr(result.detections) == "Detections(n=3, class_ids=[0, 1, 1], scores=[0.90, 0.50, 0.25])"
    assert repr(result.tracks) == "Tracks(n=3, confirmed=2, track_ids=[7, 4, -1], lost=())"


def test_names(result):
    assert result.names == {0: "person", 1: "cup", 2: "dog"}
    assert result.verb_names == VERBS
    for wanted in ("names", "verb_names"):
        with pytest.raises(UsageError, match="this result has no class names"):
            getattr(FrameResult(result.frame), wanted)
