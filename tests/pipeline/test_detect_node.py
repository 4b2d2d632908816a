"""Several frames in flight: order, failures, ends."""

import threading
import time

import numpy as np
import pytest

from videohoi.detect.protocol import DetectorInfo
from videohoi.errors import StageError, UsageError
from videohoi.pipeline.detect_node import DetectNode
from videohoi.structures import Detections, Frame, SourceInfo

INFO = SourceInfo("made", 4, 4, 25.0, None, None)


def frame(index):
    return Frame(np.zeros((4, 4, 3), np.uint8), index, index / 25, "made")


class Uneven:
    """Slower on even frames, so that odd ones overtake; says which frame it saw; fails on one."""

    info = DetectorInfo("uneven", "scripted", None, None, 0)

    def __init__(self, fails_at=None):
        self.is_open, self.fails_at, self.busy = False, fails_at, threading.Lock()

    def open(self):
        self.is_open = True

    def detect(self, frames):
        assert self.busy.acquire(blocking=False), "one thread at a time"
        try:
            (one,) = frames
            time.sleep(0.02 if one.index % 2 == 0 else 0.001)
            if one.index == self.fails_at:
                raise ValueError("broken picture")
            box = np.array([[0, 0, one.index + 1, 4]], np.float32)
            return [Detections(box, np.ones(1, np.float32), np.zeros(1, np.int64))]
        finally:
            self.busy.release()

    def close(self):
        self.is_open = False


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_results_keep_the_order_of_the_frames_and_none_is_lost(workers):
    detectors = [Uneven() for _ in range(workers)]
    node = DetectNode(detectors)
    node.open(INFO)
    results = [result for index in range(9) for result in node.process(frame(index))]
    assert len(results) == (9 if workers == 1 else 9 - workers)
    results += list(node.drain())
    assert [result.frame.index for result in results] == list(range(9))
    assert [result.detections.boxes_xyxy_px[0, 2] for result in results] == [index + 1 for index in range(9)]
    assert node.facts()["detector"]["workers"] == workers
    node.close(complete=True)
    assert not any(detector.is_open for detector in detectors)


def test_a_failure_names_the_frame_it_happened_on_not_the_newest():
    node = DetectNode([Uneven(fails_at=2), Uneven(fails_at=2)])
    node.open(INFO)
    with pytest.raises(StageError, match="frame 2") as failure:
        [list(node.process(frame(index))) for index in range(9)]
    assert isinstance(failure.value.__cause__, ValueError)
    node.close(complete=False)


def test_closing_with_frames_in_flight_leaves_no_thread():
    node = DetectNode([Uneven(), Uneven()])
    node.open(INFO)
    for index in range(2):
        assert node.process(frame(index)) == ()
    node.close(complete=False)
    node.close(complete=False)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("videohoi: detect")]


def test_no_detector_is_refused():
    with pytest.raises(UsageError, match=r"detect\.workers"):
        DetectNode([])
