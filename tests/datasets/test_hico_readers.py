"""HICO-DET in its three published forms: the same pictures come out, and what is wrong is named."""

import dataclasses
from pathlib import Path

import numpy as np
import one_picture as one
import pytest
from scipy.io import savemat

from videohoi.datasets.annotations import HoiAnnotations
from videohoi.datasets.hico_json import read_hico_json
from videohoi.datasets.hico_mat import read_hico_image_labels, read_hico_mat
from videohoi.datasets.hico_ppdm import read_hico_ppdm
from videohoi.errors import InputError
from videohoi.vocabulary import hico_det, hico_rare

COCO_ORDER = hico_det().objects


def read_form(form: str, folder: Path) -> HoiAnnotations:
    if form == "ppdm":
        return read_hico_ppdm(one.write_json(folder / "trainval_hico.json", one.ppdm_values()))
    if form == "mat":
        savemat(folder / "anno_bbox.mat", one.mat_values())
        return read_hico_mat(folder / "anno_bbox.mat", "train")
    values = one.hico_values(COCO_ORDER) if "coco" in form else one.hico_values()
    if "unnamed" in form:
        for key in ("objects", "verbs", "correspondence", "empty"):
            del values[key]
    return read_hico_json(one.write_json(folder / "instances_train2015.json", values))


@pytest.mark.parametrize("form", ["hico", "coco", "hico unnamed", "coco unnamed", "ppdm", "mat"])
def test_every_form_gives_the_same_pairs(form: str, tmp_path: Path) -> None:
    read = read_form(form, tmp_path)
    assert read.file_names == ("a.jpg", "b.jpg")
    assert read.pair_start.tolist() == [0, 3, 3]
    assert read.human_boxes_xyxy_px.tolist() == one.EDGES_H
    assert read.object_boxes_xyxy_px.tolist() == one.EDGES_O
    assert read.interaction_ids.tolist() == one.HOIS
    assert [COCO_ORDER[obj] for obj in read.object_ids] == ["bicycle", "bicycle", "dog"]
    assert [hico_det().verbs[verb] for verb in read.verb_ids] == ["ride", "hold", "walk"]
    assert read.empty_images.tolist() == [1]
    assert read.sizes_wh_px.tolist() == ([[0, 0], [0, 0]] if form == "ppdm" else [[640, 480], [320, 240]])
    assert read.outside_picture() == 0


@pytest.mark.parametrize(
    ("name", "first_pixel", "left"),
    [
        ("trainval_hico.json", None, 5),  # counts pixels from 0
        ("test_hico.json", None, 4),  # counts pixels from 1
        ("test_hico.json", 0, 5),
        ("trainval_hico.json", 1, 4),
    ],
)
def test_the_two_ppdm_files_count_pixels_from_different_numbers(
    name: str, first_pixel: int | None, left: int, tmp_path: Path
) -> None:
    rows = one.ppdm_values()
    rows[0]["annotations"] = [{**thing, "bbox": [5, 5, 9, 9]} for thing in rows[0]["annotations"]]
    path = one.write_json(tmp_path / name, rows)
    read = read_hico_ppdm(path, first_pixel)
    assert read.human_boxes_xyxy_px.tolist() == [[left, left, left + 5, left + 5]] * 3


def test_a_test_file_with_a_box_at_0_counts_from_0(tmp_path: Path) -> None:
    read = read_hico_ppdm(one.write_json(tmp_path / "test_hico.json", one.ppdm_values()))
    assert read.human_boxes_xyxy_px.tolist() == one.EDGES_H


