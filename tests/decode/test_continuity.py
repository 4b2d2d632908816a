"""Repair of time stamps, worked by hand and over random input."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.decode.continuity import TimestampRepair
from videohoi.decode.protocol import SourceReport


def repair(stamps, step_seconds=0.04):
    report = SourceReport()
    clock = TimestampRepair(report, step_seconds)
    return [clock.place(stamp) for stamp in stamps], report


@pytest.mark.parametrize(
    ("stamps", "expected", "missing", "repaired"),
    [
        ([0.0, 0.04, 0.08], [0.0, 0.04, 0.08], 0, 0),  # nothing to do
        ([1.5, 1.54], [1.5, 1.54], 0, 0),  # a late start is media time
        ([-0.08, -0.04, 0.0, 0.04], [0.0, 0.04, 0.08, 0.12], 0, 0),  # a negative start moves all
        ([0.0, 0.1, None, 0.3], [0.0, 0.1, 0.2 - 0.03, 0.3], 1, 0),  # median of the nominal 0.04 and the seen 0.1
        ([None, None, None], [0.0, 0.04, 0.08], 3, 0),  # none at all
        ([float("nan"), 0.04], [0.0, 0.04], 1, 0),  # no number is no stamp
        ([0.0, 0.04, 0.04, 0.08], [0.0, 0.04, 0.041, 0.08], 0, 1),  # twice
        ([0.0, 0.08, 0.04, 0.12], [0.0, 0.08, 0.081, 0.12], 0, 1),  # out of order
        ([0.0, 0.04, 9.0, 9.04], [0.0, 0.04, 9.0, 9.04], 0, 0),  # a pause is kept
        ([5.0, 5.04, 5.08, 0.0, 0.04, 0.08], [5.0, 5.04, 5.08, 5.12, 5.16, 5.20], 0, 1),  # the clock restarted
        ([5.0, 5.04, 0.0, 5.12, 5.16], [5.0, 5.04, 5.08, 5.12, 5.16], 0, 1),  # a single wrong frame
    ],
)
def test_worked_cases(stamps, expected, missing, repaired):
    times, report = repair(stamps)
    assert times == pytest.approx(expected, abs=1e-9)
    assert (report.missing_timestamps, report.repaired_timestamps) == (missing, repaired)


def test_a_new_clock_is_noted():
    _, report = repair([5.0, 5.04, 0.0, 0.04])
    assert len(report.notes) == 1
    assert "5.040 s" in report.notes[0]


STAMPS = st.one_of(st.none(), st.floats(-1e5, 1e9), st.sampled_from([0.0, 0.04, 1.0, 1e9, float("inf")]))


@settings(deadline=None, max_examples=200)
@given(st.lists(STAMPS, max_size=40))
def test_times_strictly_increase_from_zero_or_later(stamps):
    times, report = repair(stamps)
    assert all(time >= 0 for time in times)
    assert all(later > earlier for earlier, later in pairwise(times))
    assert report.missing_timestamps == sum(stamp is None or stamp == float("inf") for stamp in stamps)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(0, 1e6), max_size=40, unique=True).map(sorted))
def test_good_times_are_left_alone(stamps):
    times, report = repair(stamps)
    assert times == stamps
    assert report == SourceReport()
