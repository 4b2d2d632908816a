"""From a table of scores a pair and class (how QPIC, CDN, EoID and GEN-VLKT write) to the triplets that count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.evaluate._dense_kernels import strongest_cells
from videohoi.evaluate.triplet_sets import TripletPredictions


def strongest(
    table: NDArray[np.floating[Any]], classes: NDArray[np.int64], limit: int | None, *, compiled: bool = True
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The ``limit`` best cells of a (P, C) ``table`` of scores, as pair rows, class ids and scores, best first.

    ``classes`` (P, C) is the interaction class of each cell, -1 where the pair cannot have it. As in QPIC's evaluator
    such a cell competes with score 0 and is dropped afterwards; equal scores go by cell. ``limit`` None keeps every
    possible cell.
    """
    if limit is None:
        cells = np.flatnonzero(classes.ravel() >= 0)
        scores = table.ravel()[cells].astype(np.float64)
    elif compiled:
        cells, scores = strongest_cells(table, classes, limit)
    else:
        masked = np.where(classes.ravel() >= 0, table.ravel().astype(np.float64), 0.0)
        cells = np.argsort(-masked, kind="stable")[:limit].astype(np.int64)
        scores = masked[cells]
    ids = classes.ravel()[cells]
    order = np.lexsort((cells, -scores))
    order = order[ids[order] >= 0]
    return cells[order] // table.shape[1], ids[order], scores[order]


def dense_predictions(
    image_row: int,
    boxes_xyxy_px: NDArray[np.floating[Any]],
    human_rows: NDArray[np.int64],
    object_rows: NDArray[np.int64],
    table: NDArray[np.floating[Any]],
    classes: NDArray[np.int64],
    limit: int | None,
) -> TripletPredictions:
    """Triplets of one picture: N boxes (N, 4), P pairs of rows, scores and classes (P, C) as in ``strongest``."""
    pairs, ids, scores = strongest(table, classes, limit)
    return TripletPredictions(
        np.full(len(ids), image_row, np.int64),
        ids,
        boxes_xyxy_px[human_rows[pairs]].astype(np.float64),
        boxes_xyxy_px[object_rows[pairs]].astype(np.float64),
        scores,
    )


def class_table(
    object_class_ids: NDArray[np.int64], interactions: tuple[tuple[int, int], ...], object_count: int, verb_count: int
) -> NDArray[np.int64]:
    """(P, V) interaction class of each verb with the object of each pair; -1 where there is none."""
    table = np.full((object_count, verb_count), -1, np.int64)
    for row, (verb, thing) in enumerate(interactions):
        table[thing, verb] = row
    return np.asarray(table[object_class_ids])
