"""Sources without files."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numbered_videos import read

from videohoi.decode.factory import open_source
from videohoi.decode.synthetic import ArraySource, GeneratedSource
from videohoi.errors import DecodeError, UsageError


def test_the_same_arguments_give_the_same_pixels():
    one, two, other = (read(GeneratedSource(64, 48, frame_count=5, seed=seed)) for seed in (3, 3, 4))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
    assert not np.array_equal(one[0].image, other[0].image)


def test_shapes_move_and_times_are_regular():
    source = GeneratedSource(64, 48, frame_count=10, frame_rate_hz=5.0)
    info = source.open()
    frames = list(source.frames())
    assert (info.width_px, info.height_px, info.frame_count, info.duration_seconds) == (64, 48, 10, 2.0)
    assert [frame.pts_seconds for frame in frames] == pytest.approx([index / 5 for index in range(10)])
    assert all((a.image != b.image).any() for a, b in pairwise(frames))


def test_pictures_follow_the_time_not_the_number():
    regular = read(GeneratedSource(64, 48, frame_count=9, frame_rate_hz=4.0))
    variable = read(GeneratedSource(64, 48, pts_seconds=[0.0, 0.5, 2.0]))
    assert [frame.pts_seconds for frame in variable] == [0.0, 0.5, 2.0]
    for frame, index in zip(variable, (0, 2, 8), strict=True):
        np.testing.assert_array_equal(frame.image, regular[index].image)


def test_address():
    source = open_source("test://48x32?frames=7&rate=10&seed=2")
    info = source.open()
    assert (info.width_px, info.height_px, info.frame_rate_hz, info.frame_count) == (48, 32, 10.0, 7)
    assert len(list(source.frames())) == 7
    assert open_source("test://48x32").open().frame_count == 100


@pytest.mark.parametrize(
    "address",
    ["test://", "test://48", "test://axb", "test://48x32?frames=many", "test://48x32?speed=2", "test://48x32/dir"],
)
def test_a_bad_address_shows_a_good_one(address):
    with pytest.raises(UsageError, match=r"write it like test://320x240") as raised:
        open_source(address)
    assert address in str(raised.value)


@pytest.mark.parametrize("options", [{"width_px": 8}, {"frame_count": 0}, {"frame_rate_hz": 0.0}, {"seed": -1}])
def test_values_out_of_range(options):
    with pytest.raises(UsageError, match="a generated source needs"):
        GeneratedSource(**options)


def test_array_source_repairs_stamps_like_a_file():
    images = [np.full((4, 6, 3), value, np.uint8) for value in range(4)]
    source = ArraySource(images, [0.0, None, 0.1, 0.1], source_id="mine")
    frames = read(source)
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [0, 1, 2, 3]
    assert [frame.pts_seconds for frame in frames] == pytest.approx([0.0, 0.04, 0.1, 0.101])
    assert (source.report.missing_timestamps, source.report.repaired_timestamps) == (1, 1)
    assert frames[0].source_id == "mine"


def test_array_source_takes_one_array():
    assert len(read(ArraySource(np.zeros((3, 4, 6, 3), np.uint8), [0, 1, 2]))) == 3


@pytest.mark.parametrize(
    ("images", "stamps", "reason"),
    [
        ([np.zeros((4, 6, 3), np.uint8)], [0.0, 1.0], "one time stamp per image"),
        ([np.zeros((4, 6, 3), np.float32)], [0.0], "uint8"),
        ([np.zeros((4, 6), np.uint8)], [0.0], "uint8 images"),
        ([np.zeros((4, 6, 3), np.uint8), np.zeros((4, 7, 3), np.uint8)], [0.0, 1.0], "image 1"),
    ],
)
def test_array_source_refuses(images, stamps, reason):
    with pytest.raises(UsageError, match=reason):
        ArraySource(images, stamps)


def test_array_source_without_images():
    with pytest.raises(DecodeError, match="no image"):
        ArraySource([], []).open()
