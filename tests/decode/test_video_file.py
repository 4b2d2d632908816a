"""Video files as users have them: odd, old, cut, damaged."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numbered_videos import number_of, numbered_image, read

from videohoi.decode.video_file import VideoFile
from videohoi.errors import DecodeError, UsageError
from videohoi.structures import Discontinuity

SHARED_CLIPS = Path(__file__).resolve().parents[2].parent / "shared" / "clips"


def payload_of(data: bytes) -> tuple[int, int]:
    """Begin and length of the media data of an mp4 with one mdat box."""
    begin = data.index(b"mdat") + 4
    return begin, struct.unpack(">I", data[begin - 8 : begin - 4])[0] - 8


def with_display_matrix(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """The mp4 with its track header's matrix replaced (ISO 14496-12, tkhd version 0)."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    one = 1 << 16
    data[matrix : matrix + 36] = struct.pack(">9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


# Times


def test_constant_rate_is_kept_to_the_microsecond(write_video):
    frames = read(VideoFile(write_video("ntsc.mp4", frame_count=40)))
    expected = [index * 1001 / 30000 for index in range(40)]
    assert [frame.pts_seconds for frame in frames] == pytest.approx(expected, abs=1e-6)
    assert [frame.index for frame in frames] == list(range(40))


def test_variable_rate_is_kept(write_video):
    ticks = [0, 40, 80, 1080, 1100, 1190, 1200, 5000]
    source = VideoFile(write_video("vfr.mkv", ticks=ticks, time_base=Fraction(1, 1000)))
    frames = read(source)
    assert [frame.pts_seconds for frame in frames] == pytest.approx([tick / 1000 for tick in ticks], abs=1e-9)
    assert [number_of(frame.image) for frame in frames] == list(range(8))
    assert source.report.repaired_timestamps == source.report.missing_timestamps == 0


def test_a_late_start_stays_late(write_video):
    frames = read(VideoFile(write_video("late.mkv", ticks=[1500, 1540, 1580], time_base=Fraction(1, 1000))))
    assert [frame.pts_seconds for frame in frames] == pytest.approx([1.5, 1.54, 1.58])


def test_stream_without_stamps_gets_the_stated_rate(write_video):
    source = VideoFile(write_video("raw.h264", frame_count=12, time_base=Fraction(1, 25)))
    frames = read(source)
    steps = np.diff([frame.pts_seconds for frame in frames])
    assert len(frames) == 12
    assert steps == pytest.approx(np.full(11, steps[0]))
    assert frames[0].pts_seconds == 0.0


def test_backward_and_equal_stamps_are_moved_just_past(tmp_path):
    stamps_ms = [100, 140, 120, 180, 180, 220]  # one frame out of order, one twice
    path = tmp_path / "unordered.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuvj420p"
        for index, stamp in enumerate(stamps_ms):
            (packet,) = stream.encode(av.VideoFrame.from_ndarray(numbered_image(index), format="rgb24"))
            packet.pts, packet.dts, packet.time_base = stamp, index, Fraction(1, 1000)
            container.mux(packet)
    source = VideoFile(path)
    times = [frame.pts_seconds for frame in read(source)]
    assert times == pytest.approx([0.1, 0.14, 0.141, 0.18, 0.181, 0.22], abs=1e-6)
    assert source.report.repaired_timestamps == 2


def test_joined_recordings_go_on_in_time(write_video, tmp_path):
    part = write_video("part.ts", frame_count=60, time_base=Fraction(1, 25)).read_bytes()
    joined = tmp_path / "joined.ts"
    joined.write_bytes(part + part)
    source = VideoFile(joined)
    times = np.array([frame.pts_seconds for frame in read(source)])
    assert len(times) >= 118  # the seam may cost a frame
    assert (np.diff(times) > 0).all()
    assert times[-1] - times[0] == pytest.approx(119 / 25, abs=0.2)


# Pictures


def test_info_and_pixels(write_video):
    source = VideoFile(write_video("plain.mp4", frame_count=30))
    info = source.open()
    assert (info.source_id, info.width_px, info.height_px, info.frame_count) == ("plain.mp4", 160, 120, 30)
    assert info.frame_rate_hz == pytest.approx(30000 / 1001)
    assert info.duration_seconds == pytest.approx(30 * 1001 / 30000, abs=1e-3)
    assert not info.live
    frame = next(source.frames())
    assert frame.image.flags.c_contiguous
    red, green, blue = frame.image[20, 20]
    assert red > 180
    assert max(green, blue) < 60
    source.close()


# Where the red top-left quarter of the stored picture is seen, as (row, column) of the shown picture's quarters.
@pytest.mark.parametrize(
    ("matrix", "shown_size", "red_quarter"),
    [
        ((1, 0, 0, 1), (160, 120), (0, 0)),
        ((0, 1, -1, 0), (120, 160), (0, 1)),  # a phone upright: a quarter turn clockwise
        ((-1, 0, 0, -1), (160, 120), (1, 1)),  # upside down
        ((0, -1, 1, 0), (120, 160), (1, 0)),  # a quarter turn counterclockwise
        ((-1, 0, 0, 1), (160, 120), (0, 1)),  # a selfie camera's mirror
    ],
)
def test_display_matrix_is_applied(write_video, matrix, shown_size, red_quarter):
    source = VideoFile(with_display_matrix(write_video("phone.mp4", frame_count=3), *matrix))
    info = source.open()
    assert (info.width_px, info.height_px) == shown_size
    for frame in source.frames():
        assert frame.image.shape == (shown_size[1], shown_size[0], 3)
        assert frame.image.flags.c_contiguous
        height, width = frame.image.shape[:2]
        quarters = frame.image.reshape(2, height // 2, 2, width // 2, 3).mean((1, 3))
        redness = quarters[..., 0] - quarters[..., 1]
        assert np.unravel_index(redness.argmax(), (2, 2)) == red_quarter


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "size"),
    [
        ("odd.mkv", "ffv1", "yuv444p", (161, 121)),
        ("odd_420.mkv", "ffv1", "yuv420p", (97, 53)),
        ("gray.mkv", "ffv1", "gray", (160, 120)),
        ("ten_bit.mkv", "ffv1", "yuv420p10le", (160, 120)),
        ("alpha.mkv", "ffv1", "bgra", (160, 120)),
        ("old.avi", "mpeg4", "yuv420p", (160, 120)),
        ("web.webm", "libvpx", "yuv420p", (160, 120)),
    ],
)
def test_kinds_of_pictures(write_video, name, codec, pixel_format, size):
    path = write_video(name, frame_count=6, codec=codec, pixel_format=pixel_format, size=size)
    frames = read(VideoFile(path))
    assert [number_of(frame.image) for frame in frames] == list(range(6))
    for frame in frames:
        assert frame.image.shape == (size[1], size[0], 3)
        assert frame.image.flags.c_contiguous
    red, green, _ = frames[0].image[10, 10].astype(int)
    assert (red == green) if pixel_format == "gray" else (red - green > 120)


