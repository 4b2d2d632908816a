"""Pairs are scored together; each must get what it would get alone."""

import numpy as np
import pytest
from smooth_scenes import WORDS, Pair, Thing, frames, moved, times

from videohoi.smooth.config import SmoothingConfig
from videohoi.smooth.motion import TrackBoxes
from videohoi.smooth.pair_table import PairTable
from videohoi.smooth.scoring import Moment, PairScorer

CONFIG = SmoothingConfig()
NAMES = ("cup", "bicycle", "sports_ball", "bottle", "chair", "frisbee")


def scene(only=None):
    """Boxes of two humans and six things, and their twelve pairs, each missed in frames of its own."""
    rng = np.random.default_rng(0)
    at = times(30, 40 / 30)
    things, pairs = [], []
    for track, name in enumerate(("person", "person", *NAMES)):
        low, speed, side = rng.uniform(0, 300, 2), rng.normal(0, 60, 2), 100 if track < 2 else 40
        shown = {pts for pts in at if rng.random() < 0.9}
        box = (*low, *(low + side))
        things.append(Thing(track, name, lambda t, b=box, v=speed, s=shown: moved(b, *(v * t)) if t in s else None))
    for human in range(2):
        for thing in range(2, 8):
            table = {
                pts: dict(zip(("hold", "ride", "sit_on"), rng.random(3), strict=True))
                for pts in at
                if rng.random() < 0.7
            }
            pairs.append(Pair(human, thing, table.get))
    table, tracks = PairTable(len(WORDS.verbs)), TrackBoxes()
    for item in frames(at, things, pairs if only is None else [pairs[only]]):
        tracks.push(item)
        table.observe(item, 9.0)
    return table, tracks


@pytest.mark.parametrize("at_seconds", [0.1, 0.6, 1.3])
def test_scored_together_as_alone(at_seconds) -> None:
    moment = Moment(at_seconds, 1 / 30, np.array([3.0, -2.0]))
    table, tracks = scene()
    together = PairScorer(WORDS, CONFIG).score(table, tracks, moment)
    for number in range(12):
        one, tracks = scene(only=number)
        alone = PairScorer(WORDS, CONFIG).score(one, tracks, moment)
        (row,) = one.rows()
        place = table.row_of(one.key_of(row))
        np.testing.assert_allclose(together.values[place], alone.values[row], rtol=1e-5, atol=1e-7)
        assert together.seen[place] == alone.seen[row]
    assert together.values.any()


def test_no_pair_has_no_score() -> None:
    moment = Moment(0.0, 0.0, np.zeros(2))
    scores = PairScorer(WORDS, CONFIG).score(PairTable(len(WORDS.verbs)), TrackBoxes(), moment)
    assert not scores.seen.any()
    assert not scores.values.any()


def test_a_pair_seen_too_far_away_in_time_has_none() -> None:
    table, tracks = scene()
    scores = PairScorer(WORDS, CONFIG).score(table, tracks, Moment(9.0, 1 / 30, np.zeros(2)))
    assert not scores.seen.any()
    assert not scores.values.any()


def test_the_filtered_score_is_the_weighted_mean_of_the_frames_that_saw_the_pair() -> None:
    at = times(10, 1)
    seen = {pts: 0.1 * index for index, pts in enumerate(at) if index != 4}
    things = [Thing(1, "person", lambda t: (0, 0, 50, 200)), Thing(2, "bench", lambda t: (10, 100, 90, 190))]
    table = PairTable(len(WORDS.verbs))
    for item in frames(at, things, [Pair(1, 2, lambda t: {"sit_on": seen[t]} if t in seen else None)]):
        table.observe(item, 9.0)
    scores = PairScorer(WORDS, CONFIG).score(table, TrackBoxes(), Moment(0.5, 0.1, np.zeros(2)))
    weights = np.exp(-np.abs(np.array(list(seen)) - 0.5) / CONFIG.tau_seconds)
    expected = weights @ np.array(list(seen.values())) / weights.sum()
    assert scores.values[table.row_of((1, 2)), WORDS.verb_id("sit_on")] == pytest.approx(expected, abs=1e-6)
