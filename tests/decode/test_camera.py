"""A camera that comes, goes and comes back; the device itself is injected."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from videohoi.decode.camera import CameraSource, ReconnectPolicy
from videohoi.decode.factory import open_source
from videohoi.errors import DecodeError, UsageError
from videohoi.names import redact_credentials

QUICK = ReconnectPolicy(attempts=3, first_delay_seconds=0.001, longest_delay_seconds=0.002)
BLUE_BGR = np.full((12, 16, 3), (250, 10, 10), np.uint8)


class ScriptedCapture:
    """Stands in for a device: plays a list of pictures, then fails."""

    def __init__(self, images, frame_count=0.0, is_open=True):
        self.images = list(images)
        self.properties = {cv2.CAP_PROP_FPS: 30.0, cv2.CAP_PROP_FRAME_COUNT: frame_count}
        self.is_open = is_open
        self.released = 0

    def isOpened(self):
        return self.is_open

    def grab(self):
        return bool(self.images)

    def retrieve(self):
        image = self.images.pop(0)
        if isinstance(image, Exception):
            raise image
        return image is not None, image

    def get(self, property_id):
        return self.properties.get(property_id, 0.0)

    def release(self):
        self.released += 1


class Device:
    """Hands out captures in turn; absent ones cannot be opened."""

    def __init__(self, *captures):
        self.captures = list(captures)
        self.opened = []

    def __call__(self, address, timeout_seconds):
        capture = self.captures.pop(0) if self.captures else ScriptedCapture([], is_open=False)
        self.opened.append((address, capture))
        return capture


def ticking(begin: float, step: float):
    times: Iterator[float] = (begin + step * count for count in range(10**6))
    return lambda: next(times)


def test_live_pictures_with_capture_times():
    device = Device(ScriptedCapture([BLUE_BGR] * 4, frame_count=4.0))
    source = CameraSource(0, clock=ticking(100.0, 0.5), open_capture=device)
    info = source.open()
    frames = list(source.frames())
    assert (info.live, info.width_px, info.height_px, info.frame_count) == (True, 16, 12, None)
    assert info.frame_rate_hz == 30.0
    assert [frame.captured_seconds for frame in frames] == [100.0, 100.5, 101.0, 101.5]
    assert [frame.pts_seconds for frame in frames] == [0.0, 0.5, 1.0, 1.5]
    assert {frame.source_id for frame in frames} == {"camera 0"}
    assert tuple(frames[0].image[0, 0]) == (10, 10, 250)
    source.close()


def test_a_lost_camera_is_opened_again_and_time_goes_on():
    device = Device(
        ScriptedCapture([BLUE_BGR] * 2),
        ScriptedCapture([], is_open=False),
        ScriptedCapture([BLUE_BGR, None]),  # the second picture is broken: lost again
        ScriptedCapture([BLUE_BGR, cv2.error("driver")]),  # so is this one
        ScriptedCapture([np.zeros((24, 32, 3), np.uint8)]),  # comes back with another size
    )
    source = CameraSource("rtsp://cam/1", clock=ticking(0.0, 1.0), reconnect=QUICK, open_capture=device)
    source.open()
    stream = source.frames()
    frames = [next(stream) for _ in range(5)]
    with pytest.raises(DecodeError, match="3 attempts"):
        next(stream)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    times = [frame.pts_seconds for frame in frames]
    assert times == sorted(set(times))
    assert {frame.image.shape for frame in frames} == {(12, 16, 3)}
    assert source.report.corrupt_packets == 1
    assert "the connection was lost (4 times)" in source.report.notes
    assert any("size" in note for note in source.report.notes)
    source.close()
    assert all(capture.released == 1 for _, capture in device.opened)


@pytest.mark.parametrize("end", ["close", "interrupt"])
def test_a_long_wait_can_be_ended_at_once(end):
    device = Device(ScriptedCapture([BLUE_BGR]))
    patient = ReconnectPolicy(attempts=5, first_delay_seconds=3600, longest_delay_seconds=3600)
    source = CameraSource("rtsp://cam/1", reconnect=patient, open_capture=device)
    source.open()
    frames = source.frames()
    next(frames)
    rest: list[object] = []
    reader = threading.Thread(target=lambda: rest.extend(frames))
    reader.start()
    getattr(source, end)()
    reader.join(timeout=20)
    assert not reader.is_alive()
    assert rest == []
    source.close()


def test_close_during_a_read_leaves_the_release_to_the_reader():
    reading, go_on = threading.Event(), threading.Event()

    class SlowCapture(ScriptedCapture):
        def grab(self):
            if len(self.images) == 1:
                reading.set()
                assert go_on.wait(20)
                assert self.released == 0  # never released while in use
            return super().grab()

    capture = SlowCapture([BLUE_BGR, BLUE_BGR])
    source = CameraSource(0, open_capture=Device(capture))
    source.open()
    frames = source.frames()
    next(frames)
    rest: list[object] = []
    reader = threading.Thread(target=lambda: rest.extend(frames))
    reader.start()
    assert reading.wait(20)
    source.close()
    go_on.set()
    reader.join(timeout=20)
    assert not reader.is_alive()
    assert rest == []
    assert capture.released == 1


def test_a_finite_stream_is_not_replayed():
    device = Device(ScriptedCapture([BLUE_BGR] * 3, frame_count=5.0), ScriptedCapture([BLUE_BGR] * 5))
    source = CameraSource("http://host/clip.mp4", clock=ticking(0.0, 1.0), reconnect=QUICK, open_capture=device)
    source.open()
    assert len(list(source.frames())) == 3
    assert len(device.opened) == 1
    assert source.report.ended_early_seconds == 2.0
    assert any("3 of 5" in note for note in source.report.notes)


@pytest.mark.parametrize("captures", [[], [ScriptedCapture([])]])
def test_a_camera_that_gives_nothing_is_one_line_without_password(captures):
    source = CameraSource("rtsp://admin:hunter2@10.0.0.5/live?token=abc", open_capture=Device(*captures))
    with pytest.raises(DecodeError, match="rtsp://") as raised:
        source.open()
    text = str(raised.value) + source.source_id
    assert "\n" not in text
    assert not any(secret in text for secret in ("hunter2", "admin", "abc"))
    assert "10.0.0.5" in text
    assert all(capture.released == 1 for capture in captures)


def test_back_off_doubles_up_to_its_limit():
    policy = ReconnectPolicy(attempts=5, first_delay_seconds=0.5, longest_delay_seconds=3.0)
    assert list(policy.delays_seconds()) == [0.5, 1.0, 2.0, 3.0, 3.0]
    with pytest.raises(UsageError, match="attempts"):
        ReconnectPolicy(attempts=-1)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("rtsp://user:secret@cam:554/1", "rtsp://***@cam:554/1"),
        ("rtsp://user@cam/1", "rtsp://***@cam/1"),
        ("rtsp://user:p@ss/w?rd@cam/1", "rtsp://***@cam/1"),
        ("http://cam/v?channel=2&password=secret&size=1", "http://cam/v?channel=2&password=***&size=1"),
        ("rtsp://cam/1", "rtsp://cam/1"),
        ("clip@home.mp4", "clip@home.mp4"),
    ],
)
def test_redaction(address, expected):
    assert redact_credentials(address) == expected


def test_the_factory_makes_cameras():
    for spec, source_id in [(0, "camera 0"), ("1", "camera 1"), ("rtsp://u:p@cam/1", "rtsp://***@cam/1")]:
        source = open_source(spec)
        assert isinstance(source, CameraSource)
        assert source.source_id == source_id