def test_invisible_labels_of_the_matlab_file_are_kept_without_a_box(tmp_path: Path) -> None:
    read = read_form("mat", tmp_path)
    assert read.unboxed.tolist() == [[1, hico_det().interaction_id("feed", "dog")]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v["annotation"][0]["boxes_h"].__setitem__(0, [11, 21, 110]), r"annotation\[0\]\.boxes_h\[0\]"),
        (lambda v: v["annotation"][0].__setitem__("hoi", ["1", 2, 3]), r"annotation\[0\]\.hoi\[0\]: .*got '1'"),
        (lambda v: v["annotation"][0]["hoi"].__setitem__(1, 600), r"record 0 \(a.jpg\): hoi\[1\]: 600: expected 0 to"),
        (lambda v: v["annotation"][0]["verb"].__setitem__(2, 3), r"a.jpg\): verb\[2\]: 3: it is not the verb"),
        (lambda v: v["annotation"][0]["object"].__setitem__(0, 0), r"a.jpg\): object\[0\]: 0: it is not the object"),
        (lambda v: v["annotation"][0]["object"].__setitem__(0, 80), r"object\[0\]: 80: expected 0 to 79"),
        (lambda v: v["annotation"][0]["hoi"].pop(), r"record 0 \(a.jpg\): lengths differ: boxes_h 3, .*hoi 2"),
        (lambda v: v["annotation"][0]["boxes_o"].__setitem__(2, [9, 9, 3, 20]), r"boxes_o\[2\]: the box is inside out"),
        (lambda v: v["filenames"].pop(), r"lengths differ: filenames 1, annotation 2, size 2"),
        (lambda v: v["size"].__setitem__(0, None), r"record 0 \(a.jpg\): size: expected width and height"),
        (lambda v: v.__setitem__("empty", [0]), "empty: expected exactly the records without pairs"),
        (lambda v: v["objects"].__setitem__(0, "airplain"), "objects: unknown object .*did you mean airplane"),
        (lambda v: v["objects"].__setitem__(0, "apple"), "objects: expected the 80 object names, each once"),
        (lambda v: v["verbs"].reverse(), "verbs: expected the 117 verbs"),
        (lambda v: v["correspondence"][3].__setitem__(2, 0), r"correspondence\[3\]: it is not that interaction"),
        (lambda v: v.__setitem__("rare", [1, 2]), "rare: expected the 138 rare classes, got 2 ids"),
        (lambda v: v.pop("annotation"), "annotation: field required"),
    ],
)
def test_a_malformed_json_names_file_record_and_field(change, message: str, tmp_path: Path) -> None:
    values = one.hico_values()
    values = {**values, "annotation": [{k: [*v] for k, v in row.items()} for row in values["annotation"]]}
    change(values)
    path = one.write_json(tmp_path / "instances_train2015.json", values)
    with pytest.raises(InputError, match=message) as caught:
        read_hico_json(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe"])
def test_what_is_no_annotation_file_is_one_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "instances.json"
    path.write_bytes(content)
    for reader in (read_hico_json, *([] if content == b"[]" else [read_hico_ppdm])):
        with pytest.raises(InputError, match=r"instances.json: "):
            reader(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_hico_json(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r["annotations"][1].__setitem__("category_id", 12), r"annotations\[1\].category_id: 12 is no COCO"),
        (lambda r: r["hoi_annotation"][0].__setitem__("object_id", 4), r"hoi_annotation\[0\]: row 4 of 4 annotations"),
        (lambda r: r["hoi_annotation"][0].__setitem__("subject_id", 1), r"\[0\].subject_id: expected a person"),
        (lambda r: r["hoi_annotation"][1].__setitem__("category_id", 118), "category_id: expected 1 to 117, got 118"),
        (lambda r: r["hoi_annotation"][1].__setitem__("category_id", 24), "eat bicycle is no interaction of HICO-DET"),
        (lambda r: r["hoi_annotation"][1].__setitem__("hoi_category_id", 1), "hold bicycle is not interaction 1"),
        (lambda r: r["annotations"][0].__setitem__("bbox", [5, 5, 1, 1]), "subject_id.*inside out"),
        (lambda r: r["annotations"][0].pop("bbox"), r"record 0: annotations\[0\].bbox: field required"),
    ],
)
def test_a_malformed_ppdm_file_names_record_and_field(change, message: str, tmp_path: Path) -> None:
    rows = one.ppdm_values()
    change(rows[0])
    with pytest.raises(InputError, match=message):
        read_hico_ppdm(one.write_json(tmp_path / "test_hico.json", rows))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": 601}, r"bbox_train\[0\] \(a.jpg\) hoi\[1\]: id: expected 1 to 600, got 601"),
        ({"connection": np.array([[1, 2]])}, r"hoi\[1\]: connection: \(1, 2\) of 1 humans and 1 objects"),
        ({"bboxhuman": one.struct([{"x1": 1, "y1": 1, "x2": 5}])}, r"hoi\[1\] bboxhuman\[0\]: y2: field required"),
        ({"bboxhuman": one.struct([one.mat_box([9, 9, 1, 1])])}, r"record 0 \(a.jpg\): bboxhuman\[1\].*inside out"),
        (
            {"bboxhuman": one.struct([one.mat_box([1, 1, np.nan, 1])])},
            r"bboxhuman\[0\]: x2: expected one finite number",
        ),
    ],
)
def test_a_malformed_matlab_file_names_record_and_field(changes, message: str, tmp_path: Path) -> None:
    savemat(tmp_path / "anno_bbox.mat", one.mat_values(**changes))
    with pytest.raises(InputError, match=message):
        read_hico_mat(tmp_path / "anno_bbox.mat", "train")


