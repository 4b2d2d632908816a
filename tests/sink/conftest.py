"""Factories of results and events."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from videohoi.structures import (
    Detections,
    Frame,
    FrameResult,
    InteractionEvent,
    Phase,
    SourceInfo,
    TrackedInteractions,
    Tracks,
)
from videohoi.vocabulary import hico_det

INFO = SourceInfo("clip.mp4", 320, 240, 30.0, 3, 0.1)
EVENT = InteractionEvent(
    interaction_id=7, phase=Phase.BEGIN, source_id="clip.mp4", frame_index=12, decided_seconds=0.5, human_id=1,
    object_id=4, object_class="skateboard", verb="ride", begin_seconds=0.25, end_seconds=0.5, peak_score=0.9,
    mean_score=0.8, delay_seconds=0.25,
)  # fmt: skip


@pytest.fixture
def vocabulary():
    return hico_det()


@pytest.fixture
def info():
    return INFO


@pytest.fixture
def make_event():
    def make(phase, **changes):
        return dataclasses.replace(EVENT, phase=Phase(phase), **changes)

    return make


@pytest.fixture
def make_result(vocabulary):
    """A person 1 at (40, 60, 100, 200), a skateboard 4 at (180, 150, 280, 220), an unconfirmed dog."""

    def make(
        index=0, pts_seconds=0.0, *, events=(), verbs=(("ride", 0.93),), observed=True, size=(320, 240), image=None
    ):
        width, height = size
        if image is None:
            image = np.full((height, width, 3), 90, np.uint8)
        boxes = np.array([[40, 60, 100, 200], [180, 150, 280, 220], [5, 5.126, 20, 20]], np.float32)
        classes = np.array([0, vocabulary.object_id("skateboard"), vocabulary.object_id("dog")])
        scores = np.zeros((1, len(vocabulary.verbs)), np.float32)
        for verb, score in verbs:
            scores[0, vocabulary.verb_id(verb)] = score
        interactions = TrackedInteractions(
            np.array([1]), np.array([4]), classes[1:2], scores, np.array([observed]), scores > 0,
            np.zeros(1, np.float32),
        )  # fmt: skip
        return FrameResult(
            Frame(image, index, pts_seconds, "clip.mp4"),
            Detections(boxes, np.array([0.93, 0.8, 0.3], np.float32), classes),
            None,
            Tracks(np.array([1, 4, -1]), classes),
            interactions,
            tuple(events),
        )

    return make
