"""Annotated boxes as training batches for the pair head: all pictures in flat arrays, augmented when a batch is drawn.

A batch is flat too (no padding): pairs of many pictures one after another, with the row numbers that say which pairs
share a human, an object or a picture. Half of HICO-DET's pictures have one pair and some have thousands, so padding
would waste most of the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.evaluate.hico.ground_truth_boxes import TruthPicture
from videohoi.geometry.pair_features import Instances, pair_features

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Augmentation:
    """How a drawn picture differs from the annotated one; all off by default."""

    jitter: float = 0.0
    """corners move by a normal draw of up to this share of the box's sides (the share itself is drawn per picture)"""
    drop_share: float = 0.0
    """share of pictures that lose instances, as a detector would miss them"""
    drop_probability: float = 0.25
    """chance of each instance of such a picture to be lost"""
    distractor_share: float = 0.0
    """share of pictures that get boxes of another picture, which take part in no interaction"""
    distractors: int = 3
    """at most this many a picture"""
    pair_limit: int = 96
    """pairs of a picture beyond this are left out at random (of the loss and of the attention, not of the features)"""


@dataclass(frozen=True, repr=False)
class PackedPictures:
    """Pictures in flat arrays; ``instance_start`` and ``pair_start`` (B + 1,) say where each begins."""

    instances: Instances
    human_rows: Rows
    object_rows: Rows
    verbs: NDArray[np.bool_]
    instance_start: Rows
    pair_start: Rows

    def __len__(self) -> int:
        return len(self.instance_start) - 1


@dataclass(frozen=True, repr=False)
class PairBatch:
    """P pairs of several pictures."""

    features: NDArray[np.float32]
    """(P, FEATURE_COUNT)"""
    object_classes: Rows
    """(P,)"""
    human_rows: Rows
    """(P,) equal for pairs of the same human"""
    object_rows: Rows
    """(P,) equal for pairs of the same object; row numbers are shared with ``human_rows``"""
    picture_ids: Rows
    """(P,)"""
    verbs: NDArray[np.bool_]
    """(P, V)"""
    certain: NDArray[np.bool_]
    """(P,) annotated pairs; False for those with a distractor"""
    sampled_from: Rows
    """(P,) rows of the packed pairs, -1 for pairs with a distractor"""

    def __len__(self) -> int:
        return len(self.object_classes)


def pack(pictures: Sequence[TruthPicture]) -> PackedPictures:
    """Flatten the pictures that have at least one pair."""
    kept = [picture for picture in pictures if len(picture)]
    counts = np.array([len(picture.class_ids) for picture in kept], np.int64)
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    pairs = np.concatenate([[0], np.cumsum([len(picture) for picture in kept])]).astype(np.int64)
    sizes = np.array([(picture.width_px, picture.height_px) for picture in kept], np.float32)
    instances = Instances(
        np.concatenate([picture.boxes_xyxy_px for picture in kept]),
        np.concatenate([picture.class_ids for picture in kept]),
        np.repeat(sizes, counts, axis=0),
        np.repeat(np.arange(len(kept)), counts),
    )
    humans = np.concatenate([picture.human_rows + base for picture, base in zip(kept, start[:-1], strict=True)])
    others = np.concatenate([picture.object_rows + base for picture, base in zip(kept, start[:-1], strict=True)])
    return PackedPictures(instances, humans, others, np.concatenate([p.verbs for p in kept]), start, pairs)


