"""``anno_bbox.mat`` and ``anno.mat`` as MATLAB wrote them: field orders, integer types, squeezed singles."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from one_picture import struct
from scipy.io import savemat

from videohoi.datasets.hico_mat import read_hico_image_labels, read_hico_mat
from videohoi.errors import InputError
from videohoi.vocabulary import hico_det

WORDS = hico_det()
EMPTY = np.zeros((0, 0))


def box(left: int, top: int, right: int, bottom: int) -> dict[str, Any]:
    """In the official field order, which is not that of corners."""
    return {name: np.uint16(value) for name, value in (("x1", left), ("x2", right), ("y1", top), ("y2", bottom))}


def hoi(verb: str, thing: str, humans: Any, things: Any, links: Any, invisible: Any = 0) -> dict[str, Any]:
    identity = np.uint16(WORDS.interaction_id(verb, thing) + 1)
    boxed = [struct(rows) if rows else EMPTY for rows in (humans, things)]
    table = np.array(links, np.uint8) if len(links) else EMPTY
    return {"id": identity, "bboxhuman": boxed[0], "bboxobject": boxed[1], "connection": table,
            "invis": np.uint8(invisible)}  # fmt: skip


def picture(name: str, labels: list[dict[str, Any]]) -> dict[str, Any]:
    size = struct([{"width": np.uint16(640), "height": np.uint16(480), "depth": np.uint8(3)}])
    return {"filename": name, "size": size, "hoi": struct(labels) if labels else EMPTY}


def actions() -> np.ndarray:
    rows = [
        {"nname": WORDS.objects[thing], "vname": WORDS.verbs[verb], "vname_ing": "x", "syn": "", "def": "x",
         "synset": "x.v.01", "ex": ""}
        for verb, thing in WORDS.interactions
    ]  # fmt: skip
    return struct(rows).T  # 600 x 1


def write(path: Path, pictures: list[dict[str, Any]]) -> Path:
    savemat(path, {"bbox_train": struct(pictures), "bbox_test": struct(pictures), "list_action": actions()})
    return path


MAN, OTHER, BIKE, DOG = box(11, 21, 110, 220), box(201, 1, 300, 300), box(31, 101, 150, 240), box(401, 201, 480, 300)


def test_the_official_structure(tmp_path: Path) -> None:
    path = write(tmp_path / "anno_bbox.mat", [
        picture("a.jpg", [hoi("ride", "bicycle", [MAN, OTHER], [BIKE], [[2, 1], [1, 1]]),
                          hoi("walk", "dog", [MAN], [DOG], [[1, 1]])]),
        picture("b.jpg", [hoi("feed", "dog", [], [], [], invisible=1)]),
        picture("c.jpg", []),
    ])  # fmt: skip
    for part in ("train", "test"):
        read = read_hico_mat(path, part)
        assert read.file_names == ("a.jpg", "b.jpg", "c.jpg")
        assert read.sizes_wh_px.tolist() == [[640, 480]] * 3
        assert read.pair_start.tolist() == [0, 3, 3, 3]
        assert read.human_boxes_xyxy_px.tolist() == [[200, 0, 300, 300], [10, 20, 110, 220], [10, 20, 110, 220]]
        assert read.object_boxes_xyxy_px.tolist() == [[30, 100, 150, 240]] * 2 + [[400, 200, 480, 300]]
        assert [WORDS.interactions[row] for row in read.interaction_ids] == [
            WORDS.interactions[WORDS.interaction_id(*pair)]
            for pair in (("ride", "bicycle"), ("ride", "bicycle"), ("walk", "dog"))
        ]
        assert read.unboxed.tolist() == [[1, WORDS.interaction_id("feed", "dog")]]
        assert read.left_out == ()


def test_a_single_picture_with_a_single_label_is_squeezed_and_read(tmp_path: Path) -> None:
    path = write(tmp_path / "anno_bbox.mat", [picture("a.jpg", [hoi("walk", "dog", [MAN], [DOG], [[1, 1]])])])
    read = read_hico_mat(path, "train")
    assert (len(read), read.pair_count) == (1, 1)
    assert read.object_boxes_xyxy_px.tolist() == [[400, 200, 480, 300]]


def test_a_visible_label_that_connects_nothing_is_kept_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "anno_bbox.mat", [picture("a.jpg", [hoi("walk", "dog", [MAN], [DOG], [])])])
    read = read_hico_mat(path, "train")
    assert read.pair_count == 0
    assert read.unboxed.tolist() == [[0, WORDS.interaction_id("walk", "dog")]]
    assert read.left_out == (("visible labels that connect no human with an object", 1),)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"connection": np.array([[1, 1, 1]])}, r"hoi\[0\]: connection: expected rows of human and object"),
        ({"connection": np.array([[1, 0]])}, r"hoi\[0\]: connection: \(1, 0\) of 1 humans and 1 objects"),
        ({"connection": "1-1"}, r"hoi\[0\]: connection: expected rows"),
        ({"id": EMPTY}, r"hoi\[0\]: id: expected one finite number, got an array of shape \(0,\)"),
        ({"id": "three"}, r"hoi\[0\]: id: expected one finite number, got 'three'"),
        ({"invis": EMPTY}, r"hoi\[0\]: invis: expected one finite number"),
        ({"bboxhuman": np.array([[1.0, 2.0]])}, r"bboxhuman\[0\]: x1: field required"),
        ({"bboxhuman": struct([{**MAN, "x1": EMPTY}])}, r"bboxhuman\[0\]: x1: expected one finite number"),
    ],
)
def test_odd_values_are_named(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    label = {**hoi("walk", "dog", [MAN], [DOG], [[1, 1]]), **changes}
    path = write(tmp_path / "anno_bbox.mat", [picture("a.jpg", [label]), picture("b.jpg", [])])
    with pytest.raises(InputError, match=message) as caught:
        read_hico_mat(path, "train")
    assert str(caught.value).startswith(f"{path}: bbox_train[0] (a.jpg) hoi[0]")


def test_a_picture_without_a_name_is_named_by_its_place(tmp_path: Path) -> None:
    path = write(tmp_path / "anno_bbox.mat", [picture("a.jpg", []), {**picture("b.jpg", []), "filename": EMPTY}])
    with pytest.raises(InputError, match=r"bbox_test\[1\]: filename: expected a name"):
        read_hico_mat(path, "test")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_image_labels_of_any_number_of_pictures(count: int, tmp_path: Path) -> None:
    names = np.empty((count, 1), object)
    names[:, 0] = [f"{number}.jpg" for number in range(count)]
    table = np.full((600, count), np.nan)  # unknown
    table[10], table[11], table[12] = 1, -1, 0  # positive, negative, ambiguous
    path = tmp_path / "anno.mat"
    savemat(path, {"anno_train": table, "anno_test": table, "list_train": names, "list_test": names,
                   "list_action": actions()})  # fmt: skip
    labels = read_hico_image_labels(path, "test")
    assert labels.file_names == tuple(f"{number}.jpg" for number in range(count))
    assert np.argwhere(labels.positive).tolist() == [[row, 10] for row in range(count)]


def test_a_damaged_file_is_one_error(tmp_path: Path) -> None:
    whole = write(tmp_path / "anno_bbox.mat", [picture("a.jpg", [])]).read_bytes()
    damaged = tmp_path / "damaged.mat"
    for content in (b"", b"nonsense", whole[:200], whole[: len(whole) // 2], whole[:400] + b"\0" * 64 + whole[464:]):
        damaged.write_bytes(content)
        with pytest.raises(InputError, match=r"damaged.mat: "):
            read_hico_mat(damaged, "train")
