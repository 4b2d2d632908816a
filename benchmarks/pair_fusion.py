"""Pairs, score fusion and the best triplets: (human * object) score * verb * validity, top 100."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Claim, Contestant, NotEqualError, Options, Row, interleave
from benchmarks.scenes_post import PairScores, pair_scores
from videohoi.interact.top_triplets import TripletRanker
from videohoi.vocabulary import hico_det

LIMIT = 100
NUMPY, TORCH = "numpy", "torch"
CASES = ((2, 5), (5, 10), (10, 20), (15, 30), (30, 60))
GOAL_CASE, GOAL = (10, 20), 6.0
Ranked = tuple[NDArray[Any], NDArray[Any]]
"""places in the (N, M, V) grid and their scores, best first"""


def numpy_rank(scores: PairScores, valid: NDArray[np.bool_]) -> Ranked:
    """The usual way: the whole grid, then a partial sort of what is allowed (zeros would make it far slower)."""
    prior = scores.humans[:, None] * scores.objects[None]
    grid = (prior[..., None] * scores.verbs * valid[scores.object_classes][None]).reshape(-1)
    places = np.flatnonzero(grid)
    found = grid[places]
    if len(found) > LIMIT:
        best = np.argpartition(found, len(found) - LIMIT)[-LIMIT:]
        places, found = places[best], found[best]
    order = np.lexsort((places, -found))
    return places[order], found[order]


def torch_rank(torch: Any, scores: PairScores, valid: NDArray[np.bool_]) -> Callable[[], Ranked]:
    """The same by ``torch.topk`` on one thread, tensors made beforehand."""
    torch.set_num_threads(1)
    humans, objects, classes, verbs = map(torch.from_numpy, scores.parts)
    allowed = torch.from_numpy(valid.copy())

    def rank() -> Ranked:
        grid = (humans[:, None] * objects[None])[..., None] * verbs * allowed[classes][None]
        found, places = torch.topk(grid.reshape(-1), min(LIMIT, grid.numel()))
        positive = found > 0
        return places[positive].numpy(), found[positive].numpy()

    return rank


def _ours(ranker: TripletRanker, scores: PairScores) -> Ranked:
    found = ranker.rank(*scores.parts)
    objects, verbs = len(scores.objects), scores.verbs.shape[2]
    return (found.human_rows * objects + found.object_rows) * verbs + found.verbs, found.scores


def _torch() -> Any:
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        return f"{TORCH}: {error}"


def compare(scores: PairScores, valid: NDArray[np.bool_]) -> int:
    """Triplets compared, place and score; ``NotEqualError`` where one differs."""
    places, found = _ours(TripletRanker(valid, limit=LIMIT), scores)
    expected, expected_scores = numpy_rank(scores, valid)
    if not np.array_equal(places, expected) or not np.array_equal(found, expected_scores):
        raise NotEqualError(f"the best {len(found)} triplets differ from numpy's")
    torch = _torch()
    if not isinstance(torch, str):
        their_places, their_scores = torch_rank(torch, scores, valid)()
        surely = found > (found[-1] if len(found) else 0)  # at the last score torch may take any of equal ones
        missing = set(places[surely].tolist()) - set(their_places.tolist())
        if not np.array_equal(found, their_scores) or missing:
            raise NotEqualError(f"the best {len(found)} triplets differ from {TORCH}'s")
    return len(found)


def check(options: Options) -> str:
    """The best triplets, in order, with HICO-DET's table of valid verbs and with every verb allowed."""
    valid = hico_det().valid
    tables = (valid, np.ones_like(valid))
    count = sum(compare(pair_scores(*case, seed), table) for table in tables for seed, case in enumerate(CASES))
    return f"{count} triplets, place, order and score"


def _row(case: tuple[int, int], name: str, valid: NDArray[np.bool_], options: Options) -> Row:
    scores = pair_scores(*case)
    count = compare(scores, valid)
    ranker = TripletRanker(valid, limit=LIMIT)
    contestants = [
        Contestant("ours", lambda: ranker.rank(*scores.parts)),
        Contestant(NUMPY, lambda: numpy_rank(scores, valid)),
    ]
    torch = _torch()
    if not isinstance(torch, str):
        contestants.append(Contestant(TORCH, torch_rank(torch, scores, valid)))
    return Row(
        f"{case[0]} x {case[1]} x 117, {name}",
        f"{count} triplets, place, order and score",
        interleave(contestants, options.rounds),
        goals={NUMPY: GOAL, TORCH: GOAL} if case == GOAL_CASE else {},
        absent=(torch,) if isinstance(torch, str) else (),
    )


def measure(options: Options) -> Sequence[Row]:
    """From a quiet frame to a crowd, with HICO-DET's table; one frame with every verb allowed."""
    valid = hico_det().valid
    rows = [_row(case, "valid verbs of HICO-DET", valid, options) for case in CASES]
    return [*rows, _row(GOAL_CASE, "every verb", np.ones_like(valid), options)]


CLAIM = Claim(
    "pair_fusion",
    f"Pair building, score fusion and the best {LIMIT} triplets: the same ones in the same order as numpy and torch on "
    f"one thread, at least {GOAL:g} times as fast at 10 humans, 20 objects and 117 verbs.",
    check,
    measure,
)
