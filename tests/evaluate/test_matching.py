"""Matching and precision: compiled and plain agree, and the rules that differ between conventions, by hand."""

import dataclasses

import numpy as np
import pytest
from hico_cases import FAR, HUMAN, THING, predictions_of, truth_of
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.errors import TruthError, UsageError
from videohoi.evaluate.conventions import CONVENTIONS, GEN, OFFICIAL, POCKET, QPIC, UPT, convention_named
from videohoi.evaluate.matching import class_scores, eleven_points, match, mean_of, ranked_outcomes

INTEGER_BOX = st.tuples(*[st.integers(0, 6)] * 4).map(
    lambda v: [float(min(v[0], v[2])), float(min(v[1], v[3])), float(max(v[0], v[2])), float(max(v[1], v[3]))]
)
TRIPLET = st.tuples(st.integers(0, 2), INTEGER_BOX, INTEGER_BOX)
SCENES = st.lists(st.lists(TRIPLET, max_size=4), min_size=1, max_size=3)
FOUND = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), INTEGER_BOX, INTEGER_BOX, st.integers(0, 5).map(float)), max_size=12
)


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda convention: convention.name)
@given(scenes=SCENES, found=FOUND, top_k=st.sampled_from([None, 0, 1, 3]), repeats=st.booleans())
@settings(deadline=None, max_examples=25)
def test_compiled_and_plain_agree(convention, scenes, found, top_k, repeats):
    truth = truth_of(scenes, class_count=3)
    predictions = predictions_of([row for row in found if row[0] < len(scenes)])
    rules = dataclasses.replace(convention, top_k=top_k)
    fast = match(truth, predictions, rules, repeats=repeats)
    plain = match(truth, predictions, rules, repeats=repeats, compiled=False)
    for name in ("rows", "class_offsets", "outcomes", "truth_rows", "positives"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(plain, name), err_msg=name)
    kept = np.arange(len(predictions)) % 3 != 1
    for mask in (None, kept):
        one, other = class_scores(fast, mask), class_scores(plain, mask, compiled=False)
        np.testing.assert_array_equal(one.average_precisions, other.average_precisions)
        np.testing.assert_array_equal(one.highest_recalls, other.highest_recalls)
        np.testing.assert_array_equal(one.counted, other.counted)


def precision(convention, images, found, class_id=0):
    matches = match(truth_of(images, class_count=2), predictions_of(found), convention)
    return class_scores(matches).average_precisions[class_id]


def test_a_right_prediction_is_worth_one_and_a_class_without_truth_is_unknown():
    images = [[(0, HUMAN, THING)]]
    assert precision(OFFICIAL, images, [(0, 0, [9, 9, 108, 208], [59, 99, 158, 198], 0.5)]) == pytest.approx(1.0)
    assert np.isnan(precision(OFFICIAL, images, [], class_id=1))
    assert precision(OFFICIAL, images, []) == 0.0


def test_both_boxes_must_fit():
    images = [[(0, HUMAN, THING)]]
    assert precision(QPIC, images, [(0, 0, HUMAN, FAR, 0.9)]) == 0.0
    assert precision(QPIC, images, [(0, 0, FAR, THING, 0.9)]) == 0.0


def test_the_second_prediction_of_an_annotation_is_wrong():
    matches = match(
        truth_of([[(0, HUMAN, THING)]], class_count=1),
        predictions_of([(0, 0, HUMAN, THING, 0.4), (0, 0, HUMAN, THING, 0.8)]),
        QPIC,
    )
    np.testing.assert_array_equal(matches.outcomes, [0, 1])
    np.testing.assert_array_equal(matches.truth_rows, [0, 0])
    np.testing.assert_array_equal(ranked_outcomes(matches, 0), [True, False])


def test_a_prediction_goes_to_the_annotation_it_fits_best_even_when_that_is_taken():
    near = [THING[0] + 10, THING[1], THING[2] + 10, THING[3]]
    found = [(0, 0, HUMAN, THING, 0.9), (0, 0, HUMAN, THING, 0.8)]
    matches = match(truth_of([[(0, HUMAN, THING), (0, HUMAN, near)]], class_count=1), predictions_of(found), QPIC)
    np.testing.assert_array_equal(matches.outcomes, [1, 0])


HALF = [0.0, 0.0, 9.0, 9.0], [0.0, 0.0, 9.0, 4.0]
"""with the border pixel: 100 and 50 pixels, IoU 0.5; without: 81 and 36, IoU 0.44"""


def test_the_border_pixel_decides_an_iou_of_one_half():
    images = [[(0, HALF[0], HALF[0])]]
    found = [(0, 0, HALF[1], HALF[1], 0.9)]
    assert precision(QPIC, images, found) == pytest.approx(1.0)
    assert precision(dataclasses.replace(QPIC, border_px=0.0), images, found) == 0.0