def test_other_matlab_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "anno_bbox.mat"
    with pytest.raises(InputError, match=r"no such file; it comes with hico_20160224_det.tar.gz"):
        read_hico_mat(path, "train")
    path.write_bytes(b"MATLAB 7.3 and nonsense")
    with pytest.raises(InputError, match="cannot be read as a MATLAB file"):
        read_hico_mat(path, "train")
    savemat(path, one.mat_values())
    with pytest.raises(InputError, match="variable bbox_test is missing"):
        read_hico_mat(path, "test")
    values = one.mat_values()
    values["list_action"] = values["list_action"][:, :-1]
    savemat(path, values)
    with pytest.raises(InputError, match="list_action: expected the 600 interactions, each once; got 599"):
        read_hico_mat(path, "train")


def test_labels_of_whole_pictures_from_both_forms(tmp_path: Path) -> None:
    table = np.full((600, 2), np.nan)
    table[[5, 7], 0] = 1
    table[9, 0] = -1
    names = np.empty((2, 1), object)
    names[:, 0] = ["a.jpg", "b.jpg"]
    savemat(tmp_path / "anno.mat", {"anno_test": table, "list_test": names,
                                    "list_action": one.mat_values()["list_action"]})  # fmt: skip
    labels = read_hico_image_labels(tmp_path / "anno.mat", "test")
    assert labels.file_names == ("a.jpg", "b.jpg")
    assert np.argwhere(labels.positive).tolist() == [[0, 5], [0, 7]]
    path = one.write_json(tmp_path / "labels.json", {"filenames": ["a.jpg", "b.jpg"], "positive": [[5, 7], []]})
    assert np.array_equal(read_hico_image_labels(path, "test").positive, labels.positive)
    one.write_json(path, {"filenames": ["a.jpg"], "positive": [[600]]})
    with pytest.raises(InputError, match=r"record 0 \(a.jpg\): positive: expected 0 to 599"):
        read_hico_image_labels(path, "test")


def test_boxes_beyond_the_picture_are_counted_and_kept(tmp_path: Path) -> None:
    values = one.hico_values()
    values["size"][0] = [200, 480]
    read = read_hico_json(one.write_json(tmp_path / "a.json", values))
    assert read.outside_picture() == 2  # the dog and its walker
    assert read.pair_count == 3


def test_arrays_of_different_lengths_are_refused(tmp_path: Path) -> None:
    read = read_form("mat", tmp_path)
    with pytest.raises(ValueError, match=r"HoiAnnotations\.human_boxes_xyxy_px must have shape \(2, 4\)"):
        dataclasses.replace(read, verb_ids=np.zeros(2, np.int64))


@pytest.mark.shared
@pytest.mark.slow
def test_the_published_test_file(shared_path) -> None:
    read = read_hico_json(shared_path("hicodet/instances_test2015.json"))
    assert (len(read), read.pair_count, len(read.empty_images)) == (9658, 33405, 112)
    counts = np.bincount(read.interaction_ids, minlength=600)
    assert (len(counts), counts.min()) == (600, 2)
    assert read.outside_picture() == 0
    labels = read_hico_image_labels(shared_path("hicodet/hico_test_image_level_positive.json"), "test")
    assert labels.file_names == read.file_names
    boxed = np.zeros_like(labels.positive)
    boxed[read.image_rows, read.interaction_ids] = True
    assert not (boxed & ~labels.positive).any()
    assert (labels.positive & ~boxed).sum() == 240


@pytest.mark.shared
@pytest.mark.slow
def test_the_rebuilt_train_file(shared_path) -> None:
    read = read_hico_json(shared_path("hake/hico_det_train_from_hake.json"))
    assert (len(read), read.pair_count, len(read.empty_images)) == (38118, 117654, 485)
    assert np.flatnonzero(np.bincount(read.interaction_ids, minlength=600) < 10).tolist() == list(hico_rare())
    assert read.outside_picture() == 0
