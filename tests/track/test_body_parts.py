"""Half a body is no second person; children, neighbours and people who embrace are."""

import numpy as np
import pytest

from videohoi.structures import Detections, SourceInfo
from videohoi.track.body_parts import whole_bodies
from videohoi.track.byte import ByteTracker
from videohoi.track.byte_config import ByteConfig

ADULT = (100, 100, 220, 500)
PARTS = {
    "upper half": (102, 98, 218, 300),
    "head to hips, a little out": (95, 104, 214, 330),
    "without the feet": (100, 100, 220, 430),
    "legs": (110, 290, 215, 502),
}
PEOPLE = {
    "a child in the arms": (110, 160, 180, 330),
    "a child on the shoulders": (125, 95, 190, 230),
    "a child before the legs": (120, 320, 185, 500),
    "somebody embraced, as tall": (140, 102, 250, 500),
    "somebody embraced, inside the other's box": (105, 110, 215, 500),
    "somebody embraced, smaller": (60, 160, 170, 500),
    "a head": (140, 100, 180, 150),
    "a neighbour": (230, 100, 340, 480),
}


def people(*boxes, scores=None, class_id=0):
    scores = [0.9, *[0.6] * (len(boxes) - 1)] if scores is None else scores
    return Detections(np.array(boxes, np.float32), np.array(scores, np.float32), np.full(len(boxes), class_id))


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_a_slice_of_a_body_is_a_part_of_it(part) -> None:
    assert whole_bodies(people(ADULT, part), 0, 0.9).tolist() == [True, False]


@pytest.mark.parametrize("other", PEOPLE.values(), ids=PEOPLE)
def test_another_person_is_none(other) -> None:
    assert whole_bodies(people(ADULT, other), 0, 0.9).tolist() == [True, True]


def test_who_sits_before_somebody_is_the_surer_one_and_no_part() -> None:
    assert whole_bodies(people(ADULT, PARTS["legs"], scores=[0.7, 0.9]), 0, 0.9).all()


def test_things_inside_things_are_left_alone() -> None:
    assert whole_bodies(people(ADULT, PARTS["upper half"], class_id=5), 0, 0.9).all()
    mixed = people(ADULT, PARTS["upper half"])
    mixed.class_ids[1] = 5
    assert whole_bodies(mixed, 0, 0.9).all()


def test_one_human_none_and_boxes_without_area() -> None:
    assert whole_bodies(people(ADULT), 0, 0.9).tolist() == [True]
    assert whole_bodies(Detections.empty(), 0, 0.9).tolist() == []
    assert whole_bodies(people(ADULT, (150, 150, 150, 150), (np.nan,) * 4), 0, 0.9).all()


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(("config", "ids"), [(ByteConfig(), {1, -1}), (ByteConfig(part_cover=1.1), {1, 2})])
def test_a_part_gets_no_track(config, ids, compiled) -> None:
    tracker = ByteTracker(config, compiled=compiled)
    tracker.open(SourceInfo("clip", 640, 640, 30.0, None, None))
    for index in range(30):
        tracks = tracker.update(people(ADULT, PARTS["upper half"]), index / 30)
        assert set(tracks.track_ids.tolist()) == ids


@pytest.mark.parametrize("other", PEOPLE.values(), ids=PEOPLE)
def test_another_person_gets_a_track(other) -> None:
    tracker = ByteTracker(compiled=False)
    tracker.open(SourceInfo("clip", 640, 640, 30.0, None, None))
    found = [tracker.update(people(ADULT, other), index / 30).track_ids.tolist() for index in range(30)]
    assert sorted(found[-1]) == [1, 2]


# doubles: a second box as tall as the first


WIDE = (98, 98, 330, 505)
"""the same body and a thing beside it; the narrower box lies inside"""


def ids_over(frames, config=None, rate_hz=25.0):
    """Ids of each frame's rows; a frame is (boxes, scores)."""
    tracker = ByteTracker(config or ByteConfig(), compiled=False)
    tracker.open(SourceInfo("clip", 640, 640, rate_hz, None, None))
    return [
        tracker.update(people(*boxes, scores=scores), n / rate_hz).track_ids.tolist()
        for n, (boxes, scores) in enumerate(frames)
    ]


ALONE, BOTH, ONLY_WIDE = ((ADULT,), [0.9]), ((ADULT, WIDE), [0.9, 0.6]), ((WIDE,), [0.9])


@pytest.mark.parametrize("seconds", [0.04, 0.08, 0.2, 0.44])
def test_a_second_box_that_comes_for_a_moment_is_nobody(seconds) -> None:
    count = round(seconds * 25)
    found = ids_over([ALONE] * 20 + [BOTH] * count + [ALONE] * 20)
    assert {track for row in found for track in row} == {1, -1}


def test_a_body_whose_box_changes_over_a_double_keeps_its_id() -> None:
    found = ids_over([ALONE] * 20 + [BOTH] * 3 + [ONLY_WIDE] * 20)
    assert [row[0] for row in found] == [1] * 43


def test_a_second_box_that_stays_is_somebody() -> None:
    found = ids_over([ALONE] * 20 + [BOTH] * 30)
    assert found[-1] == [1, 2]
    assert found[20 + 11] == [1, -1]
    assert found[20 + 16] == [1, 2]


def test_two_who_were_apart_and_embrace_keep_their_ids() -> None:
    def other(index):
        left = max(130.0, 330.0 - 10.0 * index)  # comes nearer until nearly inside the other's box
        return (left, 105, left + 80, 500)

    found = ids_over([((ADULT, other(n)), [0.9, 0.7]) for n in range(60)])
    assert found == [[1, 2]] * 60


def test_somebody_who_walks_past_keeps_the_id() -> None:
    found = ids_over([((ADULT, (400.0 - 8 * n, 110, 490.0 - 8 * n, 495)), [0.9, 0.8]) for n in range(50)])
    assert found == [[1, 2]] * 50
