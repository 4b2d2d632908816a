"""The best (human, verb, object) triplets of a picture, from box scores and verb scores.

    score = (human score * object score) ** lambda * verb score,  0 where the verb does not go with the object

the house's formula (``fusion``; UPT, arXiv 2112.01838) after the sigmoid. The order is defined: higher score first,
then the lower human row, object row and verb, so that equal input gives equal output everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.geometry.warming import warmed
from videohoi.interact._kernels import rank_grid_kernel
from videohoi.structures.checks import require_shape

TRIPLET_LIMIT = 100
"""most triplets of a picture, as the public HICO-DET evaluators of QPIC and CDN take"""


@dataclass(frozen=True, repr=False)
class TopTriplets:
    """K triplets, best first."""

    human_rows: NDArray[np.int64]
    """(K,) rows of the humans given"""
    object_rows: NDArray[np.int64]
    """(K,) rows of the objects given"""
    verbs: NDArray[np.int64]
    """(K,) verb columns"""
    scores: NDArray[np.float32]
    """(K,) above 0"""

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        return f"TopTriplets(n={len(self)})"


class TripletRanker:
    """Scores every human with every object and gives the best triplets. Stateless between pictures.

    Args:
        valid: (O, V) the verb goes with the object class; see ``Vocabulary.valid``.
        box_lambda: how much doubt about the boxes weighs; see ``fusion``.
        limit: most triplets of a picture.

    Raises:
        UsageError: ``limit`` is negative or ``box_lambda`` is.
    """

    def __init__(self, valid: NDArray[np.bool_], *, box_lambda: float = 1.0, limit: int = TRIPLET_LIMIT) -> None:
        require_shape("TripletRanker", "valid", valid, (None, None))
        if limit < 0 or not box_lambda >= 0:
            raise UsageError(
                f"ranking triplets: expected a limit and lambda of 0 or more, got {limit} and {box_lambda}"
            )
        self.valid = valid.astype(np.bool_)
        self.box_lambda, self.limit = float(box_lambda), int(limit)
        # a stable sort of "not allowed" puts the allowed verbs first, in their order
        self._verbs_of_class = np.ascontiguousarray(np.argsort(~self.valid, axis=1, kind="stable"), np.int64)
        self._verb_counts = self.valid.sum(axis=1).astype(np.int64)
        self._compiled = True

    def open(self) -> None:
        """Load the compiled kernel, or run on numpy while it is compiled."""
        self._compiled = warmed(self._warm_up)

    def rank(
        self,
        human_scores: NDArray[np.float32],
        object_scores: NDArray[np.float32],
        object_class_ids: NDArray[np.int64],
        verb_scores: NDArray[np.float32],
    ) -> TopTriplets:
        """Best triplets of N humans and M objects; triplets of score 0 are none, so that fewer may come.

        ``human_scores`` (N,), ``object_scores`` (M,), ``object_class_ids`` (M,) rows of ``valid``, ``verb_scores``
        (N, M, V) or (N * M, V); all scores are taken as float32, what is not a number counts as 0, a verb's more
        than 1 as 1. A pair that is none (a human with itself) has verb scores 0.

        Raises:
            ValueError: another shape.
            UsageError: an object class that ``valid`` has no row for.
        """
        parts = self._checked(human_scores, object_scores, object_class_ids, verb_scores)
        if not self._compiled:
            self._check_classes(object_class_ids)
            return top_triplets_numpy(*parts, self.valid, self.limit)
        found = rank_grid_kernel(*parts, self._verbs_of_class, self._verb_counts, self.limit)
        if not found[0]:
            self._check_classes(object_class_ids)
        return TopTriplets(*found[1:])

    def _checked(
        self,
        human_scores: NDArray[np.float32],
        object_scores: NDArray[np.float32],
        class_ids: NDArray[np.int64],
        verb_scores: NDArray[np.float32],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
        humans, objects, verbs = len(human_scores), len(object_scores), self.valid.shape[1]
        grid = (humans * objects, verbs) if verb_scores.ndim == 2 else (humans, objects, verbs)
        if verb_scores.shape != grid or class_ids.shape != (objects,) or human_scores.ndim + object_scores.ndim != 2:
            require_shape("TripletRanker", "human_scores", human_scores, (humans,))
            require_shape("TripletRanker", "object_scores", object_scores, (objects,))
            require_shape("TripletRanker", "object_class_ids", class_ids, (objects,))
            require_shape("TripletRanker", "verb_scores", verb_scores, grid)
        flat = np.ascontiguousarray(verb_scores, np.float32).reshape(humans * objects, verbs)
        ids = np.ascontiguousarray(class_ids, np.int64)
        return self._prior(human_scores), self._prior(object_scores), ids, flat

    def _check_classes(self, class_ids: NDArray[np.int64]) -> None:
        unknown = class_ids[(class_ids < 0) | (class_ids >= len(self.valid))]
        if len(unknown):
            raise UsageError(
                f"object class {unknown[0]}: expected 0 to {len(self.valid) - 1}, the rows of the validity table"
            )

    def _prior(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        scores = np.ascontiguousarray(scores, np.float32)
        if self.box_lambda == 1.0:
            return scores
        return np.asarray(np.maximum(scores, 0) ** np.float32(self.box_lambda), np.float32)

    def _warm_up(self) -> None:
        one, row = np.ones(1, np.float32), np.zeros(1, np.int64)
        parts = self._checked(one, one, row, np.ones((1, self.valid.shape[1]), np.float32))
        rank_grid_kernel(*parts, self._verbs_of_class, self._verb_counts, self.limit)


def top_triplets_numpy(
    human_prior: NDArray[np.float32],
    object_prior: NDArray[np.float32],
    object_class_ids: NDArray[np.int64],
    verb_scores: NDArray[np.float32],
    valid: NDArray[np.bool_],
    limit: int,
) -> TopTriplets:
    """Twin of the kernel, slow and plain; ``human_prior`` and ``object_prior`` are scores to the power of lambda."""
    humans, objects, verbs = len(human_prior), len(object_prior), valid.shape[1]
    with np.errstate(invalid="ignore"):
        prior = human_prior[:, None] * object_prior[None]
        scores = prior[..., None] * np.minimum(verb_scores.reshape(humans, objects, verbs), np.float32(1))
    sure = (human_prior > 0)[:, None] & (object_prior > 0)[None]
    usable = valid[object_class_ids][None] & sure[..., None] & (scores > 0)
    places = np.flatnonzero(usable)
    found = scores.reshape(-1)[places]
    best = np.argsort(-found, kind="stable")[:limit]
    pairs, chosen = np.divmod(places[best], verbs)
    return TopTriplets(*np.divmod(pairs, max(objects, 1)), chosen, found[best])
