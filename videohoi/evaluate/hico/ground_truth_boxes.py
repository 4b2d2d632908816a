"""HICO-DET with ground-truth boxes: how well verbs are scored when every box is right.

The boxes of a picture are the annotated ones, so the figure isolates the verb scorer from the detector. Protocol:

1. HICO-DET draws a new box for every annotation. Boxes of one class that overlap with IoU >= 0.5 are one instance.
2. Every human with every other instance (other humans included) is a candidate pair; its label is the union of the
   verbs annotated between the two instances.
3. Per (verb, object) class, the candidates of that object class are ranked by the verb's score; 11-point average
   precision (PASCAL VOC 2007, as in the official HICO-DET evaluation) over the annotated pairs. Equal scores are
   ordered by a fixed shuffle: annotated pairs tend to come first in the file, and keeping that order would lend 3
   points to a constant score.
4. The mean over the 600 classes is ``full``; over the 138 with fewer than 10 training instances ``rare``; else
   ``non_rare``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.datasets.annotations import HoiAnnotations
from videohoi.errors import TruthError
from videohoi.geometry.boxes import pairwise_iou
from videohoi.vocabulary import Vocabulary

SAME_INSTANCE_IOU = 0.5
RECALL_POINTS = np.arange(11) / 10.0
TIE_SEED = 0


@dataclass(frozen=True, repr=False)
class TruthPicture:
    """One annotated picture: N merged instances and its P candidate pairs."""

    name: str
    width_px: int
    height_px: int
    boxes_xyxy_px: NDArray[np.float32]
    """(N, 4) mean of the annotated boxes of each instance"""
    class_ids: NDArray[np.int64]
    """(N,) rows of Vocabulary.objects"""
    human_rows: NDArray[np.int64]
    """(P,) every human ..."""
    object_rows: NDArray[np.int64]
    """(P,) ... with every other instance"""
    verbs: NDArray[np.bool_]
    """(P, V) annotated verbs"""

    def __len__(self) -> int:
        return len(self.human_rows)

    def __repr__(self) -> str:
        return f"TruthPicture({self.name!r}, instances={len(self.class_ids)}, pairs={len(self)})"


@dataclass(frozen=True)
class Yardstick:
    """Mean 11-point average precision in [0, 1]."""

    full: float
    rare: float
    non_rare: float
    per_class: NDArray[np.float64]
    """(K,) nan where no pair is annotated"""

    def __str__(self) -> str:
        return f"full {100 * self.full:.1f} rare {100 * self.rare:.1f} non-rare {100 * self.non_rare:.1f}"


def merge_instances(
    boxes: NDArray[np.float32], class_ids: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    """Group the (M, 4) annotated boxes of one picture into N instances.

    A box joins the first instance of its class whose first box it overlaps with IoU >= 0.5, else it starts one.

    Returns:
        instance of each box (M,), mean boxes (N, 4), class of each instance (N,).
    """
    same = (pairwise_iou(boxes, boxes) >= SAME_INSTANCE_IOU) & (class_ids[:, None] == class_ids[None, :])
    instance_of = np.full(len(boxes), -1, np.int64)
    count = 0
    for row in range(len(boxes)):
        if instance_of[row] < 0:
            instance_of[(instance_of < 0) & same[row]] = count
            instance_of[row] = count  # a box without area overlaps nothing, not even itself
            count += 1
    sums = np.zeros((count, 4), np.float64)
    np.add.at(sums, instance_of, boxes)
    merged = (sums / np.bincount(instance_of, minlength=count)[:, None]).astype(np.float32)
    first = np.unique(instance_of, return_index=True)[1]
    return instance_of, merged, class_ids[first]


def candidate_pairs(class_ids: NDArray[np.int64], person_id: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows (P,), (P,) of every human with every instance but itself."""
    human, other = np.nonzero((class_ids == person_id)[:, None] & ~np.eye(len(class_ids), dtype=np.bool_))
    return human.astype(np.int64), other.astype(np.int64)


