"""The numeric steps of the tracker in two forms that tests hold equal: compiled, and plain numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry._kernels import iou_kernel
from videohoi.geometry.boxes import pairwise_iou
from videohoi.track import _kernels, kalman, memory, similarity
from videohoi.track.kalman import MotionModel


class Steps(NamedTuple):
    """One form of all steps; signatures are those of the kernels."""

    predict: Callable[..., None]
    correct: Callable[..., None]
    vote: Callable[..., None]
    note_carriers: Callable[..., None]
    places: Callable[..., tuple[NDArray[np.float64], NDArray[np.float64]]]
    overlap: Callable[..., NDArray[np.float64]]
    reach: Callable[..., NDArray[np.float64]]
    iou: Callable[..., NDArray[np.float64]]


def _correct_rows(
    motion: NDArray[np.float64], tracks: NDArray[np.int64], boxes: NDArray[np.float64], model: MotionModel
) -> None:
    """``kalman.correct`` on the rows ``tracks`` of ``motion``, in place."""
    chosen: NDArray[Any] = motion[tracks]
    kalman.correct(chosen, boxes, model)
    motion[tracks] = chosen


COMPILED = Steps(
    _kernels.predict_kernel,
    _kernels.correct_kernel,
    _kernels.vote_kernel,
    _kernels.carriers_kernel,
    _kernels.places_kernel,
    _kernels.overlap_kernel,
    _kernels.reach_kernel,
    iou_kernel,
)
PLAIN = Steps(
    kalman.predict,
    _correct_rows,
    memory.vote,
    memory.note_carriers,
    memory.places,
    similarity.overlap_similarity,
    similarity.reach_similarity,
    pairwise_iou,
)
