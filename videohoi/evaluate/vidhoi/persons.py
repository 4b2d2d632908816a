"""Person-wise top-k of VidHOI's anticipation: for each person the k surest triplets, against what that person does.

The rules of the public code (nizhf/hoi-prediction-gaze-transformer, human_centric_top_k_all): predicted pairs take, in
order, the annotated pair they fit best (both labels, both IoUs >= 0.5, largest smaller IoU), each at most once; pairs
that are gone at the horizon are left out. Of each detected person's k best triplets by score, those with an interaction
score of at least the threshold are positive. Recall, precision, accuracy and F1 are means over the persons of a frame,
then over frames without the undefined ones; a frame without predicted pairs enters once for each annotated person, with
recall, accuracy and F1 of 0. Recall is over the annotations of the person's *matched* pairs, as there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.evaluate.conventions import LEAST_IOU
from videohoi.evaluate.vidhoi.frames import VidhoiFrame
from videohoi.geometry.boxes import bordered_iou

FIGURES = ("recall", "precision", "accuracy", "f1")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PersonScores:
    """Means over frames, in [0, 1]; nan where no frame defines the figure."""

    recall: float
    precision: float
    accuracy: float
    f1: float


@dataclass(frozen=True)
class _Person:
    """The triplets of one detected person, best first."""

    true: NDArray[np.bool_]
    confident: Floats
    """interaction scores"""

    @property
    def annotated(self) -> int:
        return int(self.true.sum())


def person_top_k(frames: Sequence[VidhoiFrame], k: int = 5, threshold: float = 0.3) -> PersonScores:
    """Figures at ``k`` triplets a person and an interaction score of at least ``threshold``."""
    rows: list[tuple[float, float, float, float]] = []
    for frame in frames:
        if len(frame.found.pairs) == 0:
            people = len(np.unique(frame.true.pairs[:, 0]))
            rows += [(0.0, float("nan"), 0.0, 0.0)] * people
        else:
            rows.append(_frame_figures(_persons(frame), k, threshold))
    table = np.array(rows, np.float64).reshape(-1, len(FIGURES))
    return PersonScores(*(_mean(table[:, column]) for column in range(len(FIGURES))))


def _persons(frame: VidhoiFrame) -> list[_Person]:
    true, present = _labels(frame)
    scores = frame.triplet_scores()
    people = []
    for human in dict.fromkeys(frame.found.pairs[:, 0].tolist()):
        rows = np.flatnonzero((frame.found.pairs[:, 0] == human) & present)
        if len(rows):
            order = np.argsort(-scores[rows].ravel(), kind="stable")
            people.append(_Person(true[rows].ravel()[order], frame.found.predicates[rows].ravel()[order]))
    return people


def _labels(frame: VidhoiFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """For each predicted pair: what is true of it (P, V), and whether it counts (P,)."""
    true = np.zeros(frame.found.predicates.shape, np.bool_)
    present, taken = np.ones(len(true), np.bool_), set()
    for row in range(len(true)):
        best = _best_pair(frame, row)
        if best is None:
            continue
        present[row] = frame.exists[best]
        if best not in taken and frame.exists[best]:
            true[row] = frame.true.predicates[best] == 1
        taken.add(best)
    return true, present


def _best_pair(frame: VidhoiFrame, row: int) -> int | None:
    """The annotated pair that predicted pair ``row`` fits best; None where it fits none."""
    found, true = frame.found, frame.true
    fits = np.ones(len(true.pairs), np.bool_)
    ious = np.full(len(true.pairs), np.inf)
    for side in (0, 1):
        own, others = found.pairs[row, side], true.pairs[:, side]
        iou = bordered_iou(found.boxes_xyxy_px[own], true.boxes_xyxy_px[others], 0.0)
        fits &= (true.labels[others] == found.labels[own]) & (iou >= LEAST_IOU)
        ious = np.minimum(ious, iou)
    return int(np.argmax(np.where(fits, ious, -1.0))) if fits.any() else None


def _frame_figures(people: list[_Person], k: int, threshold: float) -> tuple[float, float, float, float]:
    recalls, precisions, accuracies, f1s = [], [], [], []
    for person in people:
        positive = person.confident[:k] >= threshold
        right, found, annotated = int((person.true[:k] & positive).sum()), int(positive.sum()), person.annotated
        if annotated:
            recalls.append(right / annotated)
        if found:
            precisions.append(right / found)
        if annotated or found:
            accuracies.append(right / (found + annotated - right))
            f1s.append(2 * right / (annotated + found))
    seen = any(person.true[:k].any() for person in people)
    precision = _mean(np.array(precisions)) if precisions or not seen else 0.0
    return _mean(np.array(recalls)), precision, _mean(np.array(accuracies)), _mean(np.array(f1s))


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
