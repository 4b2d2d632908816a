"""Seeded predictions for HICO-DET: near the annotations, doubled, misnamed and invented, with unequal scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.evaluate.triplet_sets import TripletPredictions, TripletTruth

MISNAMED = 0.07
DOUBLED = 0.3
JITTER = 0.12
"""standard deviation of a side, in box sizes"""


def synthetic_truth(images: int, class_count: int, seed: int = 0) -> TripletTruth:
    """Pictures of 640 x 480 with 0 to 7 triplets; every tenth has none."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 8, images) * (np.arange(images) % 10 != 9)
    total = int(counts.sum())
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return TripletTruth(
        image_names=tuple(f"picture_{number:05d}.jpg" for number in range(images)),
        image_offsets=offsets,
        class_ids=rng.integers(0, class_count, total),
        human_boxes_xyxy_px=_boxes(rng, total),
        object_boxes_xyxy_px=_boxes(rng, total),
        class_count=class_count,
        image_sizes_wh_px=np.tile(np.array([640, 480]), (images, 1)),
    )


def synthetic_predictions(truth: TripletTruth, at_most: int = 100, seed: int = 0) -> TripletPredictions:
    """Up to ``at_most`` predictions a picture, pictures without annotation included; no two scores are equal."""
    rng = np.random.default_rng(seed)
    images = len(truth.image_names)
    owner = np.repeat(np.arange(images), np.diff(truth.image_offsets))
    doubled = rng.random(len(truth)) < DOUBLED
    sources = np.concatenate([np.arange(len(truth)), np.flatnonzero(doubled)])
    invented = np.repeat(np.arange(images), np.maximum(at_most - np.bincount(owner[sources], minlength=images), 0))
    image_rows = np.concatenate([owner[sources], invented])
    classes = np.concatenate([truth.class_ids[sources], rng.integers(0, truth.class_count, len(invented))])
    misnamed = rng.random(len(classes)) < MISNAMED
    classes[misnamed] = rng.integers(0, truth.class_count, int(misnamed.sum()))
    humans = np.concatenate([_near(rng, truth.human_boxes_xyxy_px[sources]), _boxes(rng, len(invented))])
    objects = np.concatenate([_near(rng, truth.object_boxes_xyxy_px[sources]), _boxes(rng, len(invented))])
    order = rng.permutation(len(classes))
    order = order[np.argsort(image_rows[order], kind="stable")]
    order = order[_first_of_each(image_rows[order], at_most)]
    scores = (rng.permutation(len(order)) + 1) / (len(order) + 1)
    return TripletPredictions(image_rows[order], classes[order], humans[order], objects[order], scores)


def _boxes(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    corner = rng.uniform(0, 400, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(5, 240, (count, 2))], axis=1)


def _near(rng: np.random.Generator, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    sizes = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    moved = boxes + rng.normal(0, JITTER, boxes.shape) * sizes
    return np.concatenate([np.minimum(moved[:, :2], moved[:, 2:]), np.maximum(moved[:, :2], moved[:, 2:]) + 1], axis=1)


def _first_of_each(groups: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """The first ``count`` rows of each group of sorted ``groups``."""
    starts = np.searchsorted(groups, groups)
    return np.asarray(np.arange(len(groups)) - starts < count)


def every(truth: TripletTruth, step: int) -> TripletTruth:
    """Each ``step``-th picture."""
    if step == 1:
        return truth
    images = np.arange(0, len(truth.image_names), step)
    rows = np.concatenate([np.arange(truth.image_offsets[i], truth.image_offsets[i + 1]) for i in images])
    return TripletTruth(
        image_names=tuple(truth.image_names[image] for image in images),
        image_offsets=np.concatenate([[0], np.cumsum(np.diff(truth.image_offsets)[images])]).astype(np.int64),
        class_ids=truth.class_ids[rows],
        human_boxes_xyxy_px=truth.human_boxes_xyxy_px[rows],
        object_boxes_xyxy_px=truth.object_boxes_xyxy_px[rows],
        class_count=truth.class_count,
        image_sizes_wh_px=None if truth.image_sizes_wh_px is None else truth.image_sizes_wh_px[images],
    )