def test_exactly_one_half_is_enough_but_not_for_pocket():
    images = [[(0, [1, 1, 10, 10], [1, 1, 10, 10])]]  # moved by -1 in x1 and y1: 0 to 10
    found = [(0, 0, [0, 0, 10, 5], [0, 0, 10, 5], 0.9)]
    assert precision(POCKET, images, found) == 0.0
    assert precision(dataclasses.replace(POCKET, strict_iou=False), images, found) == pytest.approx(1.0)


def test_boxes_one_pixel_wide_do_not_overlap_for_qpic():
    line = [5.0, 0.0, 5.0, 30.0]
    images = [[(0, HUMAN, line)]]
    assert precision(QPIC, images, [(0, 0, HUMAN, line, 0.9)]) == 0.0
    found = [(0, 0, [v - 1 for v in HUMAN], [v - 1 for v in line], 0.9)]
    assert precision(OFFICIAL, images, found) == pytest.approx(1.0)


def test_annotations_move_into_the_frame_of_the_predictions():
    assert OFFICIAL.truth_shift_xyxy_px == (-1, -1, -1, -1)
    assert POCKET.truth_shift_xyxy_px == (-1, -1, 0, 0)
    truth = truth_of([[(0, HUMAN, THING)]])
    np.testing.assert_array_equal(truth.moved((-1, -1, 0, 0)).human_boxes_xyxy_px, [[9, 9, 109, 209]])
    assert truth.moved((0, 0, 0, 0)) is truth


def test_only_the_best_of_a_picture_count_where_the_convention_says_so():
    images = [[(0, HUMAN, THING)]]
    worse = [(0, 1, FAR, FAR, 0.5 + n / 1000) for n in range(100)]
    found = [*worse, (0, 0, HUMAN, THING, 0.1)]
    assert precision(QPIC, images, found) == 0.0
    shifted = [*worse, (0, 0, [9, 9, 108, 208], [59, 99, 158, 198], 0.1)]
    assert precision(OFFICIAL, images, shifted) == pytest.approx(1.0)


def test_a_picture_without_annotation_counts_except_for_qpic_and_upt():
    images = [[(0, HUMAN, THING)], []]
    found = [(0, 0, HUMAN, THING, 0.5), (1, 0, HUMAN, THING, 0.9)]
    assert precision(QPIC, images, found) == pytest.approx(1.0)
    assert precision(UPT, images, found) == pytest.approx(1.0)
    for convention in (GEN, POCKET, OFFICIAL):
        assert precision(convention, images, found) == pytest.approx(0.5)


def test_six_and_seven_tenths_are_reached_only_where_the_points_are_built_from_both_ends():
    for hits in (6, 7):
        outcomes = np.ones(hits, np.bool_)
        assert eleven_points(outcomes, 10, POCKET.recall_points()) == pytest.approx((hits + 1) / 11)
        assert eleven_points(outcomes, 10, QPIC.recall_points()) == pytest.approx(hits / 11)
    assert QPIC.recall_points()[[6, 7]].tolist() == [0.6000000000000001, 0.7000000000000001]
    assert POCKET.recall_points()[[3, 6, 7]].tolist() == [0.30000000000000004, 0.6, 0.7]


def test_precision_by_hand():
    # hits at ranks 1 and 3 of 2 annotations: recalls to 0.5 read 1, the others 2/3
    outcomes = np.array([True, False, True])
    assert eleven_points(outcomes, 2, POCKET.recall_points()) == pytest.approx((6 * 1 + 5 * 2 / 3) / 11)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((5, 0, HUMAN, THING, 0.5), r"prediction 0: image_rows: expected 0 to 0, got 5"),
        ((0, 9, HUMAN, THING, 0.5), r"prediction 0: class_ids: expected 0 to 1, got 9"),
        ((0, 0, [np.nan] * 4, THING, 0.5), r"prediction 0: human_boxes_xyxy_px: expected finite"),
        ((0, 0, HUMAN, THING, np.inf), r"prediction 0: scores: expected finite"),
    ],
)
def test_what_cannot_be_matched_is_an_error(row, message):
    with pytest.raises(UsageError, match=message):
        match(truth_of([[(0, HUMAN, THING)]], class_count=2), predictions_of([row]), QPIC)


def test_a_truth_that_does_not_hold_together_is_an_error():
    truth = truth_of([[(0, HUMAN, THING)]], class_count=2)
    with pytest.raises(TruthError, match="class_ids: expected 0 to 1, got 7 to 7"):
        dataclasses.replace(truth, class_ids=np.array([7]))
    with pytest.raises(TruthError, match="image_offsets"):
        dataclasses.replace(truth, image_offsets=np.array([0, 3]))


def test_conventions_are_found_by_name():
    assert convention_named("gen") is GEN
    with pytest.raises(UsageError, match=r"unknown convention 'qpik'; expected one of .*; did you mean qpic"):
        convention_named("qpik")


def test_means_leave_out_unknown_classes():
    values = np.array([0.5, np.nan, 0.1])
    assert mean_of(values, [True, True, False]) == 0.5
    assert np.isnan(mean_of(values, [False, True, False]))
