"""What the readers are tried on, in every published form: a person rides and holds a bicycle, another walks a dog."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from videohoi.vocabulary import hico_det
from videohoi.vocabulary.shipped import hico_object_order

WORDS = hico_det()
RIDE, HOLD, WALK = (WORDS.interaction_id(*pair) for pair in (("ride", "bicycle"), ("hold", "bicycle"), ("walk", "dog")))
HUMANS = [[11, 21, 110, 220], [11, 21, 110, 220], [301, 1, 400, 300]]
THINGS = [[31, 101, 150, 240], [31, 101, 150, 240], [401, 201, 480, 300]]
EDGES_H = [[10, 20, 110, 220], [10, 20, 110, 220], [300, 0, 400, 300]]
EDGES_O = [[30, 100, 150, 240], [30, 100, 150, 240], [400, 200, 480, 300]]
HOIS = [RIDE, HOLD, WALK]


def hico_values(order: tuple[str, ...] = hico_object_order(), *, names: bool = True) -> dict[str, Any]:
    """The first JSON form, with objects in ``order``."""
    pairs = [WORDS.interactions[hoi] for hoi in HOIS]
    row = {
        "boxes_h": HUMANS, "boxes_o": THINGS, "hoi": HOIS, "verb": [verb for verb, _ in pairs],
        "object": [order.index(WORDS.objects[obj]) for _, obj in pairs],
    }  # fmt: skip
    blank = {"boxes_h": [], "boxes_o": [], "hoi": [], "verb": [], "object": []}
    values = {"filenames": ["a.jpg", "b.jpg"], "annotation": [row, blank], "size": [[640, 480], [320, 240]],
              "empty": [1]}  # fmt: skip
    if names:
        table = [[k, order.index(WORDS.objects[obj]), verb] for k, (verb, obj) in enumerate(WORDS.interactions)]
        values |= {"objects": list(order), "verbs": list(WORDS.verbs), "correspondence": table}
    return values


def ppdm_values() -> list[dict[str, Any]]:
    """The second JSON form: COCO-91 ids, verbs from 1, boxes from 0 with the last pixel included."""
    boxes = [[value - 1 for value in box] for box in (HUMANS[0], THINGS[0], HUMANS[2], THINGS[2])]
    things = [{"bbox": box, "category_id": kind} for box, kind in zip(boxes, (1, 2, 1, 18), strict=True)]
    deeds = [
        {"subject_id": human, "object_id": thing, "category_id": WORDS.interactions[hoi][0] + 1,
         "hoi_category_id": hoi + 1}
        for human, thing, hoi in zip((0, 0, 2), (1, 1, 3), HOIS, strict=True)
    ]  # fmt: skip
    return [
        {"file_name": "a.jpg", "img_id": 1, "annotations": things, "hoi_annotation": deeds},
        {"file_name": "b.jpg", "img_id": 2, "annotations": [], "hoi_annotation": []},
    ]


def struct(rows: list[dict[str, Any]]) -> np.ndarray:
    """A MATLAB struct array."""
    array = np.empty((1, len(rows)), dtype=[(key, object) for key in rows[0]])
    for number, row in enumerate(rows):
        array[0, number] = tuple(row.values())
    return array


def mat_box(corners: list[int]) -> dict[str, int]:
    return dict(zip(("x1", "y1", "x2", "y2"), corners, strict=True))


def mat_values(**changes: Any) -> dict[str, Any]:
    """The variables of ``anno_bbox.mat``; the dog's walker has a second, invisible label."""
    one = np.array([[1, 1]])
    labels = [
        {"id": hoi + 1, "bboxhuman": struct([mat_box(human)]), "bboxobject": struct([mat_box(thing)]),
         "connection": one, "invis": 0}
        for human, thing, hoi in zip(HUMANS, THINGS, HOIS, strict=True)
    ]  # fmt: skip
    hidden = {"id": WORDS.interaction_id("feed", "dog") + 1, "bboxhuman": np.zeros((0, 0)),
              "bboxobject": np.zeros((0, 0)), "connection": np.zeros((0, 0)), "invis": 1}  # fmt: skip
    labels[1] |= changes
    pictures = [
        {"filename": "a.jpg", "size": struct([{"width": 640, "height": 480, "depth": 3}]), "hoi": struct(labels)},
        {"filename": "b.jpg", "size": struct([{"width": 320, "height": 240, "depth": 3}]), "hoi": struct([hidden])},
    ]
    actions = [{"nname": WORDS.objects[obj], "vname": WORDS.verbs[verb]} for verb, obj in WORDS.interactions]
    return {"bbox_train": struct(pictures), "list_action": struct(actions)}


def write_json(path: Path, values: Any) -> Path:
    path.write_text(json.dumps(values), encoding="utf-8")
    return path
