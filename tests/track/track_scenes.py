"""A seeded crowd that walks, throws and hides, and what a detector would see of it."""

from dataclasses import dataclass

import numpy as np
import pytest

from videohoi.structures import Detections, SourceInfo
from videohoi.track.byte import ByteTracker

PERSON, BALL, CUP = 0, 32, 41
SIDES = {PERSON: (60.0, 180.0), BALL: (28.0, 28.0), CUP: (40.0, 50.0)}
SPEEDS = {PERSON: 120.0, BALL: 700.0, CUP: 30.0}
WIDTH, HEIGHT = 1280.0, 720.0


@dataclass(frozen=True)
class CrowdFrame:
    pts_seconds: float
    detections: Detections
    truth: np.ndarray
    """(N,) true object of each row; -1 false alarm"""
    visible: frozenset
    """true objects present in this frame, detected or not"""


def crowd(seconds=20.0, rate_hz=30.0, people=6, balls=2, cups=4, miss=0.1, false_alarms=0.3, seed=0):
    """Things that walk straight and bounce off the picture's sides, some frames unseen, boxes and scores noisy."""
    rng = np.random.default_rng(seed)
    classes = np.array([PERSON] * people + [BALL] * balls + [CUP] * cups)
    sides = np.array([SIDES[c] for c in classes]) * rng.uniform(0.7, 1.3, (len(classes), 1))
    centres = rng.uniform((100, 150), (WIDTH - 100, HEIGHT - 150), (len(classes), 2))
    heading = rng.uniform(0, 2 * np.pi, len(classes))
    speeds = np.array([SPEEDS[c] for c in classes]) * rng.uniform(0.5, 1.2, len(classes))
    velocities = np.stack([np.cos(heading), np.sin(heading)], 1) * speeds[:, None]
    hidden_until = np.zeros(len(classes))
    frames = []
    for index in range(round(seconds * rate_hz)):
        pts = index / rate_hz
        centres = centres + velocities / rate_hz
        outside = (centres < sides / 2) | (centres > np.array([WIDTH, HEIGHT]) - sides / 2)
        velocities = np.where(
            outside, np.sign(np.array([WIDTH, HEIGHT]) / 2 - centres) * np.abs(velocities), velocities
        )
        hides = rng.uniform(size=len(classes)) < 0.003  # a hand or a passer-by covers it for 0.2 to 0.7 s
        hidden_until = np.where(hides, pts + rng.uniform(0.2, 0.7, len(classes)), hidden_until)
        seen = (rng.uniform(size=len(classes)) > miss) & (hidden_until <= pts)
        frames.append(_look(rng, pts, classes, centres, sides, seen, false_alarms))
    return frames


def _look(rng, pts, classes, centres, sides, seen, false_alarms):
    rows = np.flatnonzero(seen)
    noisy_centres = centres[rows] + rng.normal(0, 0.03, (len(rows), 2)) * sides[rows]
    noisy_sides = sides[rows] * (1 + rng.normal(0, 0.03, (len(rows), 2)))
    scores = np.where(
        rng.uniform(size=len(rows)) < 0.2, rng.uniform(0.1, 0.3, len(rows)), rng.uniform(0.35, 0.95, len(rows))
    )
    wrong = rng.poisson(false_alarms)
    wrong_centres, wrong_sides = rng.uniform((0, 0), (WIDTH, HEIGHT), (wrong, 2)), rng.uniform(20, 150, (wrong, 2))
    all_centres = np.concatenate([noisy_centres, wrong_centres])
    all_sides = np.concatenate([noisy_sides, wrong_sides])
    boxes = np.concatenate([all_centres - all_sides / 2, all_centres + all_sides / 2], 1).astype(np.float32)
    row_classes = np.concatenate([classes[rows], rng.choice([PERSON, BALL, CUP], wrong)])
    all_scores = np.concatenate([scores, rng.uniform(0.1, 0.5, wrong)]).astype(np.float32)
    truth = np.concatenate([rows, np.full(wrong, -1)])
    order = rng.permutation(len(truth))
    detections = Detections(boxes[order], all_scores[order], row_classes[order].astype(np.int64))
    return CrowdFrame(pts, detections, truth[order], frozenset(range(len(classes))))


@dataclass(frozen=True)
class CrowdFigures:
    rows: int
    """true rows"""
    named: float
    """share of true rows that have an id"""
    false_named: float
    """share of false alarms that have an id"""
    switches: int
    """times a true object's id changed"""
    ids: int
    """ids given in all"""
    objects: int
    purity: float
    """share of named true rows whose id is that object's most frequent one (lower: identities were lost)"""


def figures(frames, results):
    """How well ``results`` (one Tracks a frame) follow the truth of ``frames``."""
    last, by_object, switches, named, rows, false_rows, false_named, ids = {}, {}, 0, 0, 0, 0, 0, set()
    for frame, tracks in zip(frames, results, strict=True):
        for who, track in zip(frame.truth.tolist(), tracks.track_ids.tolist(), strict=True):
            if track >= 0:
                ids.add(track)
            if who < 0:
                false_rows, false_named = false_rows + 1, false_named + (track >= 0)
                continue
            rows += 1
            if track >= 0:
                named += 1
                switches += last.get(who, track) != track
                last[who] = track
                by_object.setdefault(who, []).append(track)
    best = sum(max(np.unique(v, return_counts=True)[1]) for v in by_object.values())
    return CrowdFigures(
        rows, named / rows, false_named / max(false_rows, 1), switches, len(ids), len(by_object), best / max(named, 1)
    )


INFO = SourceInfo("test", 1280, 720, 30.0, None, None)


def opened(config=None, **arguments):
    tracker = ByteTracker(config, **arguments)
    tracker.open(INFO)
    return tracker


def detections(*rows):
    """Rows of (x1, y1, x2, y2, score, class id)."""
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Detections(table[:, :4].astype(np.float32), table[:, 4].astype(np.float32), table[:, 5].astype(np.int64))


@pytest.fixture(params=[True, False], ids=["compiled", "plain"])
def tracker(request):
    return opened(compiled=request.param)
