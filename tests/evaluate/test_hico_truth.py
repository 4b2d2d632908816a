"""Annotation files of HICO-DET: read right, and every defect named."""

from pathlib import Path

import numpy as np
import pytest
from hico_cases import HUMAN, THING, annotation_file, class_of, ride_bicycle, truth_of, write_json

from videohoi.errors import InputError, TruthError
from videohoi.evaluate.hico.truth import known_objects_of, read_hico_truth, read_image_truth, read_known_objects
from videohoi.vocabulary import hico_det

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "hicodet"
RIDE = class_of("ride", "bicycle")
BICYCLE = hico_det().object_id("bicycle")


def test_a_file_gives_what_was_written(tmp_path):
    wanted = ride_bicycle()
    truth = read_hico_truth(annotation_file(tmp_path / "t.json", wanted))
    assert truth.image_names == wanted.image_names
    np.testing.assert_array_equal(truth.image_offsets, [0, 1, 2, 2])
    np.testing.assert_array_equal(truth.class_ids, [RIDE, RIDE])
    np.testing.assert_array_equal(truth.human_boxes_xyxy_px, [HUMAN, HUMAN])
    np.testing.assert_array_equal(truth.object_boxes_xyxy_px, [THING, THING])
    np.testing.assert_array_equal(truth.image_sizes_wh_px, [[640, 480]] * 3)


def good():
    return {"filenames": ["a.jpg"], "annotation": [{"hoi": [RIDE], "boxes_h": [HUMAN], "boxes_o": [THING]}]}


def changed(**fields):
    values = good()
    values["annotation"][0] |= fields
    return values


DEFECTS = {
    "no filenames": ({"annotation": []}, "filenames: field required"),
    "fewer annotations": ({**good(), "annotation": []}, "lengths differ: filenames 1, annotation 0"),
    "a picture twice": (
        {**good(), "filenames": ["a", "a"], "annotation": good()["annotation"] * 2},
        "expected every picture once, got 1 twice",
    ),
    "class too high": (changed(hoi=[600]), r"record 0 \(a.jpg\): hoi\[0\]: 600: expected 0 to 599"),
    "no boxes": (changed(boxes_o=None), r"annotation\[0\].boxes_o: input should be a valid array"),
    "a box missing": (changed(boxes_h=[]), r"record 0 \(a.jpg\): lengths differ: boxes_h 0, boxes_o 1, hoi 1"),
    "three numbers": (changed(boxes_h=[[1, 2, 3]]), r"annotation\[0\].boxes_h\[0\]\[3\]: field required"),
    "nan": (changed(boxes_h=[[1, 2, 3, float("nan")]]), r"annotation\[0\].boxes_h\[0\]\[3\]: input should be a finite"),
    "sizes": ({**good(), "size": []}, "lengths differ: filenames 1, annotation 1, size 0"),
    "rare": ({**good(), "rare": [700]}, "rare: expected the 138 rare classes, got 1 ids that are not these"),
    "only some verbs": (
        {"filenames": ["a", "b"], "annotation": [{**good()["annotation"][0], "verb": [0]}, good()["annotation"][0]]},
        r"record 1 \(b\): verb: expected a list, as in other records",
    ),
}


def test_a_list_is_taken_for_the_other_form(tmp_path):
    with pytest.raises(InputError, match=r"record 0: file_name: field required"):
        read_hico_truth(write_json(tmp_path / "t.json", [{}]))


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.replace(" ", "-"))
def test_every_defect_is_named(tmp_path, defect):
    values, message = DEFECTS[defect]
    path = write_json(tmp_path / "t.json", values)
    with pytest.raises(InputError, match=message) as caught:
        read_hico_truth(path)
    assert str(caught.value).startswith(str(path))


def test_image_level_labels(tmp_path):
    path = write_json(tmp_path / "l.json", {"filenames": ["b.jpg", "a.jpg"], "positive": [[], [RIDE, 0]]})
    labels = read_image_truth(path, ["a.jpg", "b.jpg"]).labels
    assert np.argwhere(labels == 1).tolist() == [[0, 0], [0, RIDE]]
    known = read_known_objects(path, ["a.jpg", "b.jpg"])
    assert known.in_image[0, BICYCLE]
    assert known.in_image.sum() == 2
    with pytest.raises(TruthError, match=r"c.jpg and 0 more pictures have no labels here"):
        read_known_objects(path, ["a.jpg", "c.jpg"])


def test_known_objects_of_the_boxes():
    known = known_objects_of(truth_of([[(RIDE, HUMAN, THING)], []]))
    assert np.argwhere(known.in_image).tolist() == [[0, BICYCLE]]


@pytest.mark.shared
def test_the_real_annotations():
    path = SHARED / "instances_test2015.json"
    if not path.is_file():
        pytest.skip(f"no real annotations at {path}")
    truth = read_hico_truth(path)
    assert (len(truth.image_names), len(truth)) == (9658, 33405)
    assert (np.diff(truth.image_offsets) == 0).sum() == 112
    assert truth.positives().min() == 2
    labels = SHARED / "hico_test_image_level_positive.json"
    if not labels.is_file():
        pytest.skip(f"no image-level labels at {labels}")
    known, boxes = read_known_objects(labels, truth.image_names), known_objects_of(truth)
    assert not (boxes.in_image & ~known.in_image).any()