def truth_picture(
    name: str,
    size_wh_px: tuple[int, int],
    interaction_ids: NDArray[np.int64],
    boxes_xyxy_px: NDArray[np.float32],
    vocabulary: Vocabulary,
) -> TruthPicture:
    """The G annotated pairs of a picture as candidate pairs.

    Args:
        name: of the picture.
        size_wh_px: width and height.
        interaction_ids: (G,) rows of ``vocabulary.interactions``.
        boxes_xyxy_px: (2 G, 4) the humans' boxes, then the objects'.
        vocabulary: HICO-DET's.
    """
    table = np.asarray(vocabulary.interactions, np.int64)
    count = len(interaction_ids)
    classes = np.concatenate([np.full(count, vocabulary.person_id), table[interaction_ids, 1]]).astype(np.int64)
    instance_of, boxes, class_ids = merge_instances(boxes_xyxy_px, classes)
    human_rows, object_rows = candidate_pairs(class_ids, vocabulary.person_id)
    labels = np.zeros((len(boxes), len(boxes), len(vocabulary.verbs)), np.bool_)
    labels[instance_of[:count], instance_of[count:], table[interaction_ids, 0]] = True
    verbs = labels[human_rows, object_rows]
    return TruthPicture(name, *size_wh_px, boxes, class_ids, human_rows, object_rows, verbs)


def truth_pictures(annotations: HoiAnnotations, *, every: int = 1) -> list[TruthPicture]:
    """The pictures of HICO-DET ``annotations``, or each tenth only where ``every`` is 10."""
    start, interaction_ids = annotations.pair_start, annotations.interaction_ids
    sides = (annotations.human_boxes_xyxy_px, annotations.object_boxes_xyxy_px)
    pictures = []
    for row in range(0, len(annotations), every):
        own = slice(int(start[row]), int(start[row + 1]))
        width, height = annotations.sizes_wh_px[row].tolist()
        boxes = np.concatenate([side[own] for side in sides])
        name = annotations.file_names[row]
        pictures.append(truth_picture(name, (width, height), interaction_ids[own], boxes, annotations.vocabulary))
    return pictures


def eleven_point_ap(scores: NDArray[np.floating[Any]], positive: NDArray[np.bool_]) -> float:
    """11-point AP: mean over recalls 0, 0.1 .. 1 of the best precision at that recall or more; nan without positives.

    Equal scores keep their order.
    """
    total = int(positive.sum())
    if total == 0:
        return float("nan")
    hits = np.cumsum(positive[np.argsort(-scores, kind="stable")])
    precision = hits / np.arange(1, len(hits) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    # the first rank that reaches ceil(t * total) hits; integers, so that recall 0.3 of 10 is not lost to rounding
    needed = np.ceil(RECALL_POINTS * total - 1e-9)
    ranks = np.searchsorted(hits, needed, side="left")
    return float(best_from_here[ranks].mean())


def measure(
    pictures: Sequence[TruthPicture],
    verb_scores: Iterable[NDArray[np.floating[Any]]],
    vocabulary: Vocabulary,
    rare: NDArray[np.int64] | None = None,
) -> Yardstick:
    """Score every class; ``verb_scores`` yields one (P, V) array per picture, in the pictures' order.

    Raises:
        TruthError: a score array does not fit its picture.
    """
    per_picture = list(verb_scores)
    if [scores.shape for scores in per_picture] != [picture.verbs.shape for picture in pictures]:
        raise TruthError("verb_scores: expected one (pairs, verbs) array per picture, in order; shapes do not fit")
    verbs = np.concatenate([picture.verbs for picture in pictures])
    shuffle = np.random.default_rng(TIE_SEED).permutation(len(verbs))
    scores, verbs = np.concatenate(per_picture)[shuffle], verbs[shuffle]
    classes = np.concatenate([picture.class_ids[picture.object_rows] for picture in pictures])[shuffle]
    rows_of = [np.nonzero(classes == class_id)[0] for class_id in range(len(vocabulary.objects))]
    values = [eleven_point_ap(scores[rows_of[obj], verb], verbs[rows_of[obj], verb])
              for verb, obj in vocabulary.interactions]  # fmt: skip
    return summarise(np.asarray(values), rare)


def summarise(per_class: NDArray[np.float64], rare: NDArray[np.int64] | None) -> Yardstick:
    """Means over all classes and over the rare and other ones; classes without annotation (nan) are left out."""
    is_rare = np.zeros(len(per_class), np.bool_)
    is_rare[np.zeros(0, np.int64) if rare is None else rare] = True
    return Yardstick(_mean(per_class), _mean(per_class[is_rare]), _mean(per_class[~is_rare]), per_class)


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