@pytest.mark.parametrize("size", [(64, 48), (50, 34)])
def test_pixels_equal_those_of_a_plain_conversion(write_video, size):
    """One converter serves all frames; each frame alone gives the same."""
    path = write_video("clip.mp4", frame_count=12, size=size)
    with av.open(str(path)) as container:
        plain = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    frames = read(VideoFile(path))
    assert len(frames) == len(plain) == 12
    for frame, expected in zip(frames, plain, strict=True):
        np.testing.assert_array_equal(frame.image, expected)
        assert frame.image.flags.c_contiguous


def join(path, *parts):
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def test_a_recording_that_grows_gets_its_larger_size(write_video, tmp_path):
    """As WebRTC does, whose first pictures are tiny."""
    small = write_video("small.h264", frame_count=10)
    large = write_video("large.h264", frame_count=10, size=(320, 240))
    source = VideoFile(join(tmp_path / "joined.h264", small, large))
    frames = read(source)
    assert [frame.image.shape for frame in frames] == [(120, 160, 3)] * 10 + [(240, 320, 3)] * 10
    assert [frame.index for frame in frames if frame.discontinuity] == [10]
    assert [number_of(frame.image) for frame in frames] == [*range(10)] * 2
    assert any("320x240" in note for note in source.report.notes)


