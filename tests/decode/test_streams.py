"""Files with several video streams, hidden pictures, late starts, and raw streams that state their rate."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from numbered_videos import numbered_image, read
from PIL import Image

from videohoi.decode.factory import open_source
from videohoi.decode.video_file import VideoFile
from videohoi.errors import DecodeError, UsageError


def write_streams(path, streams, *, codec="libx264"):
    """A file of several video streams; each is (width, height, frames, default flag or None)."""
    with av.open(str(path), "w") as container:
        made = []
        for width, height, count, default in streams:
            stream = container.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            if default is not None:
                flag = av.stream.Disposition.default
                stream.disposition = stream.disposition | flag if default else stream.disposition & ~flag
            made.append((stream, count))
        for index in range(max(count for _, count in made)):
            for stream, count in made:
                if index < count:
                    frame = av.VideoFrame.from_ndarray(
                        numbered_image(index, stream.width, stream.height), format="rgb24"
                    )
                    frame.pts, frame.time_base = index, Fraction(1, 25)
                    container.mux(stream.encode(frame))
        for stream, _ in made:
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "ts"])
@pytest.mark.parametrize("first", [(64, 48, 52, None), (640, 480, 1, None)], ids=["proxy", "thumbnail"])
def test_the_film_is_read_and_what_was_left_out_is_named(tmp_path, suffix, first):
    source = VideoFile(write_streams(tmp_path / f"two.{suffix}", [first, (160, 120, 52, None)]))
    info = source.open()
    frames = list(source.frames())
    source.close()
    assert (info.width_px, info.height_px) == (160, 120)
    assert len(frames) == 52
    (note,) = [note for note in source.report.notes if "video streams" in note]
    assert "stream 1 (h264 160x120" in note
    assert f"left out: stream 0 (h264 {first[0]}x{first[1]}" in note
    assert not any("cut" in other for other in source.report.notes)


def test_matroska_s_default_flag_decides_between_films(tmp_path):
    path = write_streams(tmp_path / "two.mkv", [(160, 120, 20, False), (80, 60, 20, True)])
    info = VideoFile(path).open()
    assert (info.width_px, info.height_px) == (80, 60)


def test_a_stream_can_be_chosen_and_a_missing_one_names_what_there_is(tmp_path):
    path = write_streams(tmp_path / "two.mp4", [(64, 48, 10, None), (160, 120, 12, None)])
    source = open_source(path, stream=0)
    assert len(read(source)) == 10
    with pytest.raises(DecodeError, match=r"no video stream 7 .*stream 0 \(h264 64x48.*stream 1 \(h264 160x120"):
        open_source(path, stream=7).open()
    with pytest.raises(UsageError, match="stream"):
        open_source("test://64x48", stream=1)


def test_one_stream_says_nothing(write_video):
    source = VideoFile(write_video("one.mp4"))
    read(source)
    assert source.report.notes == []


# what the container promises


def remux(source, target, keep, *, shift=0, container_options=None):
    """Copy packets for which ``keep(pts_seconds)`` holds, without decoding, as a trimmer does."""
    with av.open(str(source)) as old, av.open(str(target), "w", options=container_options or {}) as new:
        stream = old.streams.video[0]
        copied = new.add_stream_from_template(stream)
        for packet in old.demux(stream):
            if packet.dts is not None and keep(float(packet.pts * packet.time_base)):
                packet.pts += round(shift / packet.time_base)
                packet.dts += round(shift / packet.time_base)
                packet.stream = copied
                new.mux(packet)


def test_an_edit_list_hides_frames_that_nobody_misses(write_video, tmp_path):
    """A trim without encoding keeps the pictures from the last key frame on and hides those before the cut."""
    whole = write_video("whole.mp4", frame_count=85, time_base=Fraction(1, 25), key_frame_every=60)
    trimmed = tmp_path / "trimmed.mp4"
    remux(whole, trimmed, lambda _: True, shift=-33 / 25)  # times before 0 become an edit list
    source = VideoFile(trimmed)
    info = source.open()
    frames = list(source.frames())
    assert len(frames) == 52
    assert info.frame_count == 52
    assert info.duration_seconds == pytest.approx(52 / 25, abs=0.05)
    assert source.report.notes == []
    assert source.report.ended_early_seconds is None


@pytest.mark.parametrize("suffix", ["mkv", "ts", "mp4"])
def test_a_late_start_is_no_missing_end(write_video, tmp_path, suffix):
    whole = write_video("whole.mp4", frame_count=55, time_base=Fraction(1, 25))
    late = tmp_path / f"late.{suffix}"
    remux(whole, late, lambda _: True, shift=5)
    source = VideoFile(late)
    info = source.open()
    frames = list(source.frames())
    assert len(frames) == 55
    assert info.duration_seconds == pytest.approx(2.2, abs=0.1)
    assert source.report.notes == []


def test_a_cut_matroska_file_that_starts_late_is_still_noticed(write_video, tmp_path):
    whole = write_video("whole.mp4", frame_count=100, time_base=Fraction(1, 25))
    late = tmp_path / "late.mkv"
    remux(whole, late, lambda _: True, shift=5)
    late.write_bytes(late.read_bytes()[: late.stat().st_size // 2])
    source = VideoFile(late)
    read(source)
    assert any("cut" in note for note in source.report.notes)


# rates of raw streams


def write_raw(path, codec, rate, frame_count=20):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = 160, 120
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if codec == "libx265":
            stream.options = {"x265-params": "log-level=none"}
        for index in range(frame_count):
            frame = av.VideoFrame.from_ndarray(numbered_image(index), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("rate", [10, 60])
@pytest.mark.parametrize(
    ("name", "codec"), [("a.h264", "libx264"), ("a.hevc", "libx265"), ("a.264", "libx264")], ids=["h264", "hevc", "264"]
)
def test_a_raw_stream_runs_at_the_rate_of_its_header(tmp_path, name, codec, rate):
    path = tmp_path / name
    write_raw(tmp_path / ("b.hevc" if codec == "libx265" else "b.h264"), codec, rate).rename(path)
    source = VideoFile(path)
    info = source.open()
    times = [frame.pts_seconds for frame in source.frames()]
    assert info.frame_rate_hz == rate
    assert times == pytest.approx([index / rate for index in range(20)])
    assert source.report.notes == []


def test_a_raw_stream_without_a_rate_says_what_was_assumed(tmp_path):
    source = VideoFile(write_raw(tmp_path / "a.mjpeg", "mjpeg", 10))
    times = [frame.pts_seconds for frame in read(source)]
    assert times[-1] == pytest.approx(19 / 25)
    assert any(
        "25 pictures a second assumed" in note and "decode.frame_rate_hz" in note for note in source.report.notes
    )


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.h264", "clip.gif"])
def test_a_set_rate_is_honoured_for_every_file_and_noted(write_video, name):
    formats = {"codec": "gif", "pixel_format": "rgb8"} if name.endswith("gif") else {}
    source = open_source(write_video(name, frame_count=12, **formats), frame_rate_hz=5.0)
    info = source.open()
    times = [frame.pts_seconds for frame in source.frames()]
    assert info.frame_rate_hz == 5.0
    assert times == pytest.approx([index / 5 for index in range(12)])
    assert any("frame_rate_hz is set" in note for note in source.report.notes)
    assert not any("assumed" in note or "cut" in note for note in source.report.notes)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_rate_is_refused(write_video, rate):
    with pytest.raises(UsageError, match="above 0"):
        open_source(write_video("clip.mp4", frame_count=2), frame_rate_hz=rate)


# pixels and memory


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_pixels_that_are_not_square_are_told(tmp_path, suffix):
    path = tmp_path / f"wide.{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(16, 11)
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(numbered_image(index), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    info = VideoFile(path).open()
    assert info.pixel_aspect_ratio == pytest.approx(16 / 11)
    assert (info.width_px, info.height_px) == (160, 120)


OUT_OF_MEMORY = """
import resource, sys
from videohoi.decode.video_file import VideoFile
from videohoi.errors import DecodeError
source = VideoFile(sys.argv[1], decode_threads=int(sys.argv[2]))
with open("/proc/self/statm") as file:
    pages = int(file.read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * 4096 + int(sys.argv[3]),) * 2)
