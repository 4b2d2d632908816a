"""Pairs are scored together; each must get what it would get alone."""

import numpy as np
import pytest
from smooth_scenes import WORDS

from videohoi.smooth.config import SmoothingConfig
from videohoi.smooth.history import Histories
from videohoi.smooth.impacts import ImpactPeaks
from videohoi.smooth.pair_table import FrameWeights, PairState
from videohoi.smooth.scoring import Moment, PairScorer

CONFIG = SmoothingConfig()
NAMES = ("cup", "bicycle", "sports_ball", "bottle", "chair", "frisbee")


def scene(seed=0):
    """Histories of two humans and six things, and their twelve pairs, each missed in frames of its own."""
    rng = np.random.default_rng(seed)
    histories, pairs = Histories(), []
    times = np.arange(40) / 30
    for track in range(8):
        corner, speed = rng.uniform(0, 300, 2), rng.normal(0, 60, 2)
        for pts in times[rng.random(40) < 0.9]:
            low = corner + speed * pts
            histories.push(track, float(pts), np.concatenate([low, low + (100 if track < 2 else 40)]))
    for human in range(2):
        for thing, name in enumerate(NAMES, start=2):
            pair = PairState(human, thing, WORDS.object_id(name), len(WORDS.verbs), ImpactPeaks(CONFIG.impact))
            for pts in times[rng.random(40) < 0.7]:
                pair.push(float(pts), rng.random(len(WORDS.verbs)).astype(np.float32), 9.0)
            pairs.append(pair)
    return histories, pairs


@pytest.mark.parametrize("at_seconds", [0.1, 0.6, 1.3])
def test_scored_together_as_alone(at_seconds) -> None:
    moment = Moment(at_seconds, 1 / 30, np.array([3.0, -2.0]))
    histories, pairs = scene()
    together = PairScorer(WORDS, CONFIG).score(pairs, histories, moment)
    histories, pairs = scene()
    for row, pair in enumerate(pairs):
        alone = PairScorer(WORDS, CONFIG).score([pair], histories, moment)
        np.testing.assert_allclose(together.values[row], alone.values[0], rtol=1e-12)
        assert together.seen[row] == alone.seen[0]
    assert together.values.any()


def test_no_pair_has_no_score() -> None:
    scores = PairScorer(WORDS, CONFIG).score([], Histories(), Moment(0.0, 0.0, np.zeros(2)))
    assert scores.values.shape == (0, len(WORDS.verbs))


def test_a_pair_seen_too_far_away_in_time_has_none() -> None:
    histories, pairs = scene()
    scores = PairScorer(WORDS, CONFIG).score(pairs, histories, Moment(9.0, 1 / 30, np.zeros(2)))
    assert not scores.seen.any()
    assert not scores.values.any()


def test_weights_are_told_apart_by_all_their_times() -> None:
    weights = FrameWeights(1.0, 0.25, 0.75)
    first, second = np.array([0.2, 0.9, 1.0, 1.2]), np.array([0.2, 0.8, 1.0, 1.2])
    assert weights.of(first) is weights.of(first.copy())
    assert weights.of(first).rows == slice(1, 4)
    assert not np.array_equal(weights.of(first).values, weights.of(second).values)
    assert weights.of(np.array([9.0])) is None
