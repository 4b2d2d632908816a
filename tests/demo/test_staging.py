import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.demo.compose import LONGEST_SECONDS, SHORTEST_SECONDS, compose_demo


def _velocities(boxes, rate):
    return np.diff((boxes[:, :2] + boxes[:, 2:]) / 2, axis=0) * rate


@settings(deadline=None, max_examples=12)
@given(
    seconds=st.floats(SHORTEST_SECONDS, LONGEST_SECONDS),
    rate=st.sampled_from([5.0, 12.0, 24.0, 25.0, 30000 / 1001]),
    height=st.sampled_from([240, 480, 720]),
)
def test_cup_is_inside_the_person_exactly_while_held_and_everything_stays_in_the_picture(seconds, rate, height):
    truth = compose_demo(seconds, rate, height_px=height).truth
    person, cup = truth.person_boxes_xyxy_px, truth.cup_boxes_xyxy_px
    held = np.zeros(truth.frame_count, bool)
    held[truth.hold_begin_frame : truth.hold_end_frame + 1] = True
    assert (cup[held, :2] >= person[held, :2]).all()
    assert (cup[held, 2:] <= person[held, 2:]).all()
    assert truth.touching[held].all()
    assert not truth.touching[0]
    assert not truth.touching[-1]
    for boxes in (person, cup):
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, 2:] <= [truth.width_px, truth.height_px]).all()
    assert ((cup[:, 2] - cup[:, 0]) >= 90 * height / 480).all()


def test_the_cup_moves_with_the_person_while_held_and_stands_still_before_and_after():
    truth = compose_demo().truth
    cup = _velocities(truth.cup_boxes_xyxy_px, truth.frame_rate_hz)
    person = _velocities(truth.person_boxes_xyxy_px, truth.frame_rate_hz)
    begin, end = truth.hold_begin_frame, truth.hold_end_frame
    # the box of a leaning person is not rigid: its centre moves a few px/s unlike a point of the chest
    assert np.abs(cup[begin:end, 0] - person[begin:end, 0]).max() < 8
    assert np.abs(person[begin:end, 0]).max() > 25
    resting = round(1.7 * truth.frame_rate_hz)
    assert np.abs(cup[:resting]).max() == 0
    assert np.abs(cup[-resting:]).max() == 0
    assert np.abs(person[:resting, 0]).max() > 25, "the person sways all the time: resting is no co-motion"


def test_nothing_jumps():
    truth = compose_demo().truth
    step = np.abs(np.diff(truth.cup_boxes_xyxy_px, axis=0)).max()
    assert step < 40, "px per frame at 25 frames/s; the cup is 137 px wide, a tracker can follow"


def test_default_hold_is_the_middle_two_fifths():
    truth = compose_demo().truth
    assert truth.hold_begin_seconds == pytest.approx(2.72)  # 2.7 s lies between two frames: the next one
    assert truth.hold_end_seconds == pytest.approx(6.28)