def test_a_smaller_size_of_the_same_shape_goes_on_without_a_break(write_video, tmp_path):
    """As adaptive streaming does while the network is slow."""
    large = write_video("large.h264", frame_count=10, size=(320, 240))
    small = write_video("small.h264", frame_count=10)
    source = VideoFile(join(tmp_path / "joined.h264", large, small, large))
    frames = read(source)
    assert {frame.image.shape for frame in frames} == {(240, 320, 3)}
    assert not [frame for frame in frames if frame.discontinuity]
    assert any("enlarged" in note for note in source.report.notes)


def test_another_shape_is_not_stretched_and_is_a_discontinuity(write_video, tmp_path):
    wide = write_video("wide.h264", frame_count=10)
    tall = write_video("tall.h264", frame_count=10, size=(90, 160))
    source = VideoFile(join(tmp_path / "joined.h264", wide, tall, wide))
    frames = read(source)
    assert [frame.image.shape[:2] for frame in frames] == [(120, 160)] * 10 + [(160, 90)] * 10 + [(120, 160)] * 10
    breaks = {frame.index: frame.discontinuity for frame in frames if frame.discontinuity}
    assert breaks == {10: Discontinuity.PICTURE_SIZE, 20: Discontinuity.PICTURE_SIZE}


def test_gif_keeps_its_own_durations(tmp_path):
    ticks = [0, 7, 13, 113, 120]
    path = tmp_path / "steps.gif"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("gif", rate=100)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "rgb8"
        stream.codec_context.time_base = Fraction(1, 100)
        for index, tick in enumerate(ticks):
            frame = av.VideoFrame.from_ndarray(numbered_image(index * 10), format="rgb24")
            frame.pts, frame.time_base = tick, Fraction(1, 100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert [frame.pts_seconds for frame in read(VideoFile(path))] == pytest.approx([tick / 100 for tick in ticks])


def test_one_frame(write_video):
    frames = read(VideoFile(write_video("one.mp4", frame_count=1)))
    assert [(frame.index, frame.pts_seconds) for frame in frames] == [(0, 0.0)]


def test_the_content_decides_not_the_name(write_video, tmp_path):
    renamed = write_video("clip.mp4", frame_count=5).rename(tmp_path / "strange:name.jpg")
    assert len(read(VideoFile(renamed))) == 5


# Damage


# mp4 has an index beside the pictures: a stretch of 5 frames can cost the rest of its group of 10 and one more group.
# Matroska has none: its reader searches for the next mark it knows, and finds it later.
@pytest.mark.parametrize(("suffix", "fewest"), [("mp4", 40), ("mkv", 20)])
def test_a_corrupted_stretch_costs_only_its_frames(write_video, capfd, suffix, fewest):
    path = write_video(f"hurt.{suffix}", frame_count=60)
    data = bytearray(path.read_bytes())
    begin, length = payload_of(bytes(data)) if suffix == "mp4" else (len(data) // 10, len(data) * 8 // 10)
    stretch = slice(begin + length // 2, begin + length // 2 + length // 12)
    data[stretch] = b"\xaa" * (stretch.stop - stretch.start)
    path.write_bytes(data)
    source = VideoFile(path)
    frames = read(source)
    assert fewest <= len(frames) <= 60
    assert source.report.corrupt_packets + len(source.report.notes) > 0
    assert source.report.frames == len(frames)
    expected = {round(index * 1001 / 30000, 3): index for index in range(60)}
    for frame in frames[-8:]:
        time = min(expected, key=lambda known: abs(known - frame.pts_seconds))
        assert frame.pts_seconds == pytest.approx(time, abs=2e-3)
        assert number_of(frame.image) == expected[time] % 25
    assert source.report.ended_early_seconds is None
    assert capfd.readouterr().err == ""


def test_a_cut_file_gives_what_is_there(write_video, capfd):
    path = write_video("cut.mp4", frame_count=60, container_options={"movflags": "faststart"})
    whole = read(VideoFile(path))
    data = path.read_bytes()
    begin, length = payload_of(data)
    path.write_bytes(data[: begin + length // 2])
    source = VideoFile(path)
    frames = read(source)
    assert 15 <= len(frames) < 60
    for got, true in zip(frames, whole, strict=False):
        assert got.pts_seconds == true.pts_seconds
        np.testing.assert_array_equal(got.image, true.image)
    assert source.report.ended_early_seconds == frames[-1].pts_seconds
    assert any("cut" in note for note in source.report.notes)
    assert capfd.readouterr().err == ""


def test_a_whole_file_does_not_end_early(write_video):
    for name in ("whole.mp4", "whole.mkv", "whole.avi"):
        source = VideoFile(write_video(name, frame_count=20, codec="mpeg4"))
        assert len(read(source)) == 20
        assert source.report.ended_early_seconds is None
        assert source.report.notes == []


def make_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 8000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.mp4", b"", "empty"),
        ("text.mp4", b"this is no video\n" * 300, "not readable as video"),
        ("notes.txt", b"this is no video\n" * 300, "text"),
        ("zeros.mp4", bytes(5000), "not readable as video"),
        ("missing.mp4", None, "no such file"),
    ],
)
def test_what_is_no_video_is_one_clear_line(tmp_path, capfd, name, content, reason):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DecodeError, match=reason) as raised:
        VideoFile(path).open()
    message = str(raised.value)
    assert str(path) in message
    assert "expected a video file" in message
    assert "\n" not in message
    assert capfd.readouterr().err == ""


def test_sound_only(tmp_path):
    make_sound(tmp_path / "sound.m4a")
    with pytest.raises(DecodeError, match="no video stream"):
        VideoFile(tmp_path / "sound.m4a").open()


def test_index_missing(write_video):
    path = write_video("live.mp4")  # the index is at the end
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 10])
    with pytest.raises(DecodeError, match="not readable as video"):
        VideoFile(path).open()


