"""decord behind its fence. The fence is tested with an injected reader, decord itself where it is installed."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from numbered_videos import number_of, read

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


@needs_decord
def test_decord_refuses_what_is_no_video(tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(DecodeError, match="pyav backend"):
        open_source(tmp_path / "text.mp4", backend="decord").open()