try:
    source.open()
    for frame in source.frames():
        pass
except DecodeError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are set as Linux has them")
@pytest.mark.parametrize(
    ("threads", "left_bytes"),
    [(1, 24_000_000), (2, 8_000_000), (1, 1_000_000), (2, 20_000_000), (1, 0)],
)
def test_memory_that_runs_out_is_called_so(tmp_path, threads, left_bytes):
    path = tmp_path / "large.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 3840, 2160, "yuv420p"
        for index in range(2):
            frame = av.VideoFrame.from_ndarray(np.full((2160, 3840, 3), 90 * index, np.uint8), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    command = [sys.executable, "-c", OUT_OF_MEMORY, str(path), str(threads), str(left_bytes)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "memory ran out" in done.stdout, done.stdout + done.stderr
    assert "none of its frames" not in done.stdout


def test_a_stream_that_ends_before_the_others_is_not_called_cut(tmp_path):
    source = VideoFile(write_streams(tmp_path / "two.mkv", [(64, 48, 3, None), (160, 120, 52, None)]), stream=0)
    info = source.open()
    assert len(list(source.frames())) == 3
    source.close()
    assert info.duration_seconds == pytest.approx(3 / 25, abs=1e-3)
    assert source.report.ended_early_seconds is None
    assert not any("cut" in note for note in source.report.notes)


def test_a_wrong_stream_number_is_no_damaged_file(tmp_path):
    source = VideoFile(write_streams(tmp_path / "two.mkv", [(64, 48, 3, None), (160, 120, 52, None)]), stream=7)
    with pytest.raises(DecodeError, match=r"no video stream 7 .*choose one of: stream 0 .*, stream 1 ") as raised:
        source.open()
    assert "check that it plays" not in str(raised.value)


def test_a_gif_states_all_its_pictures(tmp_path):
    pictures = [Image.fromarray(numbered_image(number)) for number in range(10)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=100)
    source = VideoFile(tmp_path / "a.gif")
    assert source.open().frame_count == 10
    assert len(list(source.frames())) == 10
    source.close()


@pytest.mark.parametrize(
    ("name", "codec", "rate", "size", "pixel_format"),
    [
        ("a.dv", "dvvideo", Fraction(30000, 1001), (720, 480), "yuv411p"),
        ("a.ivf", "libvpx", Fraction(12), (160, 120), "yuv420p"),
    ],
)
def test_a_rate_that_is_no_average_is_the_one_of_the_pictures(tmp_path, name, codec, rate, size, pixel_format):
    """FFmpeg averages 60000 a second over DV and nothing over IVF."""
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, pixel_format
        for index in range(6):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered_image(index, *size), format="rgb24")))
        container.mux(stream.encode(None))
    source = VideoFile(path)
    info = source.open()
    assert info.frame_rate_hz == pytest.approx(float(rate))
    assert [frame.pts_seconds for frame in source.frames()] == pytest.approx(np.arange(6) / float(rate), abs=1e-3)
    source.close()
