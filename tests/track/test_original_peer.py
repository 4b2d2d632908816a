"""BYTE's public code beside the plain reference, where a checkout lies below the folder VIDEOHOI_PEER_PATH."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
from original_byte import OriginalByteConfig, PlainOriginal

from benchmarks.harness import Options
from benchmarks.scenes_tracking import QUIRKS, SPEED, play
from benchmarks.tracking_peers import original

FRAMES = {10: 1500, 20: 1500, 50: 800, 200: 200}
"""with the quirks' 1500: 5,500 in all"""


@pytest.fixture(scope="module")
def peer():
    path = os.environ.get("VIDEOHOI_PEER_PATH")
    if not path:
        pytest.skip("VIDEOHOI_PEER_PATH is not set: a folder with a checkout ByteTrack")
    found = original(Options(Path(path)))
    if isinstance(found, str):
        pytest.skip(f"BYTE's public code cannot be run: {found}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("crowd", [QUIRKS, *SPEED.values()], ids=lambda crowd: f"{crowd.objects}-{crowd.seed}")
def test_every_frame_is_equal(peer, crowd):
    frames = play(dataclasses.replace(crowd, frames=FRAMES.get(crowd.objects, 1500), seed=crowd.seed + 100))
    ours, theirs = PlainOriginal(OriginalByteConfig()), peer.make()
    for frame in frames:
        ids, boxes, _ = ours.step(frame.boxes.astype(float), frame.scores.astype(float))
        their_ids, their_boxes = theirs.step(frame.boxes, frame.scores)
        assert ids.tolist() == their_ids.tolist()
        np.testing.assert_allclose(boxes, their_boxes, rtol=0, atol=1e-9)
