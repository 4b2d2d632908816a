"""Scores of every pair's verbs at one time: filtered over the frames around it and weighed by motion.

Pairs that cannot hold at the same time compete, and the better one wins. Detectors name one board snowboard, skis and
skateboard in turn, and trackers then follow three; a human rides one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from videohoi.smooth.config import (
    BALL_LOOKALIKES,
    CARRYING_VERBS,
    MOMENTARY_VERBS,
    PORTABLE_OBJECTS,
    REACH_TAUS,
    FilterName,
    SmoothingConfig,
)
from videohoi.smooth.motion import TrackBoxes, Vector, carrying_evidence, pair_motion
from videohoi.smooth.pair_table import ON, PairTable
from videohoi.vocabulary import Vocabulary

Ints = NDArray[np.int64]

LEAST_FRAMES = 2
"""a pair that was scored in one of the remembered frames only has no state over time. A live run does not ask for this,
since it would have to wait a frame"""
BOARDS = frozenset({"skateboard", "skis", "snowboard", "surfboard"})
"""a human is on one of these at a time, and each carries one human"""
MOUNT_VERBS = frozenset({"board", "drive", "hop_on", "lie_on", "ride", "sit_on", "stand_on", "straddle"})
"""a human's weight rests on one thing"""
INCUMBENT_BONUS = 0.2
"""added to the score of a pair that already holds: it yields only to one that is clearly better"""
UNSEEN_SHARE = 0.5
"""share of its peak that counts for a pair that holds but is not seen"""

KERNELS: MappingProxyType[FilterName, Callable[[Vector], Vector]] = MappingProxyType(
    {
        "exponential": lambda taus: np.exp(-taus),
        "gaussian": lambda taus: np.exp(-0.5 * taus * taus),
        "none": lambda taus: np.where(taus == 0, 1.0, 0.0),
    }
)
"""weight of a sample by its distance in time constants"""


def filter_weights(times_seconds: Vector, at_seconds: float, tau_seconds: float, kernel: FilterName) -> Vector:
    """(F,) weights of samples around ``at_seconds``, not normalised; 0 out of reach.

    With only past samples, exponential weights are the exponential moving average (alpha = 1 - exp(-dt / tau)); with
    future ones they are the two-sided, delay-free filter of offline use.
    """
    away = np.abs(times_seconds - at_seconds)
    reach_seconds = max(REACH_TAUS * tau_seconds, 1e-6)
    return np.where(away <= reach_seconds, KERNELS[kernel](away / tau_seconds), 0.0)


def logit(probability: Vector) -> Vector:
    """log(p / (1 - p)), clipped to +-13.8 (p within 1e-6 of the ends)."""
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    result: Vector = np.log(clipped / (1 - clipped))
    return result


def sigmoid(value: Vector) -> Vector:
    """1 / (1 + exp(-x)) without overflow."""
    result: Vector = 0.5 * (1 + np.tanh(0.5 * value))
    return result


def shifted(probability: Vector, by_logit: float | Vector) -> Vector:
    """Probabilities moved by ``by_logit`` (one, or an array that fits) on the logit scale; 0, not a verb, stays 0."""
    return np.where(probability > 0, sigmoid(logit(probability) + by_logit), 0.0)


def interaction_scores(verb_scores: Vector, contrast: float) -> Vector:
    """(V,) or (P, V) scores of verbs as belief in the pair's interaction times the verb's share of it.

    A pair interacts if any verb holds: p = 1 - prod(1 - p_v), a noisy or. Its best verb gets p itself, the others
    p * (p_v / max p_v) ** contrast. Data sets tick one of several fitting verbs, so single verbs come out too low for
    a threshold, while their union does not.
    """
    best = verb_scores.max(axis=-1, keepdims=True)
    union = 1 - np.prod(1 - verb_scores, axis=-1, keepdims=True)
    share = np.divide(verb_scores, best, out=np.zeros_like(verb_scores), where=best > 0)
    result: Vector = union * share**contrast
    return result


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
        """(O, V) verbs that may be reported as states of an object class"""

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
        is_scored = np.zeros(used, np.bool_)
        is_scored[: seen.shape[1]] = (totals > 0) & (seen.sum(axis=0) >= least)
        flat = grid.values[rows].reshape(rows.stop - rows.start, -1)
        sums = (weights[rows].astype(np.float32) @ flat).reshape(width, -1)[:used]
        which = np.flatnonzero(is_scored)
        values[which] = sums[which] / totals[which, None]
        return PairScores(values, is_scored)

    def _weigh_motion(self, table: PairTable, scores: PairScores, tracks: TrackBoxes, moment: Moment) -> None:
        """Weigh the carrying verbs of portable objects by motion."""
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


class Exclusion:
    """Zeroes the verbs of losing pairs."""

    def __init__(self, objects: Sequence[str], verbs: Sequence[str]) -> None:
        self._board = np.array([name in BOARDS for name in objects])
        self._mount_columns = np.flatnonzero([verb in MOUNT_VERBS for verb in verbs])
        self._all_columns = np.arange(len(verbs))

    def apply(self, table: PairTable, rows: Ints, scores: PairScores) -> None:
        """Change ``scores`` of the pairs in ``rows`` (P,) of ``table`` in place; earlier rows win ties."""
        boards = rows[self._board[table.class_ids[rows]]]
        if len(boards):
            _compete(table, scores, boards, table.human_ids[boards], self._all_columns)
            _compete(table, scores, boards, table.object_ids[boards], self._all_columns)
        if len(rows) and len(self._mount_columns):  # a vocabulary of one's own words may have none
            _compete(table, scores, rows, table.human_ids[rows], self._mount_columns)


def _compete(table: PairTable, scores: PairScores, rows: Ints, rivals: Ints, columns: Ints) -> None:
    """Of the ``rows`` (n,) with one number in ``rivals`` (n,) only the strongest keeps its verbs in ``columns``."""
    strengths = _strengths(table, scores, rows, columns)
    if np.count_nonzero(strengths > 0) < 2:
        return  # no competition
    order = np.lexsort((np.arange(len(rows)), -strengths, rivals))
    first = np.r_[True, np.diff(rivals[order]) != 0]
    winners = order[first][np.cumsum(first) - 1]  # of each row's rivals, in ``order``
    losers = rows[order[(winners != order) & (strengths[winners] > 0)]]
    scores.values[losers[:, None], columns] = 0.0


def _strengths(table: PairTable, scores: PairScores, rows: Ints, columns: Ints) -> NDArray[np.float64]:
    """(n,) best score of the verbs; of a pair that holds but is not seen, a share of its peak."""
    at = (rows[:, None], columns)
    held = table.phase[at] == ON
    peaks = np.where(held, table.peak[at], 0.0).max(axis=1)
    best = scores.values[at].max(axis=1)
    bonus = np.where(held.any(axis=1) & (best > 0), INCUMBENT_BONUS, 0.0)
    strengths: NDArray[np.float64] = np.where(scores.seen[rows], best + bonus, peaks * UNSEEN_SHARE)
    return strengths
