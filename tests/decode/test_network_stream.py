"""A camera's stream over a real connection: Motion JPEG over HTTP on loopback, and what happens when it breaks."""

import itertools
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

from videohoi.decode.camera import CameraSource, ReconnectPolicy
from videohoi.errors import DecodeError

PICTURES_A_CONNECTION = 40
BRIEF = ReconnectPolicy(attempts=3, first_delay_seconds=0.05, longest_delay_seconds=0.1)


class MotionJpegCamera(BaseHTTPRequestHandler):
    """Sends pictures of a rising grey level, then hangs up."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
        self.end_headers()
        self.server.connections += 1
        for count in range(PICTURES_A_CONNECTION):
            level = np.full((48, 64, 3), 40 + count, np.uint8)
            jpeg = cv2.imencode(".jpg", level)[1].tobytes()
            head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            try:
                self.wfile.write(head.encode() + jpeg + b"\r\n")
            except OSError:
                return  # the reader went away
            time.sleep(0.005)

    def log_message(self, *_):
        pass


@pytest.fixture
def camera():
    server = ThreadingHTTPServer(("127.0.0.1", 0), MotionJpegCamera)
    server.connections = 0
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def address(camera):
    return f"http://127.0.0.1:{camera.server_address[1]}/live.mjpg"


def test_a_network_camera_that_hangs_up_is_opened_again_and_its_pictures_go_on(camera):
    source = CameraSource(address(camera), reconnect=BRIEF, timeout_seconds=5)
    info = source.open()
    assert (info.width_px, info.height_px, info.live) == (64, 48, True)
    stream = source.frames()
    frames = [next(stream) for _ in range(PICTURES_A_CONNECTION + 5)]
    source.close()
    assert camera.connections >= 2
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert all(later.pts_seconds > earlier.pts_seconds for earlier, later in itertools.pairwise(frames))
    levels = [float(frame.image.mean()) for frame in frames]
    assert levels[10] > levels[0]
    assert any("connection was lost" in note for note in source.report.notes)


def test_a_network_camera_that_stays_away_is_an_error_with_its_name():
    source = CameraSource("http://user:secret@127.0.0.1:9/live.mjpg", reconnect=BRIEF, timeout_seconds=2)
    with pytest.raises(DecodeError, match="cannot be opened") as failure:
        source.open()
    assert "secret" not in str(failure.value)
