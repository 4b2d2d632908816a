"""Rare classes are drawn more often and weigh more, common ones are left as they are."""

import numpy as np
import pytest

from videohoi.train.sampling import WEIGHT_RANGE, class_weights, epoch_order, repeat_factors

PICTURES = [{0}] * 96 + [{0, 7}] * 4  # class 7 is in 4 of 100


def test_a_picture_is_repeated_as_its_rarest_class_asks():
    factors = repeat_factors(PICTURES, common_share=0.16)
    assert factors[:96] == pytest.approx(np.ones(96))
    assert factors[96:] == pytest.approx(np.full(4, 2.0))  # sqrt(0.16 / 0.04)


def test_no_class_is_rarer_than_three_pictures_and_an_empty_picture_is_drawn_once():
    factors = repeat_factors([*[{0}] * 98, {5}, set()], common_share=0.12)
    assert factors[98] == pytest.approx(2.0)  # sqrt(0.12 / 0.03)
    assert factors[99] == 1.0


def test_zero_switches_balancing_off():
    assert repeat_factors(PICTURES, 0.0) == pytest.approx(np.ones(100))


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_outside_its_range_is_refused(share):
    with pytest.raises(ValueError, match="common_share"):
        repeat_factors(PICTURES, share)


def test_an_epoch_holds_every_picture_and_fractions_come_out_on_average():
    rng = np.random.default_rng(0)
    repeats = np.array([1.0, 2.0, 1.5])
    counts = np.array([np.bincount(epoch_order(repeats, rng), minlength=3) for _ in range(400)])
    assert (counts[:, 0] == 1).all()
    assert (counts[:, 1] == 2).all()
    assert set(counts[:, 2]) == {1, 2}
    assert counts[:, 2].mean() == pytest.approx(1.5, abs=0.1)


def test_class_weights_fall_with_the_number_of_pictures_within_their_range():
    weights = class_weights(PICTURES, 10, power=0.5)
    assert weights[0] < weights[7] < weights[9]
    assert weights.min() >= WEIGHT_RANGE[0]
    assert weights.max() <= WEIGHT_RANGE[1]
    assert class_weights(PICTURES, 10, power=0.0) == pytest.approx(np.ones(10))
