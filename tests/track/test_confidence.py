"""A track is as sure as it was at its best, and forgets that slowly."""

import math

import numpy as np
import pytest

from videohoi.structures import Detections, Tracks
from videohoi.track.confidence import CONFIDENCE_TAU_SECONDS, TrackConfidence


def tracks(*ids, ended=()):
    return Tracks(np.array(ids, np.int64), np.zeros(len(ids), np.int64), ended_ids=ended)


def seen(*scores):
    count = len(scores)
    return Detections(np.zeros((count, 4), np.float32), np.array(scores, np.float32), np.zeros(count, np.int64))


def test_it_fades_with_time_and_rises_at_once():
    confidence = TrackConfidence()
    assert confidence.update(tracks(1), seen(0.8), 0.0).confidence == pytest.approx([0.8])
    faded = 0.8 * math.exp(-1.0 / CONFIDENCE_TAU_SECONDS)
    assert confidence.update(tracks(1), seen(0.1), 1.0).confidence == pytest.approx([faded])
    assert confidence.update(tracks(1), seen(0.9), 1.1).confidence == pytest.approx([0.9])


def test_rows_without_a_track_are_as_sure_as_their_box_and_are_told_apart():
    result = TrackConfidence().update(tracks(-1, 2), seen(0.9, 0.5), 0.0)
    assert result.confidence == pytest.approx([0.9, 0.5])
    assert result.confirmed.tolist() == [False, True]


def test_an_ended_track_is_forgotten():
    confidence = TrackConfidence()
    confidence.update(tracks(2), seen(0.9), 0.0)
    confidence.update(tracks(ended=(2,)), seen(), 0.1)
    assert confidence.update(tracks(2), seen(0.2), 0.2).confidence == pytest.approx([0.2])
