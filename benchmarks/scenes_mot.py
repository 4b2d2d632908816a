"""Public MOT sequences with ground truth, read from peers' checkouts: real detections, real people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Options
from benchmarks.scenes_tracking import CrowdFrame

SEQUENCES = ("TUD-Campus", "TUD-Stadtmitte")
"""those whose detections (checkout sort) and ground truth (checkout OC_SORT) both lie in a repository"""


def detections_of(file: Path) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Boxes and scores of each frame of a MOTChallenge ``det.txt``."""
    rows = _rows(file)
    return [
        (_corners(now).astype(np.float32), now[:, 6].astype(np.float32))
        for now in (rows[rows[:, 0] == frame] for frame in range(1, int(rows[:, 0].max()) + 1))
    ]


def all_detections(options: Options) -> dict[str, list[tuple[NDArray[np.float32], NDArray[np.float32]]]]:
    """Every sequence of the checkout sort, by name; empty without it."""
    checkout = options.checkout("sort")
    files = sorted(checkout.glob("data/train/*/det/det.txt")) if checkout else []
    return {file.parents[1].name: detections_of(file) for file in files}


def sequence(name: str, options: Options) -> Sequence[CrowdFrame] | str:
    """The frames of ``name`` with their truth, or why not."""
    sort, oc_sort = options.checkout("sort"), options.checkout("OC_SORT")
    if sort is None or oc_sort is None:
        return "no checkouts sort and OC_SORT below the peer path"
    det = sort / "data" / "train" / name / "det" / "det.txt"
    truth = oc_sort / "motmetrics" / "data" / name / "gt.txt"
    if not det.is_file() or not truth.is_file():
        return f"no {det.name} or {truth.name} of it in the checkouts"
    rows = _rows(truth)
    rows = rows[rows[:, 6] > 0]  # 0 marks boxes that are not to be counted
    return [
        CrowdFrame(boxes, scores, now[:, 1].astype(np.int64), _corners(now))
        for (boxes, scores), now in (
            (found, rows[rows[:, 0] == index + 1]) for index, found in enumerate(detections_of(det))
        )
    ]


def _rows(file: Path) -> NDArray[np.float64]:
    return np.atleast_2d(np.loadtxt(file, delimiter=",", dtype=np.float64))


def _corners(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    corners: NDArray[np.float64] = np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1)
    return corners
