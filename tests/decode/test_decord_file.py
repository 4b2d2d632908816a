"""decord behind its fence. The fence is tested with an injected reader, decord itself where it is installed."""

from __future__ import annotations

import importlib.util
from fractions import Fraction

import av
import numpy as np
import pytest
from numbered_videos import number_of, numbered_image, read

from videohoi.decode.decord_file import DecordVideo, DecordVideoFile
from videohoi.decode.factory import open_source
from videohoi.decode.video_file import VideoFile
from videohoi.errors import DecodeError, UsageError

HAS_DECORD = importlib.util.find_spec("decord") is not None
needs_decord = pytest.mark.skipif(not HAS_DECORD, reason="decord is not installed (extra: decord)")


class ScriptedReader:
    """Stands in for decord.VideoReader: counts the frames it was asked for since its queues were last emptied."""

    def __init__(self, frame_count=20, broken_at=None):
        self.frame_count, self.broken_at = frame_count, broken_at
        self.unfenced, self.largest = 0, 0

    def __len__(self):
        return self.frame_count

    def get_avg_fps(self):
        return 10.0

    def get_batch(self, indices):
        self.unfenced += len(indices)
        self.largest = max(self.largest, self.unfenced)
        if self.broken_at in indices:
            raise RuntimeError("[12:00] video_reader.cc:729\nError getting frame")
        return np.stack([np.full((4, 6, 3), index, np.uint8) for index in indices])

    def get_frame_timestamp(self, indices):
        begin = np.asarray(indices, np.float32) / 10
        return np.stack([begin, begin + 0.1], axis=1)

    def seek(self, position):
        assert position == 0
        self.unfenced = 0


def test_frames_in_the_order_asked_for_and_the_queues_emptied():
    reader = ScriptedReader()
    video = DecordVideo("clip.mp4", open_reader=lambda path, threads: reader)
    assert video.frames_at([7, 3, 3])[:, 0, 0, 0].tolist() == [7, 3, 3]
    assert reader.unfenced == 0
    assert video.pts_seconds() == pytest.approx(np.arange(20) / 10)
    video.close()
    video.close()
    with pytest.raises(UsageError, match="closed"):
        video.frames_at([0])


@pytest.mark.parametrize(
    ("indices", "reason"), [([], "1 to 4"), (range(5), "1 to 4"), ([-1], "0 to 19"), ([20], "0 to 19")]
)
def test_requests_out_of_bounds(indices, reason):
    video = DecordVideo("clip.mp4", max_batch=4, open_reader=lambda path, threads: ScriptedReader())
    with pytest.raises(UsageError, match=reason):
        video.frames_at(indices)


def test_sequential_reading_is_bounded():
    reader = ScriptedReader(frame_count=21)
    frames = read(DecordVideoFile("clip.mp4", max_batch=4, open_reader=lambda path, threads: reader))
    assert [int(frame.image[0, 0, 0]) for frame in frames] == list(range(21))
    assert [frame.pts_seconds for frame in frames] == pytest.approx([index / 10 for index in range(21)])
    assert reader.largest == 4


def test_a_damaged_file_is_refused_with_a_way_out():
    reader = ScriptedReader(broken_at=9)
    source = DecordVideoFile("clip.mp4", max_batch=4, open_reader=lambda path, threads: reader)
    source.open()
    with pytest.raises(DecodeError, match=r"clip\.mp4.*Error getting frame.*use the pyav backend") as raised:
        list(source.frames())
    assert "\n" not in str(raised.value)
    assert reader.unfenced == 0


@pytest.mark.skipif(HAS_DECORD, reason="decord is installed")
def test_without_decord_the_extra_is_named(write_video):
    source = open_source(write_video("clip.mp4", frame_count=2), backend="decord")
    with pytest.raises(UsageError, match=r"videohoi\[decord\]"):
        source.open()


@needs_decord
def test_decord_agrees_with_pyav(write_video):
    path = write_video("clip.mp4", frame_count=40)
    ours = read(open_source(path, backend="decord"))
    pyav = read(VideoFile(path))
    assert [frame.pts_seconds for frame in ours] == pytest.approx([frame.pts_seconds for frame in pyav], abs=1e-5)
    assert [number_of(frame.image) for frame in ours] == [number_of(frame.image) for frame in pyav]


def write_streams(path, sizes, *, first_tick=0, ratio=1):
    """52 frames of each size as streams of one file."""
    with av.open(str(path), "w") as container:
        streams = []
        for width, height in sizes:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.codec_context.sample_aspect_ratio = Fraction(ratio)
            streams.append(stream)
        for index in range(52):
            for stream in streams:
                image = numbered_image(index, stream.width, stream.height)
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = first_tick + index, Fraction(1, 25)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


@needs_decord
def test_decord_reads_the_film_and_names_what_it_leaves_out(tmp_path):
    path = write_streams(tmp_path / "two.mp4", [(80, 60), (160, 120)])
    source = open_source(path, backend="decord")
    info = source.open()
    assert (info.width_px, info.height_px, len(list(source.frames()))) == (160, 120, 52)
    source.close()
    assert "left out: stream 0 (h264 80x60" in " ".join(source.report.notes)


@needs_decord
@pytest.mark.parametrize(
    ("suffix", "sizes", "stream"),
    [
        ("mp4", [(80, 60), (160, 120)], 0),  # decord reads the larger one here,
        ("mkv", [(80, 60), (160, 120)], None),  # the first one here,
        ("mp4", [(160, 120), (160, 120)], 0),  # and one of two that look alike here
    ],
)
def test_a_stream_that_decord_does_not_read_is_refused(tmp_path, suffix, sizes, stream):
    path = write_streams(tmp_path / f"two.{suffix}", sizes)
    number = 1 if stream is None else stream
    with pytest.raises(DecodeError, match=f"decord cannot read stream {number} of several; use the pyav"):
        open_source(path, backend="decord", stream=stream).open()


@needs_decord
def test_the_stream_that_decord_reads_may_be_named(tmp_path):
    source = open_source(write_streams(tmp_path / "two.mp4", [(80, 60), (160, 120)]), backend="decord", stream=1)
    assert source.open().width_px == 160
    source.close()


@needs_decord
def test_decord_starts_when_the_stream_starts_and_tells_the_pixels_shape(tmp_path):
    path = write_streams(tmp_path / "late.mkv", [(160, 120)], first_tick=25 * 60, ratio=Fraction(16, 11))
    source = open_source(path, backend="decord")
    assert source.open().pixel_aspect_ratio == pytest.approx(16 / 11, abs=0.01)
    assert [frame.pts_seconds for frame in source.frames()][:2] == pytest.approx([60.0, 60.04], abs=1e-3)
    source.close()
    (frame,) = open_source(path, backend="decord").read_at([61.0])
    assert frame.index == 25
    assert number_of(frame.image) == 0  # 25 mod 25


@needs_decord
def test_decord_refuses_what_is_no_video(tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(DecodeError, match="pyav backend"):
        open_source(tmp_path / "text.mp4", backend="decord").open()
