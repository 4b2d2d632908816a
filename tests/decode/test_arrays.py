"""Pictures in memory: what people have, and one clear line for what cannot be meant."""

from __future__ import annotations

import numpy as np
import pytest

from videohoi.decode.arrays import array_source
from videohoi.errors import DecodeError, InputError, UsageError
from videohoi.structures import Frame

RED, BLUE = (255, 0, 0), (0, 0, 255)


def picture(colour=RED, height=4, width=6):
    return np.full((height, width, 3), colour, np.uint8)


def read(pictures, **options):
    source = array_source(pictures, **options)
    info = source.open()
    frames = list(source.frames())
    source.close()
    return info, frames, source.report


def test_one_picture_is_one_frame_without_a_remark():
    info, (frame,), report = read(picture())
    assert (info.width_px, info.height_px, info.frame_count) == (6, 4, 1)
    assert (frame.index, frame.pts_seconds, frame.source_id) == (0, 0.0, "pictures")
    assert frame.image.tolist() == picture().tolist()
    assert report.notes == []


def test_bgr_is_turned_and_grey_is_spread():
    assert read(picture(BLUE), channels="bgr")[1][0].image[0, 0].tolist() == list(RED)
    for grey in (np.full((4, 6), 7, np.uint8), np.full((4, 6, 1), 7, np.uint8)):
        assert read(grey)[1][0].image[0, 0].tolist() == [7, 7, 7]


@pytest.mark.parametrize("given", [list, tuple, np.stack, iter], ids=["list", "tuple", "video", "iterator"])
def test_many_pictures_come_at_the_stated_rate(given):
    pictures = given([picture((value, 0, 0)) for value in (1, 2, 3)])
    info, frames, report = read(pictures, frame_rate_hz=10, source_id="door")
    assert [frame.image[0, 0, 0] for frame in frames] == [1, 2, 3]
    assert [frame.pts_seconds for frame in frames] == pytest.approx([0, 0.1, 0.2])
    assert {frame.source_id for frame in frames} == {info.source_id} == {"door"}
    assert info.frame_rate_hz == 10
    assert info.frame_count == (None if given is iter else 3)
    assert report.notes == []


def test_an_assumed_rate_is_noted():
    _, frames, report = read([picture(), picture()])
    assert frames[1].pts_seconds == pytest.approx(1 / 25)
    assert "25 a second assumed" in report.notes[0]


def test_times_are_taken_as_given():
    info, frames, report = read(iter([(0.5, picture()), (np.float64(0.75), picture()), (2, picture())]))
    assert [frame.pts_seconds for frame in frames] == pytest.approx([0.5, 0.75, 2.0])
    assert info.frame_rate_hz is None
    assert report.notes == []


def test_a_buffer_that_an_iterator_uses_again_is_copied():
    def camera():
        buffer = picture()
        for value in (1, 2, 3):
            buffer[:] = value
            yield buffer

    assert [frame.image[0, 0, 0] for frame in read(camera(), frame_rate_hz=5)[1]] == [1, 2, 3]


def test_an_iterator_is_read_no_further_than_wanted():
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield picture()

    source = array_source(endless(), frame_rate_hz=5)
    source.open()
    frames = source.frames()
    next(frames)
    next(frames)
    assert len(taken) == 2


def test_frames_keep_their_times():
    frames = [Frame(picture(), 5, 1.5, "other"), Frame(picture(), 6, 1.75, "other")]
    assert [frame.pts_seconds for frame in read(frames)[1]] == pytest.approx([1.5, 1.75])


def test_what_offers_an_array_counts_as_one():
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    red = image.new("RGB", (6, 4), RED)
    for given in (red, red.convert("P"), red.convert("RGBA")):
        for channels in ("rgb", "bgr"):
            assert read(given, channels=channels)[1][0].image[0, 0].tolist() == list(RED)


class OnADevice:
    def __array__(self, dtype=None, copy=None):
        raise TypeError("can't convert cuda:0 device type tensor to numpy.\nUse Tensor.cpu()")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (picture().astype(np.float32) / 255, r"float32; expected uint8, 0 to 255; values from 0 to 1: \(255 \*"),
        (picture().astype(np.int64), "int64; expected uint8"),
        (picture().transpose(2, 0, 1), r"shape \(3, 4, 6\).*channels come last: picture.transpose\(1, 2, 0\)"),
        (np.zeros((4, 6, 4), np.uint8), r"leave the alpha channel out: picture\[\.\.\., :3\]"),
        (np.zeros((0, 6, 3), np.uint8), "no pixel"),
        (np.zeros(5, np.uint8), r"shape \(5,\); expected \(H, W, 3\)"),
        (np.zeros((1, 2, 4, 6, 3), np.uint8), r"expected \(H, W, 3\)"),
        (np.zeros((2, 3, 4, 6), np.uint8), r"picture 0 has shape \(3, 4, 6\).*channels come last"),
        ([], "no picture; the list is empty"),
        (np.zeros((0, 4, 6, 3), np.uint8), "no picture"),
        (["a.jpg", "b.jpg"], "picture 0 is 'a.jpg'; expected an array"),
        ([picture(), None], "picture 1 is NoneType; expected an array"),
        ({"a": picture()}, "cannot read pictures from dict; expected a path, an address"),
        (3.5, "cannot read pictures from float"),
        (bytearray(picture()), "cannot read pictures from bytearray"),
        (memoryview(picture()), "cannot read pictures from memoryview"),
        (OnADevice(), "OnADevice gives no array .*Use Tensor.cpu"),
        ([(0.0, picture()), picture()], "picture 1 comes without a time, unlike those before"),
        ([picture(), (0.0, picture())], "picture 1 comes with a time"),
        ([(float("nan"), picture())], "picture 0 has the time nan"),
    ],
)
def test_what_is_no_picture_is_said_in_one_line(given, message):
    with pytest.raises(InputError, match=message) as caught:
        read(given)
    assert "\n" not in str(caught.value)


def test_an_iterator_that_was_read_before_is_said_to_be():
    once = iter([picture()])
    read(once)
    with pytest.raises(DecodeError, match="its iterator was read before"):
        read(once)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": "brg"}, r"channels='brg': expected rgb or bgr"),
        ({"frame_rate_hz": 0}, "frame_rate_hz=0: expected pictures a second, above 0"),
        ({"frame_rate_hz": float("inf")}, "above 0"),
    ],
)
def test_impossible_options(options, message):
    with pytest.raises(UsageError, match=message):
        array_source(picture(), **options)


def test_a_rate_beside_times_is_refused():
    with pytest.raises(UsageError, match="have times of their own; leave frame_rate_hz out"):
        read([(0.0, picture())], frame_rate_hz=10)
