"""Are two tracks the annotated pair? Seen through the hits of a one-segment clip."""

from dataclasses import replace

import numpy as np
import pytest
from segments_cases import (
    CUP,
    CUP_BOX,
    FAR_BOX,
    FAR_CUP,
    HUMAN,
    PERSON_BOX,
    event,
    make_run,
    make_track,
    make_truth,
    predicted,
    score_clip,
    state,
)

from videohoi.evaluate.segments.places import boxes_agree
from videohoi.evaluate.segments.run_files import TrackBoxes


def hits(truth, segment, *tracks):
    return score_clip(truth, make_run(segment, tracks=[make_track(HUMAN, PERSON_BOX), *tracks])).at("strict", 0.3).hits


def misplaced(*right_seconds):
    """The cup's track, at its place only at the given times."""
    track = make_track(CUP, FAR_BOX)
    rows = [int(np.argmin(np.abs(track.pts_seconds - seconds))) for seconds in right_seconds]
    track.boxes_xyxy_px[rows] = CUP_BOX
    return track


@pytest.mark.parametrize(("width", "agree"), [(100, True), (31, True), (29, False), (0, False)])
def test_boxes_agree_from_thirty_percent_iou(width, agree):
    true_box = np.array([0.0, 0.0, 100.0, 100.0])
    assert boxes_agree(np.array([0.0, 0.0, width, 100.0]), true_box) == agree


def test_small_means_the_mean_side_is_below_forty():
    centred = np.array([-300.0, -300.0, 340.0, 340.0])
    assert boxes_agree(centred, np.array([0.0, 0.0, 39.0, 40.0]))
    assert boxes_agree(centred, np.array([10.0, 15.0, 110.0, 25.0])), "long and thin: 100 x 10"
    assert not boxes_agree(centred, np.array([0.0, 0.0, 40.0, 40.0]))
    assert not boxes_agree(centred + 100, np.array([0.0, 0.0, 39.0, 40.0])), "the centre must lie inside"


@pytest.mark.parametrize(("offset_seconds", "hit"), [(0.04, 1), (0.1, 0)])
def test_a_box_speaks_for_a_keyframe_at_most_a_frame_away(offset_seconds, hit):
    times = np.array([2.0, 2.5, 3.0]) + offset_seconds
    track = TrackBoxes(CUP, "cup", times, np.tile(np.array(CUP_BOX), (3, 1)))
    assert hits(make_truth(state(2.0, 3.0)), predicted(2.0, 3.0), track) == hit


def test_a_track_that_fits_a_neighbour_better_still_finds_the_truth():
    """Finding asks for IoU 0.3 with the true box only; two cups side by side are both near enough."""
    beside = (CUP_BOX[0] + 20, CUP_BOX[1], CUP_BOX[2] + 20, CUP_BOX[3])
    truth = make_truth(state(2.0, 6.0), boxes={"p1": PERSON_BOX, "cup": CUP_BOX, "far": beside})
    assert hits(truth, predicted(2.0, 6.0, thing=FAR_CUP), make_track(FAR_CUP, beside)) == 1


def test_between_keyframes_the_nearest_on_either_side_decide():
    truth = make_truth(state(2.2, 2.4))  # keyframes at ..., 1.5, 2.0, 2.5, 3.0, ...
    assert hits(truth, predicted(2.2, 2.4), misplaced(2.0)) == 1, "one of two agrees"
    assert hits(truth, predicted(2.2, 2.4), misplaced(2.5)) == 1
    assert hits(truth, predicted(2.2, 2.4), misplaced(1.5, 3.0)) == 0


def test_keyframes_in_the_shared_time_decide():
    truth = make_truth(state(0.0, 6.0))
    assert hits(truth, predicted(3.0, 6.0), misplaced(3.0, 3.5, 4.0, 4.5)) == 1
    assert hits(truth, predicted(3.0, 6.0), misplaced(0.0, 0.5, 1.0, 1.5, 2.0, 2.5)) == 0


def test_a_detection_beside_an_event_is_placed_at_the_event():
    contact = replace(event(5.0), begin_seconds=4.9, end_seconds=5.1)
    assert hits(make_truth(contact), predicted(5.2, 5.2, "kick"), misplaced(5.0)) == 1
    assert hits(make_truth(contact), predicted(5.2, 5.2, "kick"), misplaced(5.5)) == 0
