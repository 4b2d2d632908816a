"""V-COCO's files: the official annotations with COCO's boxes, and the pickled detections of vsrl_eval.

``vcoco_test.json`` (s-gupta/v-coco) names annotation ids; their boxes come from COCO's ``instances_*2014.json``, and
are cleaned as the public evaluator does: far corner ``x + max(0, w - 1)``, clipped to the picture, boxes without area
left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.datasets.coco_json import CocoBox, read_coco_instances
from videohoi.datasets.records import record_error
from videohoi.datasets.vcoco_json import read_vcoco_tables
from videohoi.errors import TruthError
from videohoi.evaluate.prediction_record import BoxRule, PredictionRecord, ReadingNotes, read_values
from videohoi.evaluate.vcoco.scoring import ROLES, UNLABELLED, VcocoActions, VcocoPredictions, VcocoTruth
from videohoi.names import nearest_names

PERSON_CATEGORY = 1
AGENT = "agent"
ROLE_ENDINGS = ("_agent", "_obj", "_instr")
"""fields of these endings are scores and boxes; others, such as a file name, are left alone"""
_Labels = dict[int, dict[int, tuple[int, list[int]]]]
"""by annotation id, by action: label and the annotation ids of its roles (0: none)"""


def read_vcoco_truth(annotations: Path, instances: Path) -> VcocoTruth:
    """Annotations of one part of V-COCO and COCO's instances of (at least) its pictures.

    Raises:
        InputError: a file is unreadable or malformed, or lacks a picture or annotation; names record and field.
    """
    actions, labels, image_ids = _labels(annotations)
    boxes, people, sizes = _instances(instances, image_ids)
    rows = [(image, person) for image in image_ids for person in people[image]]
    states = np.full((len(rows), len(actions.names)), UNLABELLED, np.int8)
    roles = np.full((len(rows), len(actions.names), ROLES, 4), np.nan)
    for row, (_, person) in enumerate(rows):
        for action, (label, things) in labels.get(person, {}).items():
            states[row, action] = label
            for slot, thing in enumerate(things):
                if label == 1 and thing:
                    if thing not in boxes:
                        raise TruthError(f"{instances}: annotations: no box for annotation {thing} of {annotations}")
                    roles[row, action, slot] = boxes[thing]
    offsets = np.concatenate([[0], np.cumsum([len(people[image]) for image in image_ids])]).astype(np.int64)
    person_boxes = np.array([boxes[person] for _, person in rows], np.float64).reshape(-1, 4)
    known = np.array([sizes[image] for image in image_ids], np.int64).reshape(-1, 2)
    return VcocoTruth(tuple(image_ids), offsets, person_boxes, states, roles, actions, known)


def _labels(path: Path) -> tuple[VcocoActions, _Labels, list[int]]:
    labels: _Labels = defaultdict(dict)
    names, roles, image_ids = [], [], set()
    for action, table in enumerate(read_vcoco_tables(path)):
        if len(table.role_name) > ROLES + 1:
            message = f"expected agent and at most two roles, got {table.role_name}"
            raise record_error(path, f"record {action} ({table.action_name})", "role_name", message)
        names.append(table.action_name)
        roles.append(tuple(table.role_name[1:]))
        image_ids.update(table.image_id)
        for person, state, things in zip(table.ann_id, table.label, table.objects()[1:].T.tolist(), strict=True):
            labels[person][action] = (state, things)
    return VcocoActions(tuple(names), tuple(roles)), labels, sorted(image_ids)


def _instances(
    path: Path, image_ids: Sequence[int]
) -> tuple[dict[int, NDArray[np.float64]], dict[int, list[int]], dict[int, NDArray[np.float64]]]:
    """Clean boxes by annotation id, the persons of each picture, in the file's order, and sizes of pictures."""
    file = read_coco_instances(path)
    sizes = {image.id: np.array([image.width, image.height], np.float64) for image in file.images}
    missing = [image for image in image_ids if image not in sizes]
    if missing:
        raise TruthError(f"{path}: images: picture {missing[0]} and {len(missing) - 1} more of V-COCO are not in it")
    boxes: dict[int, NDArray[np.float64]] = {}
    people: dict[int, list[int]] = {image: [] for image in image_ids}
    for row in file.annotations:
        box = _clean(row, sizes[row.image_id]) if row.image_id in people and row.ignore != 1 else None
        if box is not None:
            boxes[row.id] = box
            if row.category_id == PERSON_CATEGORY:
                people[row.image_id].append(row.id)
    return boxes, people, sizes