def test_no_frame_can_be_decoded(write_video):
    path = write_video("noise.mp4")
    data = bytearray(path.read_bytes())
    begin, length = payload_of(bytes(data))
    data[begin : begin + length] = bytes(length)
    path.write_bytes(data)
    with pytest.raises(DecodeError, match="none of its frames"):
        VideoFile(path).open()


# Life


def test_close_while_frames_is_suspended_and_twice(write_video):
    source = VideoFile(write_video("life.mp4", frame_count=20))
    source.open()
    frames = source.frames()
    kept = next(frames).image.copy(), next(frames)
    source.close()
    source.close()
    assert list(frames) == []
    assert kept[1].image.shape == (120, 160, 3)
    assert source.report.frames == 2


def test_frames_can_be_read_once_and_only_when_open(write_video):
    source = VideoFile(write_video("once.mp4", frame_count=4))
    with pytest.raises(UsageError, match="not open"):
        source.frames()
    source.open()
    with pytest.raises(UsageError, match="twice"):
        source.open()
    assert len(list(source.frames())) == 4
    with pytest.raises(UsageError, match="have been read"):
        source.frames()
    source.close()
    assert len(read(source)) == 4  # opening again starts afresh
    assert source.report.frames == 4


def test_an_iterator_of_an_earlier_opening_ends(write_video):
    source = VideoFile(write_video("again.mp4", frame_count=6))
    source.open()
    stale = source.frames()
    next(stale)
    source.close()
    source.open()
    assert list(stale) == []
    assert len(list(source.frames())) == 6
    source.close()


@pytest.mark.shared
@pytest.mark.parametrize("name", ["bottles_reach.mp4", "dog_ball.mp4", "classroom.gif"])
def test_shared_clips_equal_a_plain_loop(name):
    path = SHARED_CLIPS / name
    if not path.exists():
        pytest.skip(f"the shared clip {name} is not beside the project")
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        plain = [float(frame.time) for frame in container.decode(video=0)]
    source = VideoFile(path)
    source.open()
    times = [frame.pts_seconds for frame in source.frames()]
    source.close()
    assert times == plain
    assert source.report.notes == []
    if name == "classroom.gif":
        assert len(times) == 45
        assert 44 / (times[-1] - times[0]) == pytest.approx(15, abs=0.1)
