"""Predictions for HICO-DET in the forms that public code writes, one record a picture.

- QPIC, CDN, EoID: ``boxes`` (N, 4), ``labels`` (N,), ``sub_ids`` and ``obj_ids`` (P,), ``verb_scores`` (P, 117).
- GEN-VLKT, HOICLIP: ``boxes``, ``sub_ids``, ``obj_ids``, ``hoi_scores`` (P, 600), ``obj_scores`` (P, 80); the score is
  ``hoi_scores + obj_scores ** 2`` of the interaction's object, as in its hico_eval_triplet.py.
- The list QPIC's evaluator keeps: ``predictions`` [{bbox, category_id}], ``hoi_prediction`` [{subject_id, object_id,
  category_id (verb, from 0), score}].
- UPT, PViC, LAIN (pocket): ``boxes``, ``pairing`` (2, P), ``objects`` (P,), ``labels`` (P,) verbs, ``scores`` (P,) and,
  where the boxes are in the network's input pixels, its ``size`` (height, width).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.evaluate.dense import class_table, dense_predictions
from videohoi.evaluate.image_index import ImageIndex
from videohoi.evaluate.object_orders import ObjectOrder
from videohoi.evaluate.prediction_record import BoxRule, PredictionRecord, ReadingNotes
from videohoi.evaluate.triplet_sets import TripletPredictions, no_predictions
from videohoi.vocabulary import Vocabulary


@dataclass(frozen=True)
class ReadingRules:
    """How prediction files are read."""

    vocabulary: Vocabulary
    images: ImageIndex
    order: ObjectOrder
    boxes: BoxRule
    notes: ReadingNotes
    limit: int | None
    """best triplets kept of each picture of a dense table; None: all"""


Reader = Callable[[PredictionRecord, int, ReadingRules], TripletPredictions]


def read_qpic(record: PredictionRecord, image: int, rules: ReadingRules) -> TripletPredictions:
    """Triplets of one QPIC dictionary."""
    boxes = record.boxes("boxes", rules.images.size(image), rules.boxes, rules.notes)
    labels = rules.order.class_ids(record, "labels", len(boxes))
    humans, objects = _pairs(record, len(boxes))
    rules.order.require_humans(record, "labels", labels[humans])
    verbs = len(rules.vocabulary.verbs)
    table = record.numbers("verb_scores", (len(humans), verbs))
    if len(humans) == 0:
        return no_predictions()
    classes = class_table(labels[objects], rules.vocabulary.interactions, len(rules.vocabulary.objects), verbs)
    return dense_predictions(image, boxes, humans, objects, table, classes, rules.limit)


def read_gen(record: PredictionRecord, image: int, rules: ReadingRules) -> TripletPredictions:
    """Triplets of one GEN-VLKT dictionary."""
    boxes = record.boxes("boxes", rules.images.size(image), rules.boxes, rules.notes)
    humans, objects = _pairs(record, len(boxes))
    interactions = np.array(rules.vocabulary.interactions, np.int64)
    table = record.numbers("hoi_scores", (len(humans), len(interactions)))
    object_scores = record.numbers("obj_scores", (len(humans), len(rules.vocabulary.objects)))
    if len(humans) == 0:
        return no_predictions()
    table = table + np.square(object_scores)[:, interactions[:, 1]]
    classes = np.broadcast_to(np.arange(len(interactions)), table.shape)
    return dense_predictions(image, boxes, humans, objects, table, np.ascontiguousarray(classes), rules.limit)


def read_pocket(record: PredictionRecord, image: int, rules: ReadingRules) -> TripletPredictions:
    """Triplets of one of UPT's outputs."""
    boxes = record.numbers("boxes", (None, 4))
    if record.has("size"):
        boxes = boxes * _scale(record, rules.images.size(image))
    boxes = record.checked("boxes", boxes, rules.images.size(image), rules.boxes, rules.notes)
    pairing = record.ids("pairing", (2, None), len(boxes), "rows of boxes")
    objects = rules.order.class_ids(record, "objects", pairing.shape[1])
    verbs = record.ids("labels", (pairing.shape[1],), len(rules.vocabulary.verbs), "verb ids")
    scores = record.numbers("scores", (pairing.shape[1],))
    rules.order.require_interactions(record, "objects", verbs, objects)
    return _triplets(image, boxes, pairing[0], pairing[1], _classes(rules.vocabulary, verbs, objects), scores)


def read_listed(record: PredictionRecord, image: int, rules: ReadingRules) -> TripletPredictions:
    """Triplets of one record with ``predictions`` and ``hoi_prediction``."""
    found = record.records("predictions")
    boxes = _column(found, lambda row: row.numbers("bbox", (4,))).reshape(-1, 4)
    boxes = record.checked("predictions.bbox", boxes, rules.images.size(image), rules.boxes, rules.notes)
    labels = rules.order.class_ids(
        record.with_value("predictions.category_id", [row.value("category_id") for row in found]),
        "predictions.category_id",
        len(found),
    )
    pairs = record.records("hoi_prediction")
    humans, objects = (
        np.array([int(row.ids(name, (), len(boxes), "rows of predictions")) for row in pairs], np.int64)
        for name in ("subject_id", "object_id")
    )
    verbs = np.array(
        [int(row.ids("category_id", (), len(rules.vocabulary.verbs), "verb ids")) for row in pairs], np.int64
    )
    scores = _column(pairs, lambda row: row.numbers("score", ()))
    rules.order.require_humans(record, "predictions.category_id", labels[humans])
    classes = _classes(rules.vocabulary, verbs, labels[objects])
    possible = classes >= 0
    rules.notes.add("verbs that do not go with their object, which the format masks", int((~possible).sum()))
    return _triplets(image, boxes, humans[possible], objects[possible], classes[possible], scores[possible])


def _pairs(record: PredictionRecord, boxes: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    humans = record.ids("sub_ids", (None,), boxes, "rows of boxes")
    return humans, record.ids("obj_ids", (len(humans),), boxes, "rows of boxes")


def _scale(record: PredictionRecord, size_wh_px: NDArray[np.int64] | None) -> NDArray[np.float64]:
    """(4,) from the network's input pixels to the picture's."""
    size = record.numbers("size", (2,))
    if (size <= 0).any():
        raise record.wrong("size", "a height and width above 0")
    if size_wh_px is None or not size_wh_px.all():
        raise record.wrong("size", "nothing, since the truth file does not tell this picture's own size")
    return np.tile(size_wh_px / size[::-1], 2)


def _classes(vocabulary: Vocabulary, verbs: NDArray[np.int64], objects: NDArray[np.int64]) -> NDArray[np.int64]:
    table = class_table(objects, vocabulary.interactions, len(vocabulary.objects), len(vocabulary.verbs))
    return np.asarray(table[np.arange(len(verbs)), verbs])


def _column(
    rows: list[PredictionRecord], get: Callable[[PredictionRecord], NDArray[np.float64]]
) -> NDArray[np.float64]:
    return np.array([get(row) for row in rows], np.float64)


def _triplets(
    image: int,
    boxes: NDArray[np.float64],
    humans: NDArray[np.int64],
    objects: NDArray[np.int64],
    classes: NDArray[np.int64],
    scores: NDArray[np.float64],
) -> TripletPredictions:
    return TripletPredictions(np.full(len(scores), image, np.int64), classes, boxes[humans], boxes[objects], scores)
