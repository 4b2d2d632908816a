"""V-COCO in both forms."""

from pathlib import Path
from typing import Any

import numpy as np
import one_picture as one
import pytest

from videohoi.datasets.vcoco_json import read_vcoco_json, read_vcoco_labels, read_vcoco_official
from videohoi.errors import InputError
from videohoi.vocabulary.shipped import vcoco, vcoco_actions


def pair_file() -> dict[str, Any]:
    row = {"boxes_h": [[1.5, 2.0, 50.0, 90.0]], "boxes_o": [[20.0, 30.0, 40.0, 60.0]], "actions": [0], "objects": [42],
           "file_name": "COCO_train2014_000000000007.jpg"}  # fmt: skip
    blank = {"boxes_h": [], "boxes_o": [], "actions": [], "objects": [], "file_name": "COCO_train2014_000000000009.jpg"}
    return {
        "annotations": [row, blank],
        "classes": [" ".join(name.rsplit("_", 1)) for name in vcoco().verbs],
        "objects": ["background", *(name.replace("_", " ") for name in vcoco().objects)],
    }


def official(**changes: Any) -> list[dict[str, Any]]:
    """Person 11 of image 7 holds cup 12 and points at it; person 13 of image 8 does nothing with anything, standing."""
    tables = [
        {"action_name": action.name, "role_name": ["agent", *action.roles], "image_id": [7, 8], "ann_id": [11, 13],
         "role_object_id": [11, 13] + [0, 0] * len(action.roles), "label": [0, 0], "include": []}
        for action in vcoco_actions()
    ]  # fmt: skip
    for name in ("hold", "point"):
        table = next(row for row in tables if row["action_name"] == name)
        table.update(label=[1, 0], role_object_id=[11, 13, 12, 0])
    next(row for row in tables if row["action_name"] == "stand")["label"] = [0, 1]
    tables[0] |= changes
    return tables


COCO_FILE = {
    "images": [
        {"id": 8, "file_name": "eight.jpg", "width": 100, "height": 80},
        {"id": 7, "file_name": "seven.jpg", "width": 200, "height": 160},
        {"id": 99, "file_name": "other.jpg", "width": 1, "height": 1},
    ],
    "annotations": [
        {"id": 11, "image_id": 7, "category_id": 1, "bbox": [1.0, 2.0, 49.0, 88.0]},
        {"id": 12, "image_id": 7, "category_id": 47, "bbox": [20.0, 30.0, 20.0, 30.0]},
        {"id": 13, "image_id": 8, "category_id": 1, "bbox": [0, 0, 10, 10]},
    ],
}


def test_pairs_with_objects_by_name(tmp_path: Path) -> None:
    read = read_vcoco_json(one.write_json(tmp_path / "instances_vcoco_train.json", pair_file()))
    assert [vcoco().verbs[verb] for verb in read.verb_ids] == ["hold_obj"]
    assert [vcoco().objects[obj] for obj in read.object_ids] == ["cup"]
    assert read.human_boxes_xyxy_px.tolist() == [[1.5, 2.0, 50.0, 90.0]]
    assert read.empty_images.tolist() == [1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda v: v["annotations"][0].__setitem__("actions", [24]),
            r"record 0 \(COCO.*\): actions\[0\]: expected 0 to 23",
        ),
        (lambda v: v["annotations"][0].__setitem__("objects", [0]), r"objects\[0\]: expected 1 to 80, got 0"),
        (
            lambda v: v["annotations"][0].__setitem__("objects", []),
            "lengths differ: boxes_h 1, boxes_o 1, actions 1, ob",
        ),
        (lambda v: v["annotations"][0].__setitem__("boxes_o", [[5, 5, 1, 9]]), r"boxes_o\[0\]: the box is inside out"),
        (lambda v: v["annotations"][0].pop("file_name"), r"annotations\[0\].file_name: field required"),
        (lambda v: v["classes"].reverse(), "classes: expected the 24"),
        (lambda v: v["objects"].__setitem__(3, "carr"), "objects: .*did you mean car"),
    ],
)
def test_a_malformed_pair_file_names_record_and_field(change, message: str, tmp_path: Path) -> None:
    values = pair_file()
    change(values)
    with pytest.raises(InputError, match=message):
        read_vcoco_json(one.write_json(tmp_path / "v.json", values))


