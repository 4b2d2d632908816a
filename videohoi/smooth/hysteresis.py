"""From a filtered score to begin, update, end and retract decisions, with the delay each had."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from videohoi.smooth.config import SmoothingConfig
from videohoi.smooth.pair_table import OFF, ON, PENDING, PairState
from videohoi.structures import Phase

Decision = tuple[int, Phase]
"""(verb column, what was decided)"""


def advance(
    pair: PairState,
    score: NDArray[np.float64] | None,
    at_seconds: float,
    config: SmoothingConfig,
    next_id: Callable[[], int],
) -> Iterator[Decision]:
    """One step of a pair at ``at_seconds``; ``score`` (V,) is None while the pair is not seen.

    A verb begins at ``on_threshold``, goes on down to ``off_threshold``, is announced after ``confirm_seconds`` and
    ends once it was off for ``bridge_seconds`` (``hold_unseen_seconds`` when the pair cannot be seen).
    """
    if pair.idle and (score is None or score.max() < config.on_threshold):
        return
    if score is not None:
        _raise_scores(pair, score, at_seconds, config)
    yield from _announce(pair, at_seconds, config, next_id)
    yield from _finish(pair, at_seconds, config, patience=_patience(score, config))
    yield from _refresh(pair, at_seconds, config)


def close(pair: PairState, config: SmoothingConfig) -> Iterator[Decision]:
    """End whatever is still on (end of stream, reset)."""
    yield from _finish(pair, np.inf, config, patience=0.0)


def _patience(score: NDArray[np.float64] | None, config: SmoothingConfig) -> float:
    return config.hold_unseen_seconds if score is None else config.bridge_seconds


def _raise_scores(pair: PairState, score: NDArray[np.float64], at_seconds: float, config: SmoothingConfig) -> None:
    """Move verbs OFF -> PENDING, drop PENDING ones that fell, and account the score of those that hold."""
    threshold = np.where(pair.phase == OFF, config.on_threshold, config.off_threshold)
    holds = score >= threshold
    starts = holds & (pair.phase == OFF)
    room = config.max_verbs_per_pair - int((pair.phase != OFF).sum())
    if starts.sum() > max(room, 0):
        best = np.argsort(-np.where(starts, score, -1.0), kind="stable")[: max(room, 0)]
        allowed = np.zeros_like(starts)
        allowed[best] = True
        holds &= ~starts | allowed
        starts &= allowed
    pair.begin[starts] = at_seconds
    pair.peak[starts] = 0.0
    pair.score_sum[starts] = 0.0
    pair.score_count[starts] = 0
    pair.phase[starts] = PENDING
    pair.phase[(pair.phase == PENDING) & ~holds] = OFF
    pair.last_on[holds] = at_seconds
    pair.peak[holds] = np.maximum(pair.peak[holds], score[holds])
    pair.score_sum[holds] += score[holds]
    pair.score_count[holds] += 1


def _announce(
    pair: PairState, at_seconds: float, config: SmoothingConfig, next_id: Callable[[], int]
) -> Iterator[Decision]:
    ready = (pair.phase == PENDING) & (pair.last_on - pair.begin >= config.confirm_seconds)
    for verb in np.flatnonzero(ready):
        pair.phase[verb] = ON
        pair.interaction[verb] = next_id()
        pair.last_update[verb] = at_seconds
        yield int(verb), Phase.BEGIN


def _finish(pair: PairState, at_seconds: float, config: SmoothingConfig, *, patience: float) -> Iterator[Decision]:
    over = (pair.phase == ON) & (at_seconds - pair.last_on > patience)
    for verb in np.flatnonzero(over):
        short = pair.last_on[verb] - pair.begin[verb] < config.min_seconds
        yield int(verb), Phase.RETRACT if short else Phase.END
        pair.phase[verb] = OFF
    pair.phase[(pair.phase == PENDING) & (at_seconds - pair.last_on > patience)] = OFF


def _refresh(pair: PairState, at_seconds: float, config: SmoothingConfig) -> Iterator[Decision]:
    due = (pair.phase == ON) & (at_seconds - pair.last_update >= config.update_seconds)
    for verb in np.flatnonzero(due):
        pair.last_update[verb] = at_seconds
        yield int(verb), Phase.UPDATE