def _spans(start: Rows, chosen: Rows) -> Rows:
    """Rows of the chosen spans, one after another."""
    counts = start[chosen + 1] - start[chosen]
    base = np.repeat(start[chosen] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    return base + np.arange(counts.sum())


def draw(
    packed: PackedPictures, chosen: Rows, person_id: int, augmentation: Augmentation, random: np.random.Generator
) -> PairBatch:
    """The chosen pictures as one batch, augmented."""
    rows, pairs = _spans(packed.instance_start, chosen), _spans(packed.pair_start, chosen)
    position = np.zeros(len(packed.instances), np.int64)
    position[rows] = np.arange(len(rows))
    humans, others = position[packed.human_rows[pairs]], position[packed.object_rows[pairs]]
    picture_ids = np.repeat(np.arange(len(chosen)), np.diff(packed.instance_start)[chosen])
    source = packed.instances
    boxes, sizes = source.boxes_xyxy_px[rows], source.picture_sizes_px[rows]
    instances = Instances(_jittered(boxes, sizes, picture_ids, augmentation, random), source.class_ids[rows], sizes,
                          picture_ids)  # fmt: skip
    keep = _seen(picture_ids, augmentation, random)
    kept = keep[humans] & keep[others]
    instances, humans, others = _compact(instances, keep, humans[kept], others[kept])
    instances, more_humans, more_others = _with_distractors(instances, person_id, augmentation, random)
    sampled_from = np.concatenate([pairs[kept], np.full(len(more_humans), -1)])
    humans, others = np.concatenate([humans, more_humans]), np.concatenate([others, more_others])
    return _batch(packed, instances, (humans, others, sampled_from), person_id, augmentation, random)


def _batch(
    packed: PackedPictures,
    instances: Instances,
    pairs: tuple[Rows, Rows, Rows],
    person_id: int,
    augmentation: Augmentation,
    random: np.random.Generator,
) -> PairBatch:
    humans, others, sampled_from = pairs
    features = pair_features(instances, humans, others, person_id)
    chosen = _within_limit(instances.picture_ids[humans], augmentation.pair_limit, random)
    humans, others, sampled_from = humans[chosen], others[chosen], sampled_from[chosen]
    certain = sampled_from >= 0
    return PairBatch(
        features[chosen], instances.class_ids[others], humans, others, instances.picture_ids[humans],
        packed.verbs[sampled_from] & certain[:, None], certain, sampled_from,
    )  # fmt: skip


def _jittered(
    boxes: NDArray[np.float32],
    sizes: NDArray[np.float32],
    picture_ids: Rows,
    augmentation: Augmentation,
    random: np.random.Generator,
) -> NDArray[np.float32]:
    if augmentation.jitter == 0:
        return boxes
    share = augmentation.jitter * random.random(int(picture_ids.max(initial=-1)) + 1)[picture_ids]
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    moved = boxes + share[:, None] * sides * random.standard_normal(boxes.shape)
    clipped = np.clip(moved, 0, np.tile(sizes, 2))
    return np.concatenate([clipped[:, :2], np.maximum(clipped[:, 2:], clipped[:, :2])], axis=1).astype(np.float32)


def _seen(picture_ids: Rows, augmentation: Augmentation, random: np.random.Generator) -> NDArray[np.bool_]:
    losing = random.random(int(picture_ids.max(initial=-1)) + 1) < augmentation.drop_share
    lost = losing[picture_ids] & (random.random(len(picture_ids)) < augmentation.drop_probability)
    return np.asarray(~lost)


def _compact(instances: Instances, keep: NDArray[np.bool_], humans: Rows, others: Rows) -> tuple[Instances, Rows, Rows]:
    position = np.cumsum(keep) - 1
    kept = Instances(instances.boxes_xyxy_px[keep], instances.class_ids[keep], instances.picture_sizes_px[keep],
                     instances.picture_ids[keep])  # fmt: skip
    return kept, position[humans], position[others]


def _with_distractors(
    instances: Instances, person_id: int, augmentation: Augmentation, random: np.random.Generator
) -> tuple[Instances, Rows, Rows]:
    """Add boxes of other pictures (scaled to this one) and their pairs with the picture's humans."""
    none = np.zeros(0, np.int64)
    pictures = np.unique(instances.picture_ids)
    pictures = pictures[random.random(len(pictures)) < augmentation.distractor_share]
    if len(pictures) == 0:
        return instances, none, none
    into = np.repeat(pictures, random.integers(1, augmentation.distractors + 1, len(pictures)))
    taken = random.integers(0, len(instances), len(into))
    first = np.searchsorted(instances.picture_ids, into)
    scale = np.tile(instances.picture_sizes_px[first] / instances.picture_sizes_px[taken], 2)
    joined = Instances(
        np.concatenate([instances.boxes_xyxy_px, (instances.boxes_xyxy_px[taken] * scale).astype(np.float32)]),
        np.concatenate([instances.class_ids, instances.class_ids[taken]]),
        np.concatenate([instances.picture_sizes_px, instances.picture_sizes_px[first]]),
        np.concatenate([instances.picture_ids, into]),
    )
    humans, others = _pairs_with(joined, len(instances), person_id)
    return joined, humans, others


def _pairs_with(instances: Instances, first_new: int, person_id: int) -> tuple[Rows, Rows]:
    """Human-object pairs within a picture that involve an instance from row ``first_new`` on."""
    picture_ids, is_human = instances.picture_ids, instances.class_ids == person_id
    new, any_row = np.nonzero(picture_ids[first_new:, None] == picture_ids[None, :])
    new = new + first_new
    old = any_row < first_new
    as_object = is_human[any_row] & (any_row != new)
    as_human = is_human[new] & old
    humans = np.concatenate([any_row[as_object], new[as_human]])
    return humans, np.concatenate([new[as_object], any_row[as_human]])


def _within_limit(picture_ids: Rows, limit: int, random: np.random.Generator) -> Rows:
    """Rows of at most ``limit`` random pairs of each picture, in order."""
    order = np.lexsort((random.random(len(picture_ids)), picture_ids))
    ordered = picture_ids[order]
    rank = np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
    return np.sort(order[rank < limit])
