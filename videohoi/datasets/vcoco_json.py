"""V-COCO: ``instances_vcoco_*.json`` of fredzzhang/vcoco (pairs), and the official ``vcoco_*.json`` (s-gupta/v-coco).

Boxes are COCO's: edges in pixels, counted from 0. The official files hold annotation ids only; their boxes come from
``instances_vcoco_all_2014.json``, which the v-coco repository makes from COCO's annotations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydantic

from videohoi.datasets.annotations import HoiAnnotations, Rows, check_corners, flat_boxes, starts
from videohoi.datasets.coco_json import CocoBox, read_coco_instances
from videohoi.datasets.records import STRICT, Box, Index, parse_json, record_error, require_lengths
from videohoi.errors import UsageError
from videohoi.vocabulary.shipped import coco_category_ids, object_rows, vcoco, vcoco_actions


@dataclass
class _Picture:
    boxes_h: list[Box]
    boxes_o: list[Box]
    actions: list[Index]
    objects: list[Index]
    file_name: str


@pydantic.with_config(STRICT)
@dataclass
class _File:
    annotations: list[_Picture]
    classes: list[str]
    objects: list[str]


_READER = pydantic.TypeAdapter(_File)
_BACKGROUND = "background"
AGENT = "agent"


def read_vcoco_json(path: Path) -> HoiAnnotations:
    """The pairs of an ``instances_vcoco_*.json``: 24 verbs, COCO's objects by name. Picture sizes are not in the file.

    Raises:
        InputError: malformed; names file, record and field.
    """
    file, words = parse_json(path, _READER), vcoco()
    if tuple(name.replace(" ", "_") for name in file.classes) != words.verbs:
        raise record_error(path, "", "classes", "expected the 24 (action, role) classes of fredzzhang/vcoco")
    try:
        order = object_rows([name for name in file.objects if name != _BACKGROUND], words)
    except UsageError as error:
        raise record_error(path, "", "objects", str(error)) from error
    first = int(file.objects[:1] == [_BACKGROUND])
    verbs, objects = [], []
    for number, row in enumerate(file.annotations):
        record = f"record {number} ({row.file_name})"
        require_lengths(path, record, {key: value for key, value in vars(row).items() if key != "file_name"})
        for key, ids, low, high in (("actions", row.actions, 0, len(words.verbs)),
                                    ("objects", row.objects, first, first + len(order))):  # fmt: skip
            for place, value in enumerate(ids):
                if not low <= value < high:
                    raise record_error(path, record, f"{key}[{place}]", f"expected {low} to {high - 1}, got {value}")
        verbs += row.actions
        objects += [int(order[obj - first]) for obj in row.objects]
    names, pair_start = (
        tuple(row.file_name for row in file.annotations),
        starts([len(r.actions) for r in file.annotations]),
    )
    sides = []
    for key in ("boxes_h", "boxes_o"):
        boxes = flat_boxes([getattr(row, key) for row in file.annotations])
        check_corners(path, names, pair_start, boxes, key)
        sides.append(boxes.astype(np.float32))
    return HoiAnnotations(
        path, words, names, np.zeros((len(names), 2), np.int64), pair_start, sides[0], sides[1],
        np.array(verbs, np.int64), np.array(objects, np.int64),
    )  # fmt: skip


@dataclass
class VCocoTable:
    """One action of an official file: N labelled agents."""

    action_name: str
    role_name: list[str]
    """``agent``, then the action's roles"""
    image_id: list[Index]
    ann_id: list[Index]
    """COCO annotation ids of the agents"""
    role_object_id: list[Index]
    """COCO annotation ids, role after role; 0: no object"""
    label: list[int]
    """1: the agent does it, 0: it does not"""

    def objects(self) -> Rows:
        """(roles, N) annotation ids, the agent's own first."""
        return np.array(self.role_object_id, np.int64).reshape(len(self.role_name), len(self.label))


_OFFICIAL_READER = pydantic.TypeAdapter(list[VCocoTable], config=STRICT)


def read_vcoco_tables(path: Path) -> list[VCocoTable]:
    """All actions of an official ``vcoco_train.json`` and the like; needs no boxes.

    Raises:
        InputError: malformed; names file, record and field.
    """
    tables = parse_json(path, _OFFICIAL_READER)
    if not tables:
        raise record_error(path, "", "file", "the list is empty; expected a record for each action")
    for number, table in enumerate(tables):
        _check_table(path, f"record {number} ({table.action_name})", table)
    return tables


