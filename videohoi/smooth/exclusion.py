"""One body, one mount: pairs that cannot hold at the same time compete, the better one wins.

Detectors name one board snowboard, skis and skateboard in turn, and trackers then see three; a human rides one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from videohoi.smooth.pair_table import ON, PairState

BOARDS = frozenset({"skateboard", "skis", "snowboard", "surfboard"})
"""a human is on one of these at a time, and each carries one human"""
MOUNT_VERBS = frozenset({"board", "drive", "hop_on", "lie_on", "ride", "sit_on", "stand_on", "straddle"})
"""a human's weight rests on one thing"""
INCUMBENT_BONUS = 0.2
"""what already holds is given up only to a clearly better one"""

Scores = dict[tuple[int, int], NDArray[np.float64] | None]


class Exclusion:
    """Zeroes the verbs of losing pairs."""

    def __init__(self, objects: Sequence[str], verbs: Sequence[str]) -> None:
        self._board = np.array([name in BOARDS for name in objects])
        self._mount = np.array([verb in MOUNT_VERBS for verb in verbs])
        self._any = np.ones(len(verbs), np.bool_)

    def apply(self, pairs: Mapping[tuple[int, int], PairState], scores: Scores) -> None:
        """Change ``scores`` (V,) of the pairs in place."""
        boards = [key for key, pair in pairs.items() if self._board[pair.object_class_id]]
        self._compete(pairs, scores, boards, lambda key: key[0], self._any)
        self._compete(pairs, scores, boards, lambda key: key[1], self._any)
        self._compete(pairs, scores, list(pairs), lambda key: key[0], self._mount)

    def _compete(
        self,
        pairs: Mapping[tuple[int, int], PairState],
        scores: Scores,
        keys: Sequence[tuple[int, int]],
        rival_of: Callable[[tuple[int, int]], int],
        verbs: NDArray[np.bool_],
    ) -> None:
        best: dict[int, tuple[float, tuple[int, int]]] = {}
        for key in keys:
            strength = _strength(pairs[key], scores[key], verbs)
            if strength > best.get(rival_of(key), (0.0, key))[0]:
                best[rival_of(key)] = (strength, key)
        for key in keys:
            score, winner = scores[key], best.get(rival_of(key), (0.0, key))[1]
            if score is not None and winner != key:
                scores[key] = np.where(verbs, 0.0, score)


def _strength(pair: PairState, score: NDArray[np.float64] | None, verbs: NDArray[np.bool_]) -> float:
    """Best score of the verbs; a pair that already holds but is unseen defends what it had."""
    held = np.flatnonzero((pair.phase == ON) & verbs)
    if score is None:
        return float(pair.peak[held].max()) * 0.5 if len(held) else 0.0
    best = float((score * verbs).max())
    return best + (INCUMBENT_BONUS if len(held) else 0.0) if best > 0 else 0.0
