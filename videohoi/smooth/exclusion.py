"""One body, one mount: pairs that cannot hold at the same time compete, the better one wins.

Detectors name one board snowboard, skis and skateboard in turn, and trackers then see three; a human rides one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from videohoi.smooth.pair_table import ON, PairState
from videohoi.smooth.scoring import PairScores

BOARDS = frozenset({"skateboard", "skis", "snowboard", "surfboard"})
"""a human is on one of these at a time, and each carries one human"""
MOUNT_VERBS = frozenset({"board", "drive", "hop_on", "lie_on", "ride", "sit_on", "stand_on", "straddle"})
"""a human's weight rests on one thing"""
INCUMBENT_BONUS = 0.2
"""what already holds is given up only to a clearly better one"""
UNSEEN_SHARE = 0.5
"""of its peak, what an unseen pair that holds defends itself with"""


class Exclusion:
    """Zeroes the verbs of losing pairs."""

    def __init__(self, objects: Sequence[str], verbs: Sequence[str]) -> None:
        self._board = np.array([name in BOARDS for name in objects])
        self._mount = np.array([verb in MOUNT_VERBS for verb in verbs])
        self._any = np.ones(len(verbs), np.bool_)

    def apply(self, pairs: Sequence[PairState], scores: PairScores) -> None:
        """Change ``scores`` of the pairs, aligned with them, in place."""
        if not pairs:
            return
        boards = np.flatnonzero(self._board[[pair.object_class_id for pair in pairs]])
        if len(boards):
            self._compete(pairs, scores, boards, lambda pair: pair.human_id, self._any)
            self._compete(pairs, scores, boards, lambda pair: pair.object_id, self._any)
        if self._mount.any():  # a vocabulary of one's own words may have none
            self._compete(pairs, scores, np.arange(len(pairs)), lambda pair: pair.human_id, self._mount)

    def _compete(
        self,
        pairs: Sequence[PairState],
        scores: PairScores,
        rows: NDArray[np.int64],
        rival_of: Callable[[PairState], int],
        verbs: NDArray[np.bool_],
    ) -> None:
        best: dict[int, tuple[float, int]] = {}
        rivals = [rival_of(pairs[row]) for row in rows]
        for row, rival, strength in zip(rows.tolist(), rivals, _strengths(pairs, scores, rows, verbs), strict=True):
            if strength > best.get(rival, (0.0, row))[0]:
                best[rival] = (strength, row)
        losers = [
            row for row, rival in zip(rows.tolist(), rivals, strict=True) if best.get(rival, (0.0, row))[1] != row
        ]
        if losers:
            scores.values[np.ix_(losers, np.flatnonzero(verbs))] = 0.0


def _strengths(
    pairs: Sequence[PairState], scores: PairScores, rows: NDArray[np.int64], verbs: NDArray[np.bool_]
) -> list[float]:
    """Best score of the verbs in ``rows``; a pair that already holds but is unseen defends what it had."""
    held = np.stack([pairs[row].phase for row in rows])[:, verbs] == ON
    peaks = np.where(held, np.stack([pairs[row].peak for row in rows])[:, verbs], 0.0).max(axis=1)
    best = scores.values[np.ix_(rows, np.flatnonzero(verbs))].max(axis=1)
    bonus = np.where(held.any(axis=1) & (best > 0), INCUMBENT_BONUS, 0.0)
    strengths: list[float] = np.where(scores.seen[rows], best + bonus, peaks * UNSEEN_SHARE).tolist()
    return strengths
