"""``read`` gives the frames that ``frames`` gives, without decoding a video from its start."""

from __future__ import annotations

import importlib.util
import os
import threading
from fractions import Fraction

import av
import numpy as np
import pytest
from numbered_videos import number_of, numbered_image, read

from videohoi.decode import random_access
from videohoi.decode.arrays import array_source
from videohoi.decode.camera import CameraSource
from videohoi.decode.factory import open_source
from videohoi.errors import DecodeError, UsageError

needs_decord = pytest.mark.skipif(
    importlib.util.find_spec("decord") is None, reason="decord is not installed (extra: decord)"
)
BACKENDS = ["pyav", pytest.param("decord", marks=needs_decord)]


def assert_same_frames(given, expected):
    assert [frame.index for frame in given] == [frame.index for frame in expected]
    assert [frame.pts_seconds for frame in given] == pytest.approx([frame.pts_seconds for frame in expected], abs=1e-4)
    assert all(np.array_equal(one.image, other.image) for one, other in zip(given, expected, strict=True))


@pytest.mark.parametrize("backend", BACKENDS)
def test_frames_by_number_are_those_read_in_order(write_video, backend):
    path = write_video("clip.mp4", frame_count=60)
    every = read(open_source(path, backend=backend))
    asked = [47, 3, 0, 59, 3, 48, 20]
    given = open_source(path, backend=backend).read(asked)
    assert_same_frames(given, [every[number] for number in asked])
    assert [number_of(frame.image) for frame in given] == [number % 25 for number in asked]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("clip.mkv", "libx264"),
        ("clip.ts", "libx264"),
        ("clip.ts", "mpeg2video"),
        ("clip.avi", "mjpeg"),
        ("clip.avi", "mpeg4"),
        ("clip.webm", "libvpx"),
        ("clip.webm", "libvpx-vp9"),
        ("clip.h264", "libx264"),
        ("clip.gif", "gif"),
    ],
)
def test_every_frame_of_every_container_can_be_asked_for(write_video, name, codec):
    if codec not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no encoder {codec}")
    formats = {"mjpeg": "yuvj420p", "gif": "rgb8"}
    path = write_video(
        name, frame_count=40, codec=codec, pixel_format=formats.get(codec, "yuv420p"), time_base=Fraction(1, 25)
    )
    every = read(open_source(path))
    order = np.random.default_rng(3).permutation(len(every))
    assert_same_frames(open_source(path).read(order), [every[number] for number in order])


def test_decoding_starts_at_the_key_frame_before(write_video, monkeypatch):
    path = write_video("clip.mp4", frame_count=200, key_frame_every=10)
    decoded = random_access.decoded
    count = 0

    def counted(*arguments):
        nonlocal count
        for frame in decoded(*arguments):
            count += 1
            yield frame

    monkeypatch.setattr(random_access, "decoded", counted)
    assert [number_of(frame.image) for frame in open_source(path).read([55, 195])] == [5, 20]
    assert count <= 2 * 10


def test_by_time_the_frame_on_screen(write_video):
    path = write_video("vfr.mkv", ticks=[0, 40, 80, 1080, 1100], time_base=Fraction(1, 1000))
    source = open_source(path)
    assert source.frame_times_seconds() == pytest.approx([0, 0.04, 0.08, 1.08, 1.1])
    frames = source.read_at([0.5, -1.0, 1.08, 99.0])
    assert [frame.index for frame in frames] == [2, 0, 3, 4]
    assert [number_of(frame.image) for frame in frames] == [2, 0, 3, 4]


@pytest.mark.parametrize("backend", BACKENDS)
def test_times_are_those_of_the_frames(write_video, backend):
    path = write_video("clip.mp4", frame_count=30)
    times = open_source(path, backend=backend).frame_times_seconds()
    assert times == pytest.approx([frame.pts_seconds for frame in read(open_source(path))], abs=1e-4)


def test_a_clock_that_restarts_is_read_from_the_start(write_video, tmp_path):
    part = write_video("part.ts", frame_count=20, codec="mpeg2video").read_bytes()
    path = tmp_path / "joined.ts"
    path.write_bytes(part + part)
    every = read(open_source(path))
    asked = [len(every) - 1, 20, 3]
    assert_same_frames(open_source(path).read(asked), [every[number] for number in asked])


def test_images_arrays_and_generated_sources_too(tmp_path):
    images = [numbered_image(number) for number in range(6)]
    assert [number_of(frame.image) for frame in array_source(images).read([5, 2])] == [5, 2]
    (frame,) = open_source("test://64x48?frames=9&rate=3").read([6])
    assert (frame.index, frame.pts_seconds) == (6, pytest.approx(2.0))


@pytest.mark.parametrize("backend", BACKENDS)
def test_requests_that_cannot_be_met(write_video, backend):
    source = open_source(write_video("clip.mp4", frame_count=12), backend=backend)
    assert source.read([]) == []
    with pytest.raises(UsageError, match=r"clip\.mp4: frames are 0 to 11, asked for 12"):
        source.read([3, 12])
    for wrong in ([-1], [0.5], 3, [[1]]):
        with pytest.raises(UsageError, match=r"clip\.mp4: read\(\) needs a list of frame numbers"):
            source.read(wrong)
    with pytest.raises(UsageError, match=r"read_at\(\) needs a list of times"):
        source.read_at([float("nan")])
    source.open()
    with pytest.raises(UsageError, match=r"needs a closed source; call close\(\) first"):
        source.read([0])
    source.close()
    assert len(source.read([0])) == 1


def test_a_sequential_source_names_its_last_frame():
    with pytest.raises(UsageError, match="frames are 0 to 8, asked for 9"):
        open_source("test://64x48?frames=9").read([9])


def test_a_camera_has_no_pictures_to_go_back_to():
    with pytest.raises(UsageError, match="camera 0: read\\(\\) needs a recording"):
        CameraSource(0).read([0])


def test_a_lost_frame_keeps_its_number(write_video):
    path = write_video("clip.avi", frame_count=20, codec="mjpeg", pixel_format="yuvj420p")
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][4]
        begin, size = packet.pos, packet.size
    data = bytearray(path.read_bytes())
    data[begin + 8 : begin + size] = bytes(size - 8)
    path.write_bytes(data)
    with pytest.raises(DecodeError, match=r"clip\.avi: frame 4 cannot be decoded"):
        open_source(path).read([4])
    assert [number_of(frame.image) for frame in open_source(path).read([3, 5])] == [3, 5]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name exist on POSIX only")
def test_a_pipe_is_read_once_in_order(write_video, tmp_path):
    data = write_video("clip.mkv", frame_count=20).read_bytes()
    pipe = tmp_path / "pipe.mkv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    frames = open_source(pipe).read([2, 11])
    writer.join()
    assert [number_of(frame.image) for frame in frames] == [2, 11]
