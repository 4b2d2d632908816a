"""Overlaps of all pairs of boxes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Claim, Contestant, NotEqualError, Options, Row, interleave
from benchmarks.scenes_post import boxes_of
from videohoi.geometry.boxes import pairwise_giou, pairwise_iou
from videohoi.geometry.overlaps import box_giou, box_iou

NUMPY, SUPERVISION = "numpy", "supervision"
CASES = ((10, 20), (50, 50), (285, 176))
GOAL = 5.0
TOLERANCE = 1e-6
"""supervision works in float32"""

Overlap = Callable[[Any, Any], NDArray[Any]]


def _supervision() -> Overlap | str:
    try:
        found: Overlap = importlib.import_module("supervision").box_iou_batch
    except (ImportError, AttributeError) as error:
        return f"{SUPERVISION}: {error}"
    return found


def compare(rows: int, columns: int, seed: int) -> int:
    """Pairs compared; ``NotEqualError`` where one differs in a bit from numpy's."""
    a, b = boxes_of(rows, seed), boxes_of(columns, seed + 1)
    for name, ours, theirs in (("IoU", box_iou, pairwise_iou), ("GIoU", box_giou, pairwise_giou)):
        if not np.array_equal(ours(a, b), theirs(a, b)):
            raise NotEqualError(f"{name} of {rows} with {columns} boxes differs from numpy's")
    peer = _supervision()
    if callable(peer) and not np.allclose(peer(a, b), box_iou(a, b), rtol=0, atol=TOLERANCE):
        raise NotEqualError(f"IoU of {rows} with {columns} boxes differs from {SUPERVISION}'s")
    return 2 * rows * columns


def check(options: Options) -> str:
    """Both overlaps, bit by bit."""
    count = sum(compare(rows, columns, seed) for seed, (rows, columns) in enumerate(((0, 3), (1, 1), *CASES)))
    return f"{count} overlaps bit by bit"


def _row(rows: int, columns: int, options: Options) -> Row:
    count = compare(rows, columns, 0)
    a, b = boxes_of(rows, 0), boxes_of(columns, 1)
    contestants = [
        Contestant("ours", lambda: box_iou(a, b)),
        Contestant(NUMPY, lambda: pairwise_iou(a, b)),
    ]
    peer = _supervision()
    if callable(peer):
        contestants.append(Contestant(SUPERVISION, lambda: peer(a, b)))
    return Row(
        f"IoU, {rows} x {columns} boxes",
        f"{count} overlaps bit by bit",
        interleave(contestants, options.rounds),
        goals={NUMPY: GOAL},
        absent=() if callable(peer) else (peer,),
    )


def _giou_row(rows: int, columns: int, options: Options) -> Row:
    count = compare(rows, columns, 0)
    a, b = boxes_of(rows, 0), boxes_of(columns, 1)
    contestants = [Contestant("ours", lambda: box_giou(a, b)), Contestant(NUMPY, lambda: pairwise_giou(a, b))]
    timings = interleave(contestants, options.rounds)
    return Row(f"GIoU, {rows} x {columns} boxes", f"{count} overlaps bit by bit", timings, goals={NUMPY: GOAL})


def measure(options: Options) -> Sequence[Row]:
    """From a frame's boxes to a crowd's."""
    return [*(_row(*case, options) for case in CASES), *(_giou_row(*case, options) for case in CASES)]


CLAIM = Claim(
    "box_iou",
    f"IoU and GIoU of all pairs of boxes: numpy's to the last bit, at least {GOAL:g} times as fast at every size.",
    check,
    measure,
)
