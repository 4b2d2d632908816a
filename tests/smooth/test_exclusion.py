"""One body, one mount; and how many verbs a pair may have."""

from dataclasses import replace

import numpy as np
import pytest
from smooth_scenes import Pair, Thing, frames, segments, smoothed, still, times

from videohoi.smooth.config import SmoothingConfig
from videohoi.smooth.pair_table import PairTable
from videohoi.smooth.scoring import Exclusion, PairScores

BOARD = (90.0, 380.0, 210.0, 420.0)


def reported(pairs, names, config=None, seconds=4.0):
    """(human, object) of the reported segments with their verb, begin and end."""
    things = [Thing(1, "person", still()), Thing(2, "person", still((220, 100, 320, 400)))]
    things += [Thing(track, name, still(BOARD)) for track, name in names.items()]
    return segments(smoothed(frames(times(30, seconds), things, pairs), config))


def rides(score):
    return lambda pts: {"ride": score}


@pytest.mark.parametrize(("first", "second", "winner"), [(0.8, 0.6, 10), (0.6, 0.8, 11)])
def test_a_human_rides_the_better_of_two_boards(first, second, winner) -> None:
    found = reported([Pair(1, 10, rides(first)), Pair(1, 11, rides(second))], {10: "skateboard", 11: "snowboard"})
    assert [s.object_id for s in found] == [winner]


def test_a_board_carries_the_better_of_two_humans() -> None:
    found = reported([Pair(1, 10, rides(0.6)), Pair(2, 10, rides(0.8))], {10: "skateboard"})
    assert [s.human_id for s in found] == [2]


def test_two_humans_ride_a_board_each() -> None:
    found = reported([Pair(1, 10, rides(0.7)), Pair(2, 11, rides(0.7))], {10: "skateboard", 11: "snowboard"})
    assert {(s.human_id, s.object_id) for s in found} == {(1, 10), (2, 11)}


def rides_later(score, begin=2.0):
    return lambda pts: {"ride": score if pts >= begin else 0.0}


def test_an_incumbent_keeps_against_a_slightly_better_rival() -> None:
    found = reported([Pair(1, 10, rides(0.6)), Pair(1, 11, rides_later(0.75))], {10: "skateboard", 11: "snowboard"})
    assert [(s.object_id, s.begin_seconds) for s in found] == [(10, 0.0)]
    assert found[0].end_seconds > 3.9


def test_an_incumbent_yields_to_a_clearly_better_rival() -> None:
    found = reported([Pair(1, 10, rides(0.6)), Pair(1, 11, rides_later(0.95))], {10: "skateboard", 11: "snowboard"})
    first, second = found
    assert (first.object_id, second.object_id) == (10, 11)
    assert first.end_seconds <= second.begin_seconds == pytest.approx(2.0, abs=0.4)


def test_sitting_on_one_thing_excludes_riding_another() -> None:
    pairs = [Pair(1, 10, lambda t: {"sit_on": 0.8}), Pair(1, 11, rides(0.6))]
    found = reported(pairs, {10: "bench", 11: "bicycle"})
    assert [(s.verb, s.object_id) for s in found] == [("sit_on", 10)]


FOUR = {"ride": 0.9, "hold": 0.88, "straddle": 0.84, "sit_on": 0.78}


@pytest.mark.parametrize("most", [1, 2, 3, 4])
def test_the_best_verbs_of_a_pair_win(most) -> None:
    config = replace(SmoothingConfig(), max_verbs_per_pair=most)
    found = reported([Pair(1, 10, lambda t: FOUR)], {10: "bicycle"}, config)
    assert {s.verb for s in found} == set(list(FOUR)[:most])


def test_verbs_lost_to_another_pair_take_no_place_among_the_most() -> None:
    config = replace(SmoothingConfig(), max_verbs_per_pair=1)
    second = {"ride": 0.6, "hold": 0.55}
    found = reported([Pair(1, 10, rides(0.95)), Pair(1, 11, lambda t: second)], {10: "bicycle", 11: "bicycle"}, config)
    assert {(s.object_id, s.verb) for s in found} == {(10, "ride"), (11, "hold")}


def test_words_of_ones_own_without_a_mount_compete_for_nothing() -> None:
    table = PairTable(2)
    row = table._take((1, 10), 0.0)
    scores = PairScores(np.array([[0.0, 0.0], [0.7, 0.4]]), np.array([False, True]))
    Exclusion(("person", "cup"), ("hold", "drink_with")).apply(table, np.array([row]), scores)
    assert scores.values[row].tolist() == [0.7, 0.4]
