"""The yardstick itself: ratios round by round, verdicts, what happens when answers differ."""

import pytest

from benchmarks.harness import Contestant, Row, Timing, interleave
from benchmarks.results import Measured, as_json, as_markdown, from_json

MACHINE = {"processor": "x", "cores": 2, "load_1min_at_start": 0.0, "python": "3", "system": "s", "packages": {}}


def row(**arguments):
    ours, theirs = Timing("ours", (1.0, 2.0, 4.0)), Timing("theirs", (3.0, 8.0, 8.0))
    return Row("case", "10 numbers", (ours, theirs), **arguments)


def test_a_ratio_is_the_median_of_the_ratios_of_each_round():
    assert row().ratio("theirs") == (3.0, 2.0, 4.0)


@pytest.mark.parametrize(("goal", "met"), [(3.0, True), (3.1, False)])
def test_a_goal_is_met_by_the_median(goal, met):
    assert row(goals={"theirs": goal}).goal_met is met


def test_a_goal_of_an_absent_peer_says_nothing():
    assert row(goals={"other": 9.0}).goal_met is None


def test_every_contestant_gets_a_turn_in_every_round_and_one_before():
    calls = []
    timings = interleave(
        [Contestant(name, lambda name=name: calls.append(name)) for name in "ab"], rounds=3, least_seconds=0.0
    )
    assert [len(timing.seconds) for timing in timings] == [3, 3]
    assert calls[-6:] == ["a", "b", "b", "a", "a", "b"]


def test_units_divide_the_time():
    import time

    (one,) = interleave([Contestant("one", lambda: time.sleep(0.01), units=10)], rounds=1, least_seconds=0.0)
    assert 0.001 <= one.median_seconds < 0.01


def test_the_table_shows_ratio_goal_and_verdict():
    one = Measured("text", (row(goals={"theirs": 4.0}, absent=("boxmot: not installed",)),), MACHINE)
    text = as_markdown({"name": one})
    assert "| 3 (2-4) | >= 4 | **no** | 10 numbers |" in text
    assert "boxmot: not installed" in text


def test_json_holds_every_round_and_reads_back():
    one = Measured("text", (row(figures={"drops": 3}, goals={"theirs": 2.0}),), MACHINE)
    text = as_json({"name": one})
    assert "8.0" in text
    assert from_json(text) == {"name": one}
