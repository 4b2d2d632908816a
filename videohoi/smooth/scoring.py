"""Belief in every pair's verbs at one time: filtered over the frames around it, weighed by motion, put in proportion.

What can be done for all pairs at once is: a frame has dozens of pairs, and each array operation costs more to call than
to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.smooth.config import BALL_LOOKALIKES, CARRYING_VERBS, MOMENTARY_VERBS, PORTABLE_OBJECTS, SmoothingConfig
from videohoi.smooth.filters import interaction_scores, shifted
from videohoi.smooth.history import Histories
from videohoi.smooth.motion import CarryingEvidence, pair_motion
from videohoi.smooth.pair_table import FrameWeights, PairState
from videohoi.smooth.timed_rows import Vector
from videohoi.vocabulary import Vocabulary

REACH_TAUS = 3.0
"""samples farther than this many time constants weigh under 5 % and are left out"""
LEAST_FRAMES = 2
"""a pair scored in a single frame of those remembered is no state over time; told only where one looks ahead, since a
live run would have to wait a frame for it"""


@dataclass(frozen=True, repr=False)
class PairScores:
    """Scores of P pairs at one time."""

    values: NDArray[np.float64]
    """(P, V); 0 where not seen"""
    seen: NDArray[np.bool_]
    """(P,) the pair was seen in frames within reach"""


@dataclass(frozen=True)
class Moment:
    """The time scores are asked for."""

    pts_seconds: float
    dt_seconds: float
    """since the moment before"""
    camera_px_per_second: Vector
    """(2,)"""


@dataclass(frozen=True)
class _Weighing:
    """What motion says about one pair."""

    evidence: CarryingEvidence
    dribble_logit: float


class PairScorer:
    """Scores the pairs of one source; the memory of what is carried is the pairs' own."""

    def __init__(self, vocabulary: Vocabulary, config: SmoothingConfig) -> None:
        verbs = vocabulary.verbs
        self._config = config
        self._carrying = np.flatnonzero([verb in CARRYING_VERBS for verb in verbs])
        self._dribble = np.flatnonzero([verb == "dribble" for verb in verbs])
        self._hold = np.flatnonzero([verb == "hold" for verb in verbs])
        self._ball = np.array([name in BALL_LOOKALIKES for name in vocabulary.objects])
        self._portable = np.array([name in PORTABLE_OBJECTS for name in vocabulary.objects])
        stateful = np.array([verb not in MOMENTARY_VERBS for verb in verbs]) & vocabulary.acting_verbs
        self._allowed = vocabulary.valid & stateful
        self._verb_count = len(verbs)

    @property
    def dribble(self) -> NDArray[np.int64]:
        """Columns of the verb "dribble": one, or none where the vocabulary lacks it."""
        return self._dribble

    def score(self, pairs: Sequence[PairState], histories: Histories, moment: Moment) -> PairScores:
        """Scores of ``pairs`` in their order."""
        scores = self._filtered(pairs, moment)
        if self._config.enabled:
            self._weigh_motion(pairs, scores, histories, moment)
        classes = [pair.object_class_id for pair in pairs]
        allowed = np.where(self._allowed[classes], scores.values, 0.0)
        return PairScores(interaction_scores(allowed, self._config.verb_contrast), scores.seen)

    def _filtered(self, pairs: Sequence[PairState], moment: Moment) -> PairScores:
        tau = self._config.tau_seconds
        weights = FrameWeights(moment.pts_seconds, tau, max(REACH_TAUS * tau, 1e-6))
        values, seen = np.zeros((len(pairs), self._verb_count)), np.zeros(len(pairs), np.bool_)
        least = LEAST_FRAMES if self._config.lookahead_seconds > 0 else 1
        for row, pair in enumerate(pairs):
            score = pair.filtered(weights) if len(pair.history) >= least else None
            if score is not None:
                values[row], seen[row] = score, True
        return PairScores(values, seen)

    def _weigh_motion(
        self, pairs: Sequence[PairState], scores: PairScores, histories: Histories, moment: Moment
    ) -> None:
        """Let motion speak for or against the carrying verbs of portable things."""
        classes = [pair.object_class_id for pair in pairs]
        rows = np.flatnonzero(self._portable[classes] & scores.seen)
        if not len(rows):
            return
        said = [self._weighing(pairs[row], histories, moment) for row in rows.tolist()]
        logits = np.array([[one.evidence.logit] for one in said])
        dribbles = np.array([[one.dribble_logit] for one in said])
        floors = np.array([[one.evidence.floor] for one in said])
        values, at = scores.values, rows[:, None]
        values[at, self._carrying] = shifted(values[at, self._carrying], logits)
        values[at, self._dribble] = shifted(values[at, self._dribble], dribbles)
        values[at, self._hold] = np.maximum(values[at, self._hold], floors)

    def _weighing(self, pair: PairState, histories: Histories, moment: Moment) -> _Weighing:
        config, pts = self._config.motion, moment.pts_seconds
        human, thing = histories.get(pair.human_id), histories.get(pair.object_id)
        motion = pair_motion(human, thing, pts, moment.camera_px_per_second, config)
        kicked = abs(pts - pair.kicked_seconds) < config.kicked_seconds
        at_feet = bool(self._ball[pair.object_class_id]) and motion.highest_share < config.low_heights
        evidence = pair.memory.update(motion, moment.dt_seconds, config, free=kicked or at_feet)
        rolling = at_feet and (motion.object_sizes_per_second > config.moving_sizes_per_second or kicked)
        return _Weighing(evidence, config.dribble_logits[int(rolling)])
