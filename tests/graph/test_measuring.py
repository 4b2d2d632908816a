import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.graph.measuring import LOWEST_SECONDS, DurationHistogram

STATED_ERROR = 0.01


def filled(values):
    histogram = DurationHistogram()
    for value in values:
        histogram.add(value)
    return histogram


def test_known_distribution_1_to_1000_ms():
    summary = filled(milliseconds / 1e3 for milliseconds in range(1, 1001)).summary()
    assert summary.count == 1000
    assert summary.mean_ms == pytest.approx(500.5)
    assert summary.max_ms == pytest.approx(1000.0)
    assert summary.p50_ms == pytest.approx(500, rel=STATED_ERROR)
    assert summary.p95_ms == pytest.approx(950, rel=STATED_ERROR)
    assert summary.p99_ms == pytest.approx(990, rel=STATED_ERROR)


def test_one_slow_frame_in_fifty_shows_in_p99_and_not_in_p95():
    summary = filled([0.010] * 98 + [0.300] * 2).summary()
    assert summary.p95_ms == pytest.approx(10, rel=STATED_ERROR)
    assert summary.p99_ms == pytest.approx(300, rel=STATED_ERROR)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(min_value=0.0, max_value=1e4), min_size=1, max_size=60),
    st.sampled_from([0.01, 0.07, 0.5, 0.95, 0.99, 1.0]),
)
def test_every_percentile_is_within_the_stated_error_of_nearest_rank(values, fraction):
    exact = sorted(values)[max(1, math.ceil(round(fraction * len(values), 9))) - 1]
    measured = filled(values).percentile_seconds(fraction)
    assert abs(measured - exact) <= max(STATED_ERROR * exact, LOWEST_SECONDS)


def test_empty_is_all_zero_and_equal_values_are_exact():
    empty = DurationHistogram().summary()
    assert (empty.count, empty.mean_ms, empty.p50_ms, empty.max_ms) == (0, 0.0, 0.0, 0.0)
    same = filled([0.0123] * 10).summary()
    assert same.p50_ms == same.p99_ms == same.max_ms == 12.3


def test_a_negative_duration_counts_as_zero():
    assert filled([-1.0]).summary().p50_ms == 0.0


def test_memory_does_not_grow_with_the_number_of_durations():
    histogram = filled(step * 1e-3 for step in range(20_000))
    for step in range(20_000):
        histogram.add((step + 0.5) * 1e-3)
    assert len(histogram._bins) < 500