def _clean(row: CocoBox, size_wh_px: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Corners (4,) inside the picture; None where nothing is left."""
    left, top, width, height = row.bbox
    corners = np.array([left, top, left + max(0.0, width - 1), top + max(0.0, height - 1)])
    box = np.clip(corners, 0, np.tile(size_wh_px - 1, 2))
    fits = (row.area is None or row.area > 0) and box[2] > box[0] and box[3] > box[1]
    return box if fits else None


def read_vsrl_predictions(
    path: Path, truth: VcocoTruth, outside: str = "error", notes: ReadingNotes | None = None
) -> VcocoPredictions:
    """The list vsrl_eval reads: ``image_id``, ``person_box``, ``ACTION_agent``, ``ACTION_ROLE`` (box and score).

    A score of nan means: not predicted. Written by fredzzhang/upt, a missing action has score 0, as there.

    Args:
        path: JSON or pickle.
        truth: the pictures.
        outside: ``error``, ``keep`` or ``clip`` boxes that leave their picture; as public code writes them, boxes of a
            role may be all 0 or all nan.
        notes: counts what was left out or corrected.

    Raises:
        TruthError: anything malformed; names file, record and field.
    """
    values = read_values(path)
    if not isinstance(values, (list, tuple)):
        raise TruthError(f"{path}: expected a list with a record for each person, got {type(values).__name__}")
    rows = {image: row for row, image in enumerate(truth.image_ids)}
    count, names = len(values), truth.vocabulary.names
    rule, counted = BoxRule(outside), ReadingNotes() if notes is None else notes
    images, people = np.zeros(count, np.int64), np.zeros((count, 4))
    agents = np.zeros((count, len(names)))
    roles = np.full((count, len(names), ROLES, 5), np.nan)
    for number, value in enumerate(values):
        record = PredictionRecord(value, f"{path}: record {number}")
        image = record.whole("image_id")
        if image not in rows:
            raise record.wrong("image_id", f"one of the {len(rows)} pictures of the truth file")
        _known_fields(record, value, truth.vocabulary)
        images[number] = rows[image]
        size = None if truth.image_sizes_wh_px is None else truth.image_sizes_wh_px[rows[image]]
        box = record.numbers("person_box", (4,))[None]
        people[number] = record.checked("person_box", box, size, rule, counted)[0]
        for action, name in enumerate(names):
            agents[number, action] = _number(record, f"{name}_{AGENT}", value)
            for slot, role in enumerate(truth.vocabulary.roles[action]):
                roles[number, action, slot] = _role(record, f"{name}_{role}", value, size, rule, counted)
    return VcocoPredictions(images, people, agents, roles[..., :4], roles[..., 4])


def _number(record: PredictionRecord, name: str, values: Mapping[str, Any]) -> float:
    return float(_loose(record, name, values, ()))


def _known_fields(record: PredictionRecord, values: Mapping[str, Any], words: VcocoActions) -> None:
    """Raise ``TruthError`` for the score or box of an action or role that V-COCO does not have."""
    known = [f"{name}_{role}" for name, roles in zip(words.names, words.roles, strict=True) for role in (AGENT, *roles)]
    for field in values:
        if field.endswith(ROLE_ENDINGS) and field not in known:
            near = nearest_names(field, known)
            raise record.wrong(field, f"an action and role of the truth file{f' (nearest: {near[0]})' if near else ''}")


def _role(
    record: PredictionRecord, name: str, values: Mapping[str, Any], size_wh_px: NDArray[np.int64] | None,
    rule: BoxRule, notes: ReadingNotes,
) -> NDArray[np.float64]:  # fmt: skip
    role = _loose(record, name, values, (5,))
    if np.isinf(role).any() or (np.isnan(role[:4]).any() and not np.isnan(role[:4]).all()):
        raise record.wrong(name, "a box of four finite numbers, or of four nan for no box")
    if not np.isnan(role[:4]).any():
        role[:4] = record.checked(name, role[None, :4], size_wh_px, rule, notes)[0]
    return role


def _loose(
    record: PredictionRecord, name: str, values: Mapping[str, Any], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Numbers that may be nan. ``values[name]`` is asked, not ``in``: upt's records make up what is missing."""
    try:
        array = np.asarray(values[name], np.float64)
    except KeyError as cause:
        raise record.wrong(name, f"numbers of shape {shape}") from cause
    except (TypeError, ValueError) as cause:
        raise record.wrong(name, f"numbers of shape {shape}") from cause
    if array.shape != shape or np.isinf(array).any():
        raise record.wrong(name, f"numbers of shape {shape}", str(values[name]))
    return array
