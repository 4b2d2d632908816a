"""Belief in every pair's verbs at one time: filtered over the frames around it, weighed by motion, in proportion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.smooth.config import BALL_LOOKALIKES, CARRYING_VERBS, MOMENTARY_VERBS, PORTABLE_OBJECTS, SmoothingConfig
from videohoi.smooth.filters import filter_weights, interaction_scores, shifted
from videohoi.smooth.motion import carrying_evidence, pair_motion
from videohoi.smooth.pair_table import PairTable
from videohoi.smooth.track_boxes import TrackBoxes, Vector
from videohoi.vocabulary import Vocabulary

LEAST_FRAMES = 2
"""a pair scored in a single frame of those remembered is no state over time; told only where one looks ahead, since a
live run would have to wait a frame for it"""


@dataclass(frozen=True, repr=False)
class PairScores:
    """Scores at one time of the R rows of a pair table."""

    values: Vector
    """(R, V); 0 where not seen"""
    seen: NDArray[np.bool_]
    """(R,) the pair was seen in frames within reach"""


@dataclass(frozen=True)
class Moment:
    """The time scores are asked for."""

    pts_seconds: float
    dt_seconds: float
    """since the moment before"""
    camera_px_per_second: Vector
    """(2,)"""


class PairScorer:
    """Scores the pairs of one source; the memory of what is carried is in the table."""

    def __init__(self, vocabulary: Vocabulary, config: SmoothingConfig) -> None:
        verbs = vocabulary.verbs
        self._config = config
        self._carrying = np.flatnonzero([verb in CARRYING_VERBS for verb in verbs])
        self._dribble = np.flatnonzero([verb == "dribble" for verb in verbs])
        self._hold = np.flatnonzero([verb == "hold" for verb in verbs])
        self._ball = np.array([name in BALL_LOOKALIKES for name in vocabulary.objects])
        self._portable = np.array([name in PORTABLE_OBJECTS for name in vocabulary.objects])
        stateful = np.array([verb not in MOMENTARY_VERBS for verb in verbs]) & vocabulary.acting_verbs
        self.allowed: NDArray[np.bool_] = vocabulary.valid & stateful
        """(O, V) verbs that may be told as states of an object class"""

    @property
    def dribble(self) -> NDArray[np.int64]:
        """Columns of the verb "dribble": one, or none where the vocabulary lacks it."""
        return self._dribble

    def score(self, table: PairTable, tracks: TrackBoxes, moment: Moment) -> PairScores:
        """Scores of the rows of ``table``."""
        scores = self._filtered(table, moment.pts_seconds)
        if self._config.enabled:
            self._weigh_motion(table, scores, tracks, moment)
        allowed = np.where(self.allowed[table.class_ids[: table.used]], scores.values, 0.0)
        return PairScores(interaction_scores(allowed, self._config.verb_contrast), scores.seen)

    def _filtered(self, table: PairTable, pts_seconds: float) -> PairScores:
        config, grid, used = self._config, table.scores, table.used
        weights = filter_weights(grid.times, pts_seconds, config.tau_seconds, config.filter)
        near = np.flatnonzero(weights)
        values = np.zeros((used, table.verb_count))
        if not len(near):
            return PairScores(values, np.zeros(used, np.bool_))
        rows = slice(int(near[0]), int(near[-1]) + 1)
        seen, width = grid.seen[:, :used], grid.seen.shape[1]
        totals = (weights[rows] @ seen[rows])[:used]
        least = LEAST_FRAMES if config.lookahead_seconds > 0 else 1
        told = np.zeros(used, np.bool_)
        told[: seen.shape[1]] = (totals > 0) & (seen.sum(axis=0) >= least)
        flat = grid.values[rows].reshape(rows.stop - rows.start, -1)
        sums = (weights[rows].astype(np.float32) @ flat).reshape(width, -1)[:used]
        which = np.flatnonzero(told)
        values[which] = sums[which] / totals[which, None]
        return PairScores(values, told)

    def _weigh_motion(self, table: PairTable, scores: PairScores, tracks: TrackBoxes, moment: Moment) -> None:
        """Let motion speak for or against the carrying verbs of portable things."""
        classes = table.class_ids[: table.used]
        rows = np.flatnonzero(self._portable[classes] & scores.seen)
        if not len(rows):
            return
        config, pts = self._config.motion, moment.pts_seconds
        humans, objects = tracks.columns_of(table.human_ids[rows]), tracks.columns_of(table.object_ids[rows])
        motion = pair_motion(tracks, humans, objects, pts, moment.camera_px_per_second, config)
        kicked = np.abs(pts - table.kicked_seconds[rows]) < config.kicked_seconds
        at_feet = self._ball[classes[rows]] & (motion.highest_share < config.low_heights)
        evidence = carrying_evidence(table.carried[rows], motion, moment.dt_seconds, config, kicked | at_feet)
        table.carried[rows] = evidence.carried
        rolling = at_feet & ((motion.object_sizes_per_second > config.moving_sizes_per_second) | kicked)
        dribbles = np.where(rolling, config.dribble_logits[1], config.dribble_logits[0])
        values, at = scores.values, rows[:, None]
        values[at, self._carrying] = shifted(values[at, self._carrying], evidence.logits[:, None])
        values[at, self._dribble] = shifted(values[at, self._dribble], dribbles[:, None])
        values[at, self._hold] = np.maximum(values[at, self._hold], evidence.floors[:, None])
