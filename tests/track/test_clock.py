"""Steps from stamps: never backward, anew after a jump."""

import pytest

from videohoi.track.clock import StampClock


def test_steps_follow_the_stamps():
    clock = StampClock(0.001, 1.0)
    assert [clock.tick(t) for t in (5.0, 5.04, 5.5)] == [False] * 3
    assert clock.dt_seconds == pytest.approx(0.46)
    assert clock.now_seconds - clock.previous_seconds == pytest.approx(0.46)


def test_only_the_first_step_is_the_first_frame():
    clock = StampClock(0.001, 1.0)
    first = []
    for stamp in (0.0, 0.1, 0.2):
        clock.tick(stamp)
        first.append(clock.at_first_frame)
    assert first == [True, False, False]


def test_equal_and_backward_stamps_take_the_least_step():
    clock = StampClock(0.001, 1.0)
    clock.tick(2.0)
    for stamp in (2.0, 1.9):
        assert not clock.tick(stamp)
        assert clock.dt_seconds == 0.001
    clock.tick(1.95)
    assert clock.dt_seconds == pytest.approx(0.05)


@pytest.mark.parametrize("stamp", [3.5, 0.5])
def test_a_jump_either_way_starts_anew(stamp):
    clock = StampClock(0.001, 1.0)
    clock.tick(2.0)
    assert clock.tick(stamp)
    assert clock.at_first_frame
    assert clock.now_seconds == 0.001
    assert not clock.tick(stamp + 0.1)
