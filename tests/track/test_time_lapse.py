"""Frames farther apart than tracks live: what stays in place keeps its identity, and the report says so."""

import numpy as np
import pytest

from videohoi.structures import Detections, SourceInfo
from videohoi.track.byte import ByteTracker
from videohoi.track.byte_config import ByteConfig

STEP_SECONDS = 5.0
PERSON, CUP = 0, 41


def lapse(tracker, boxes_at, *, rate_hz, count=10, step_seconds=STEP_SECONDS):
    """Ids in each frame."""
    tracker.open(SourceInfo("lapse", 640, 360, rate_hz, None, None))
    found = []
    for index in range(count):
        boxes = np.array(boxes_at(index), np.float32)
        classes = np.array([PERSON, CUP][: len(boxes)])
        seen = Detections(boxes, np.full(len(boxes), 0.9, np.float32), classes)
        found.append(tracker.update(seen, index * step_seconds).track_ids.tolist())
    return found


def at_a_desk(index):
    """Somebody who sways a little, and their cup."""
    sway = 6.0 * (index % 3)
    return [[100 + sway, 50, 220 + sway, 300], [240, 200, 280, 250]]


@pytest.mark.parametrize("compiled", [False, True])
def test_what_stays_in_place_keeps_its_identity(compiled) -> None:
    found = lapse(ByteTracker(compiled=compiled), at_a_desk, rate_hz=1 / STEP_SECONDS)
    assert found == [[1, 2]] * 10


def test_what_is_elsewhere_in_each_frame_is_somebody_else() -> None:
    def walking(index):
        return [[60.0 + 150 * (index % 3), 50, 160.0 + 150 * (index % 3), 300]]

    found = lapse(ByteTracker(compiled=False), walking, rate_hz=1 / STEP_SECONDS)
    first, second = found[0], found[1]
    assert first == [1]
    assert second != [1], "one and a half widths away after 5 s"


def test_the_report_says_that_frames_are_far_apart() -> None:
    for rate_hz in (1 / STEP_SECONDS, None):
        tracker = ByteTracker(compiled=False)
        lapse(tracker, at_a_desk, rate_hz=rate_hz)
        (note,) = tracker.notes
        assert note.startswith("9 of 9 frames came more than 1 s after the one before")


def test_the_usual_rates_and_a_few_pauses_are_not_spoken_of() -> None:
    tracker = ByteTracker(compiled=False)
    lapse(tracker, at_a_desk, rate_hz=10.0, step_seconds=0.1)
    assert tracker.notes == ()


@pytest.mark.parametrize("rate_hz", [None, 1.5, 10.0, 30.0, 60.0])
def test_settings_change_for_a_time_lapse_only(rate_hz) -> None:
    assert ByteConfig().for_frame_step(1 / rate_hz if rate_hz else 0.0) == ByteConfig()