def _check_table(path: Path, record: str, table: VCocoTable) -> None:
    count = len(table.label)
    require_lengths(path, record, {"image_id": table.image_id, "ann_id": table.ann_id, "label": table.label})
    if table.role_name[:1] != [AGENT]:
        raise record_error(path, record, "role_name", f"expected {AGENT} first, got {table.role_name}")
    if len(table.role_object_id) != count * len(table.role_name):
        expected = f"{count} for each of {len(table.role_name)} roles"
        raise record_error(path, record, "role_object_id", f"expected {expected}, got {len(table.role_object_id)}")
    for row, label in enumerate(table.label):
        if label not in (0, 1):
            raise record_error(path, record, f"label[{row}]", f"expected 0 or 1, got {label}")
    differing = np.flatnonzero(table.objects()[0] != np.array(table.ann_id, np.int64))
    if len(differing):
        raise record_error(path, record, f"role_object_id[{differing[0]}]", "the agent's id differs from ann_id")


@dataclass(frozen=True)
class VCocoLabel:
    """One agent that does one action: the official unit."""

    image_id: int
    agent_id: int
    """COCO annotation id"""
    action: str
    roles: tuple[tuple[str, int], ...]
    """(role, COCO annotation id of its object); roles without an object are not listed"""


def read_vcoco_labels(path: Path) -> tuple[VCocoLabel, ...]:
    """All positive labels of an official file of V-COCO's 26 actions; raises as ``read_vcoco_tables``."""
    tables, actions = read_vcoco_tables(path), vcoco_actions()
    found = [(table.action_name, tuple(table.role_name)) for table in tables]
    if found != [(action.name, (AGENT, *action.roles)) for action in actions]:
        raise record_error(path, "", "action_name, role_name", "expected the 26 actions of V-COCO with their roles")
    return tuple(label for table in tables for label in _positives(table))


def _positives(table: VCocoTable) -> Iterator[VCocoLabel]:
    objects = table.objects()
    for row, label in enumerate(table.label):
        if label:
            roles = zip(table.role_name[1:], objects[1:, row].tolist(), strict=True)
            held = tuple((role, thing) for role, thing in roles if thing)
            yield VCocoLabel(table.image_id[row], table.ann_id[row], table.action_name, held)


def read_vcoco_official(path: Path, instances_path: Path) -> HoiAnnotations:
    """Official labels joined with COCO's boxes. Pairs of the 24 verbs; what is no such pair is counted in ``left_out``.

    Raises:
        InputError: either file is malformed, or a label's picture or box is not in the instances file.
    """
    labels, coco_file, words = read_vcoco_labels(path), read_coco_instances(instances_path), vcoco()
    boxes = {box.id: box for box in coco_file.annotations}
    wanted = {label.image_id for label in labels}
    images = [image for image in coco_file.images if image.id in wanted]
    missing = wanted - {image.id for image in images}
    if missing:
        raise record_error(instances_path, "", "images", f"image {min(missing)} of {path.name} is missing")
    rows: dict[int, list[tuple[Box, Box, int, int]]] = {image.id: [] for image in images}
    alone = pointing = 0
    for label in labels:
        alone += not label.roles
        for role, thing in label.roles:
            verb = f"{label.action}_{role}"
            if verb not in words.verbs:
                pointing += 1
                continue
            human, held = (_coco_box(instances_path, boxes, key, label) for key in (label.agent_id, thing))
            obj = _category(instances_path, held)
            rows[label.image_id].append((_edges(human), _edges(held), words.verbs.index(verb), obj))
    flat = [rows[image.id] for image in images]
    table = np.array([row[2:] for part in flat for row in part], np.int64).reshape(-1, 2)
    pair_start, names = starts([len(part) for part in flat]), tuple(image.file_name for image in images)
    sides = [
        flat_boxes([[row[0] for row in part] for part in flat]),
        flat_boxes([[row[1] for row in part] for part in flat]),
    ]
    for corners in sides:
        check_corners(instances_path, names, pair_start, corners, "bbox")
    return HoiAnnotations(
        path, words, names, np.array([(image.width, image.height) for image in images], np.int64).reshape(-1, 2),
        pair_start, sides[0].astype(np.float32), sides[1].astype(np.float32), table[:, 0], table[:, 1],
        left_out=(("agents without an object", alone), ("objects of point", pointing)),
    )  # fmt: skip


def _coco_box(path: Path, boxes: dict[int, CocoBox], key: int, label: VCocoLabel) -> CocoBox:
    box = boxes.get(key)
    if box is None or box.image_id != label.image_id:
        raise record_error(path, "", "annotations", f"box {key} of image {label.image_id} ({label.action}) is missing")
    return box


def _category(path: Path, box: CocoBox) -> int:
    if box.category_id not in coco_category_ids():
        raise record_error(path, f"annotation {box.id}", "category_id", f"{box.category_id} is no COCO category")
    return coco_category_ids().index(box.category_id)


def _edges(box: CocoBox) -> Box:
    left, top, width, height = box.bbox
    return (left, top, left + width, top + height)
