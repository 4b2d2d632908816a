"""One body, one mount: pairs that cannot hold at the same time compete, the better one wins.

Detectors name one board snowboard, skis and skateboard in turn, and trackers then see three; a human rides one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from videohoi.smooth.pair_table import ON, PairTable
from videohoi.smooth.scoring import PairScores

BOARDS = frozenset({"skateboard", "skis", "snowboard", "surfboard"})
"""a human is on one of these at a time, and each carries one human"""
MOUNT_VERBS = frozenset({"board", "drive", "hop_on", "lie_on", "ride", "sit_on", "stand_on", "straddle"})
"""a human's weight rests on one thing"""
INCUMBENT_BONUS = 0.2
"""what already holds is given up only to a clearly better one"""
UNSEEN_SHARE = 0.5
"""of its peak, what an unseen pair that holds defends itself with"""

Ints = NDArray[np.int64]


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
        return  # nobody to lose against
    order = np.lexsort((np.arange(len(rows)), -strengths, rivals))
    first = np.r_[True, np.diff(rivals[order]) != 0]
    winners = order[first][np.cumsum(first) - 1]  # of each row's rivals, in ``order``
    losers = rows[order[(winners != order) & (strengths[winners] > 0)]]
    scores.values[losers[:, None], columns] = 0.0


def _strengths(table: PairTable, scores: PairScores, rows: Ints, columns: Ints) -> NDArray[np.float64]:
    """(n,) best score of the verbs; a pair that already holds but is unseen defends what it had."""
    at = (rows[:, None], columns)
    held = table.phase[at] == ON
    peaks = np.where(held, table.peak[at], 0.0).max(axis=1)
    best = scores.values[at].max(axis=1)
    bonus = np.where(held.any(axis=1) & (best > 0), INCUMBENT_BONUS, 0.0)
    strengths: NDArray[np.float64] = np.where(scores.seen[rows], best + bonus, peaks * UNSEEN_SHARE)
    return strengths
