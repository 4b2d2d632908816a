"""Sources without files."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numbered_videos import read

from videohoi.decode.factory import open_source
from videohoi.decode.synthetic import GeneratedSource
from videohoi.errors import UsageError


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
