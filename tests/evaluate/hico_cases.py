"""Small HICO-DET truths and predictions shared by the tests."""

import json

import numpy as np

from videohoi.evaluate.triplet_sets import TripletPredictions, TripletTruth
from videohoi.vocabulary import hico_det

HUMAN = [10.0, 10.0, 109.0, 209.0]
THING = [60.0, 100.0, 159.0, 199.0]
FAR = [300.0, 10.0, 399.0, 109.0]


def class_of(verb, thing):
    words = hico_det()
    return words.interactions.index((words.verb_id(verb), words.object_id(thing)))


def truth_of(images, class_count=600, sizes=True):
    """``images``: for each picture a list of (class id, human box, object box)."""
    rows = [row for image in images for row in image]
    return TripletTruth(
        image_names=tuple(f"HICO_test2015_{number + 1:08d}.jpg" for number in range(len(images))),
        image_offsets=np.concatenate([[0], np.cumsum([len(image) for image in images])]).astype(np.int64),
        class_ids=np.array([row[0] for row in rows], np.int64),
        human_boxes_xyxy_px=np.array([row[1] for row in rows], np.float64).reshape(-1, 4),
        object_boxes_xyxy_px=np.array([row[2] for row in rows], np.float64).reshape(-1, 4),
        class_count=class_count,
        image_sizes_wh_px=np.tile(np.array([640, 480]), (len(images), 1)) if sizes else None,
    )


def predictions_of(rows):
    """``rows``: (image row, class id, human box, object box, score)."""
    return TripletPredictions(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float64).reshape(-1, 4),
        np.array([row[3] for row in rows], np.float64).reshape(-1, 4),
        np.array([row[4] for row in rows], np.float64),
    )


def ride_bicycle(count=2):
    """``count`` pictures with one person on a bicycle, and one without annotation."""
    return truth_of([[(class_of("ride", "bicycle"), HUMAN, THING)]] * count + [[]])


def qpic_record(name, score=0.9, **changes):
    """One picture of QPIC's form: a person rides a bicycle."""
    words = hico_det()
    scores = np.zeros((1, 117))
    scores[0, words.verb_id("ride")] = score
    record = {
        "filename": name,
        "boxes": [HUMAN, THING],
        "labels": [words.person_id, words.object_id("bicycle")],
        "sub_ids": [0],
        "obj_ids": [1],
        "verb_scores": scores.tolist(),
    }
    return {**record, **changes}


def write_json(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def annotation_file(path, truth):
    """``truth`` in the layout of fredzzhang/hicodet."""
    rows = []
    for image in range(len(truth.image_names)):
        own = slice(truth.image_offsets[image], truth.image_offsets[image + 1])
        rows.append(
            {
                "hoi": truth.class_ids[own].tolist(),
                "boxes_h": truth.human_boxes_xyxy_px[own].tolist(),
                "boxes_o": truth.object_boxes_xyxy_px[own].tolist(),
            }
        )
    values = {"filenames": list(truth.image_names), "annotation": rows}
    if truth.image_sizes_wh_px is not None:
        values["size"] = truth.image_sizes_wh_px.tolist()
    return write_json(path, values)