def test_official_labels_and_their_boxes(tmp_path: Path) -> None:
    path = one.write_json(tmp_path / "vcoco_train.json", official())
    labels = read_vcoco_labels(path)
    assert [(label.agent_id, label.action, label.roles) for label in labels] == [
        (11, "hold", (("obj", 12),)), (13, "stand", ()), (11, "point", (("instr", 12),)),
    ]  # fmt: skip
    read = read_vcoco_official(path, one.write_json(tmp_path / "instances.json", COCO_FILE))
    assert read.file_names == ("eight.jpg", "seven.jpg")
    assert read.pair_start.tolist() == [0, 0, 1]
    assert read.human_boxes_xyxy_px.tolist() == [[1, 2, 50, 90]]
    assert read.object_boxes_xyxy_px.tolist() == [[20, 30, 40, 60]]
    assert vcoco().objects[read.object_ids[0]] == "cup"
    assert dict(read.left_out) == {"agents without an object": 1, "objects of point": 1}
    assert read.sizes_wh_px.tolist() == [[100, 80], [200, 160]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": [1]}, r"record 0 \(hold\): lengths differ: image_id 2, ann_id 2, label 1"),
        ({"label": [2, 0]}, r"label\[0\]: expected 0 or 1, got 2"),
        ({"role_object_id": [11, 13]}, "role_object_id: expected 2 for each of 2 roles, got 2"),
        ({"role_object_id": [12, 13, 0, 0]}, r"role_object_id\[0\]: the agent's id differs"),
        ({"action_name": "held"}, "expected the 26 actions"),
        ({"role_object_id": [11, 13, 77, 0]}, r"box 77 of image 7 \(hold\) is missing"),
        ({"image_id": [7, 5], "label": [1, 1]}, "image 5 of v.json is missing"),
    ],
)
def test_malformed_official_labels(changes, message: str, tmp_path: Path) -> None:
    path = one.write_json(tmp_path / "v.json", official(**{"label": [1, 0], **changes}))
    with pytest.raises(InputError, match=message):
        read_vcoco_official(path, one.write_json(tmp_path / "instances.json", COCO_FILE))


@pytest.mark.shared
@pytest.mark.parametrize(
    ("part", "images", "pairs"),
    [("train", 2533, 6400), ("val", 2867, 7417), ("trainval", 5400, 13817), ("test", 4946, 12402)],
)
def test_the_published_pair_files(part: str, images: int, pairs: int, shared_path) -> None:
    read = read_vcoco_json(shared_path(f"vcoco/instances_vcoco_{part}.json"))
    assert (len(read), read.pair_count) == (images, pairs)
    assert (read.interaction_ids >= 0).all()
    ids = shared_path(f"vcoco/splits/vcoco_{part}.ids").read_text(encoding="utf-8").split()
    assert len(ids) == images
    assert {int(name[-16:-4]) for name in read.file_names} == {int(number) for number in ids}


@pytest.mark.shared
@pytest.mark.parametrize(("part", "pairs", "pointing"), [("train", 6400, 8), ("val", 7417, 13)])
def test_the_official_labels_hold_the_same_pairs(part: str, pairs: int, pointing: int, shared_path) -> None:
    labels = read_vcoco_labels(shared_path(f"vcoco/vcoco_{part}.json"))
    held = [f"{label.action}_{role}" for label in labels for role, _ in label.roles]
    assert held.count("point_instr") == pointing
    assert len(held) - pointing == pairs
    read = read_vcoco_json(shared_path(f"vcoco/instances_vcoco_{part}.json"))
    per_verb = np.bincount(read.verb_ids, minlength=24)
    assert [held.count(verb) for verb in vcoco().verbs] == per_verb.tolist()
