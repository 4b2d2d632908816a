"""Named pipes: the wait for a writer is announced and can be ended; a format that needs seeking is named."""

from __future__ import annotations

import logging
import os
import sys
import threading
from fractions import Fraction

import av
import numpy as np
import pytest
from numbered_videos import number_of

from videohoi.decode import pipe
from videohoi.decode.video_file import VideoFile
from videohoi.errors import DecodeError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="named pipes as Unix has them")


@pytest.fixture
def fifo(tmp_path):
    path = tmp_path / "camera.fifo"
    os.mkfifo(path)
    return path


def send(data, path):
    def write():
        with path.open("wb") as file:
            file.write(data)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("suffix", ["mkv", "ts", "h264"])
def test_a_format_for_streams_is_read_through_a_pipe(write_video, fifo, suffix):
    data = write_video(f"clip.{suffix}", frame_count=20).read_bytes()
    writer = send(data, fifo)
    source = VideoFile(fifo)
    source.open()
    numbers = [number_of(frame.image) for frame in source.frames()]
    source.close()
    writer.join(5)
    assert numbers == [*range(20)]


def noise_mp4(path):
    """More than FFmpeg keeps in its buffer, so that the index at the end cannot be reached without seeking."""
    random = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for index in range(30):
            picture = random.integers(0, 255, (240, 320, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.read_bytes()


def test_an_mp4_through_a_pipe_is_told_to_need_a_file(tmp_path, fifo):
    writer = send(noise_mp4(tmp_path / "clip.mp4"), fifo)
    source = VideoFile(fifo)
    with pytest.raises(
        DecodeError, match=r"camera\.fifo: an MP4 or MOV file comes through this pipe.*to a disk"
    ) as raised:
        source.open()
    writer.join(5)
    assert "check that it plays" not in str(raised.value)


def test_waiting_for_a_writer_is_announced_and_ends_when_asked(fifo, monkeypatch, caplog):
    monkeypatch.setattr(pipe, "WAIT_NOTICE_SECONDS", 0.0)
    source = VideoFile(fifo)
    announced = threading.Event()
    caplog.set_level(logging.WARNING, logger="videohoi.decode.pipe")

    def stop():
        while not any("waiting for a program" in record.message for record in caplog.records):
            announced.wait(0.05)
        source.interrupt()

    thread = threading.Thread(target=stop, daemon=True)
    thread.start()
    with pytest.raises(DecodeError, match="interrupted while waiting for a program that writes into this pipe"):
        source.open()
    thread.join(5)
    assert not thread.is_alive()
