"""Every prediction form against every defect: the error names file, record and field; nothing is dropped in silence."""

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hico_cases import HUMAN, THING, annotation_file, class_of, qpic_record, ride_bicycle, write_json
from vcoco_cases import write_case
from vidhoi_cases import OBJECTS, PREDICATES, frames

from videohoi.errors import InputError, TruthError
from videohoi.evaluate.detection.coco_results import read_coco_results, read_coco_truth
from videohoi.evaluate.hico.image_level import read_image_scores
from videohoi.evaluate.hico.predictions import read_hico_predictions
from videohoi.evaluate.hico.truth import read_hico_truth
from videohoi.evaluate.prediction_record import ReadingNotes
from videohoi.evaluate.safe_pickle import read_pickle
from videohoi.evaluate.vcoco.files import read_vcoco_truth, read_vsrl_predictions
from videohoi.evaluate.vidhoi.frames import read_vidhoi_frames
from videohoi.vocabulary import hico_det

WORDS = hico_det()
TRUTH = ride_bicycle(1)
PICTURE = TRUTH.image_names[0]
BICYCLE, RIDE = WORDS.object_id("bicycle"), WORDS.verb_id("ride")
NAN = float("nan")
FAR_OUT = [60.0, 100.0, 5000.0, 199.0]


def qpic():
    return [qpic_record(PICTURE)]


def gen():
    hois, things = np.zeros((1, 600)), np.zeros((1, 80))
    hois[0, class_of("ride", "bicycle")] = 0.5
    return [{"filename": PICTURE, "boxes": [HUMAN, THING], "sub_ids": [0], "obj_ids": [1],
             "hoi_scores": hois.tolist(), "obj_scores": things.tolist()}]  # fmt: skip


def pocket():
    return [{"filename": PICTURE, "boxes": [HUMAN, THING], "pairing": [[0], [1]], "objects": [BICYCLE],
             "labels": [RIDE], "scores": [0.9]}]  # fmt: skip


def listed():
    boxes = [{"bbox": HUMAN, "category_id": WORDS.person_id}, {"bbox": THING, "category_id": BICYCLE}]
    pair = {"subject_id": 0, "object_id": 1, "category_id": RIDE, "score": 0.9}
    return [{"filename": PICTURE, "predictions": boxes, "hoi_prediction": [pair]}]


def sink():
    seen = [{"track_id": 1, "object_class": "person", "box_xyxy_px": HUMAN, "score": 0.9},
            {"track_id": 2, "object_class": "bicycle", "box_xyxy_px": THING, "score": 0.9},
            {"track_id": -1, "object_class": "dog", "box_xyxy_px": HUMAN, "score": 0.1},
            {"track_id": -1, "object_class": "dog", "box_xyxy_px": THING, "score": 0.1}]  # fmt: skip
    pair = {"human_id": 1, "object_id": 2, "object_class": "bicycle", "observed": True, "verbs": {"ride": 0.9}}
    return [{"type": "frame", "image": PICTURE, "detections": seen, "interactions": [pair]}]


def read_hico(path, order="coco"):
    return read_hico_predictions(path, TRUTH, object_order=order)


def hico(records, order="coco"):
    def call(folder, change):
        found = copy.deepcopy(records())
        change(found[0])
        if records is sink:
            path = folder / "found.jsonl"
            path.write_text("".join(json.dumps(record) + "\n" for record in found), encoding="utf-8")
        else:
            path = write_json(folder / "found.json", found)
        return path, lambda: read_hico(path, order)

    return call


def vsrl(folder, change):
    annotations, instances, found, _ = write_case(folder)
    values = read_pickle(found)[:1]  # others reach out of their pictures
    change(values[0])
    path = write_json(folder / "found.json", values)
    return path, lambda: read_vsrl_predictions(path, read_vcoco_truth(annotations, instances))


def coco(folder, change):
    truth = write_json(folder / "truth.json", {
        "images": [{"id": 7, "width": 640, "height": 480}], "categories": [{"id": 1, "name": "person"}],
        "annotations": [{"image_id": 7, "category_id": 1, "bbox": [10, 10, 50, 80], "iscrowd": 0}],
    })  # fmt: skip
    record = {"image_id": 7, "category_id": 1, "bbox": [10, 10, 50, 80], "score": 0.9}
    change(record)
    path = write_json(folder / "found.json", [record])
    return path, lambda: read_coco_results(path, read_coco_truth(truth))


def vidhoi(folder, change):
    found = frames(2)
    change(found[0])
    path = write_json(folder / "found.json", found)
    return path, lambda: read_vidhoi_frames(path, OBJECTS, PREDICATES, person_id=0)


def image_level(folder, change):
    record = {"filename": "a.jpg", "scores": [0.1] * 4}
    change(record)
    path = write_json(folder / "found.json", [record])
    return path, lambda: read_image_scores(path, ("a.jpg",), 4)


def put(field, value):
    return lambda record: record.update({field: value})


def drop(field):
    return lambda record: record.pop(field)


def inside(*places, value=None, gone=False):
    """Change what lies at the end of ``places``."""

    def change(record):
        for place in places[:-1]:
            record = record[place]
        if gone:
            del record[places[-1]]
        else:
            record[places[-1]] = value

    return change


ROLE = "ride_instr"
ALIKE = {
    "missing key": {
        "qpic": (hico(qpic), drop("labels"), "labels: .* it is missing"),
        "gen": (hico(gen), drop("boxes"), "boxes: .* it is missing"),
        "pocket": (hico(pocket), drop("scores"), "scores: .* it is missing"),
        "listed": (hico(listed), inside("predictions", 1, "bbox", gone=True), r"predictions\[1\]: bbox: .*missing"),
        "sink": (hico(sink), inside("detections", 0, "track_id", gone=True), r"detections\[0\]: track_id: .*missing"),
        "vsrl": (vsrl, drop(ROLE), f"{ROLE}: .* it is missing"),
        "coco": (coco, drop("score"), "score: .* it is missing"),
        "vidhoi": (vidhoi, drop("pair_idxes"), "pair_idxes: .* it is missing"),
        "image level": (image_level, drop("scores"), "scores: .* it is missing"),
    },
    "NaN": {
        "qpic": (hico(qpic), put("boxes", [HUMAN, [NAN] * 4]), "boxes: expected finite numbers"),
        "gen": (hico(gen), put("boxes", [[NAN] * 4, THING]), "boxes: expected finite numbers"),
        "pocket": (hico(pocket), put("boxes", [HUMAN, [1, 2, NAN, 4]]), "boxes: expected finite numbers"),
        "listed": (hico(listed), inside("predictions", 0, "bbox", 2, value=NAN), r"predictions\[0\]: bbox: .*finite"),
        "sink": (hico(sink), inside("detections", 1, "box_xyxy_px", 0, value=NAN), "box_xyxy_px: expected finite"),
        "vsrl": (vsrl, put("person_box", [1, NAN, 5, 5]), "person_box: expected finite numbers"),
        "vsrl role": (vsrl, put(ROLE, [1, NAN, 5, 5, 0.5]), f"{ROLE}: expected a box of four finite numbers"),
        "coco": (coco, put("bbox", [1, 2, NAN, 4]), "bbox: expected finite numbers"),
        "vidhoi": (vidhoi, inside("bboxes", 1, value=[NAN] * 4), "bboxes: expected finite numbers"),
        "image level": (image_level, put("scores", [0.1, NAN, 0, 0]), "scores: expected finite numbers"),
    },
    "unknown class": {
        "qpic object": (hico(qpic), put("labels", [0, 80]), "labels: expected object ids in coco order from 0 to 79"),
        "qpic verbs": (hico(qpic), put("verb_scores", [[0.1] * 118]), "verb_scores: expected numbers of shape"),
        "gen": (hico(gen), put("hoi_scores", [[0.1] * 601]), "hoi_scores: expected numbers of shape"),
        "pocket verb": (hico(pocket), put("labels", [117]), "labels: expected verb ids from 0 to 116"),
        "pocket object": (hico(pocket), put("objects", [80]), "objects: expected object ids"),
        "pocket pair": (hico(pocket), put("labels", [WORDS.verb_id("eat")]), "objects: expected objects that go with"),
        "listed": (hico(listed), inside("hoi_prediction", 0, "category_id", value=117), "category_id: expected verb"),
        "listed object": (
            hico(listed), inside("predictions", 1, "category_id", value=-1), r"predictions.category_id: .*-1 at \[1\]"
        ),
        "sink verb": (hico(sink), inside("interactions", 0, "verbs", value={"rode": 0.5}), "unknown verb .*ride"),
        "sink object": (hico(sink), inside("detections", 1, "object_class", value="bicicle"), "unknown object .*bicy"),
        "vsrl": (vsrl, put("fly_agent", 0.5), "fly_agent: expected an action and role of the truth file"),
        "coco": (coco, put("category_id", 2), "category_id: expected a category of the truth file"),
        "coco half": (coco, put("category_id", 1.5), "category_id: expected a whole number from 0, got 1.5"),
        "vidhoi": (vidhoi, inside("pred_labels", 4, value=OBJECTS), "pred_labels: expected object classes from 0"),
        "image level": (image_level, put("scores", [0.1] * 5), r"scores: expected numbers of shape \(4\)"),
    },
    "picture that is not in the set": {
        **{
            form.__name__: (hico(form), put(field, "HICO_test2015_00000099.jpg"), f"{field}: expected one of the 2")
            for form, field in ((qpic, "filename"), (gen, "filename"), (pocket, "filename"), (listed, "filename"),
                                (sink, "image"))
        },
        "vsrl": (vsrl, put("image_id", 99), "image_id: expected one of the 12 pictures"),
        "coco": (coco, put("image_id", 8), "image_id: expected one of the 1 pictures"),
        "coco text": (coco, put("image_id", "7"), "image_id: expected numbers"),
        "vidhoi": (vidhoi, drop("video_name"), "video_name: expected .* it is missing"),
        "image level": (image_level, put("filename", "b.jpg"), "filename: expected one of the 1 pictures"),
    },
    "box outside": {
        "qpic": (hico(qpic), put("boxes", [HUMAN, FAR_OUT]), "boxes: expected boxes inside the 640x480 picture"),
        "gen": (hico(gen), put("boxes", [HUMAN, FAR_OUT]), "boxes: expected boxes inside the 640x480 picture"),
        "pocket": (hico(pocket), put("boxes", [HUMAN, FAR_OUT]), "boxes: expected boxes inside the 640x480 picture"),
        "listed": (hico(listed), inside("predictions", 1, "bbox", value=FAR_OUT), "predictions.bbox: .*inside the 640"),
        "sink": (hico(sink), inside("detections", 1, "box_xyxy_px", value=FAR_OUT), r"\[1\]: box_xyxy_px: .*inside"),
        "vsrl": (vsrl, put("person_box", FAR_OUT), "person_box: expected boxes inside the 520x480 picture"),
        "vsrl role": (vsrl, put(ROLE, [*FAR_OUT, 0.5]), f"{ROLE}: expected boxes inside the 520x480 picture"),
        "coco": (coco, put("bbox", [10, 10, 900, 20]), "bbox: expected boxes inside the 640x480 picture"),
        "turned qpic": (hico(qpic), put("boxes", [HUMAN, [9, 9, 1, 1]]), "boxes: expected corners x1 <= x2"),
        "turned vidhoi": (vidhoi, inside("bboxes", 0, value=[9, 9, 1, 1]), "bboxes: expected corners x1 <= x2"),
    },
    "object order": {
        "qpic": (hico(qpic), put("labels", [49, 9]), "labels: expected person .*--object-order hico"),
        "qpic coco91": (hico(qpic), put("labels", [1, 2]), "labels: expected person .*--object-order coco91"),
        "pocket": (
            hico(pocket), put("objects", [sorted(WORDS.objects).index("bicycle")]),
            "objects: expected objects that go with their verbs; they fit the hico order",
        ),
        "listed": (hico(listed, "hico"), lambda _: None, r"category_id: expected person \(49 in hico order"),
        "sink": (hico(sink), inside("detections", 0, "object_class", value="dog"), "human_id: expected the track of a"),
        "sink pair": (
            hico(sink), inside("interactions", 0, "object_class", value="motorcycle"),
            "object_class: expected bicycle, the class of detection 2",
        ),
        "vidhoi": (vidhoi, inside("pred_labels", 0, value=2), "pred_labels: expected class 0, a person, for the human"),
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("defect", "form"), [(defect, form) for defect, forms in ALIKE.items() for form in forms], ids=str
)
def test_a_defect_names_file_record_and_field(tmp_path, defect, form):
    make, change, message = ALIKE[defect][form]
    path, read = make(tmp_path, change)
    with pytest.raises(TruthError, match=message) as caught:
        read()
    text = str(caught.value)
    assert text.startswith((f"{path}: record 0: ", f"{path}: line 1: "))
    assert "\n" not in text


FORMS = [*(hico(form) for form in (qpic, gen, pocket, listed, sink)), vsrl, coco, vidhoi, image_level]


@pytest.mark.parametrize("form", FORMS)
def test_without_a_defect_every_form_is_read(tmp_path, form):
    _, read = form(tmp_path, lambda _: None)
    assert read() is not None


@pytest.mark.parametrize("value", [["1", "2"], "12", [True, "x"], {}, None])
def test_text_is_never_a_number(tmp_path, value):
    _, read = hico(qpic)(tmp_path, put("labels", value))
    with pytest.raises(TruthError, match=r"record 0: labels: expected"):
        read()


def test_one_name_missing_among_named_records_is_an_error_and_not_a_position(tmp_path):
    records = [qpic_record(name) for name in TRUTH.image_names]
    del records[1]["filename"]
    with pytest.raises(TruthError, match="record 1: filename: expected the file name"):
        read_hico(write_json(tmp_path / "found.json", records))


def test_a_track_twice_in_a_frame_is_an_error(tmp_path):
    _, read = hico(sink)(tmp_path, inside("detections", 1, "track_id", value=1))
    with pytest.raises(TruthError, match=r"line 1: detections\[1\]: track_id: expected every track once in a frame"):
        read()


def test_a_run_that_was_cut_off_is_told(tmp_path):
    header = {"type": "header", "source": {"source_id": PICTURE}}
    for ends, told in (([{"type": "end", "complete": True}], 0), ([{"type": "end", "complete": False}], 1), ([], 1)):
        path = tmp_path / "found.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in (header, *sink(), *ends)), encoding="utf-8")
        notes = [line for line in read_hico(path).notes if line.startswith("runs that were interrupted")]
        assert len(notes) == told


def test_frames_that_lists_leave_out_are_counted(tmp_path):
    path = write_json(tmp_path / "found.json", frames(3, gone=True))
    notes = ReadingNotes()
    only = {"0001/1234_000030", "0001/1234_000999"}
    found = read_vidhoi_frames(path, OBJECTS, PREDICATES, only=only, notes=notes)
    gone = int((~found[0].exists).sum())
    assert notes.counts == {
        "frames left out by the lists of frames": 2, "frames to keep that the file does not have": 1,
        "annotated pairs that are gone at the horizon": gone,
    }  # fmt: skip
    assert gone > 0


def test_boxes_outside_may_be_kept_or_clipped_in_coco_and_vsrl_files(tmp_path: Path):
    coco(tmp_path, put("bbox", [600, 10, 100, 20]))
    truth = read_coco_truth(tmp_path / "truth.json")
    for rule, right in (("keep", 700.0), ("clip", 640.0)):
        notes = ReadingNotes()
        found = read_coco_results(tmp_path / "found.json", truth, rule, notes)
        assert found[0].boxes_xyxy_px[0].tolist() == [600, 10, right, 30]
        assert list(notes.counts.values()) == [1]
    annotations, instances, found_file, _ = write_case(tmp_path)
    people = read_vcoco_truth(annotations, instances)
    values = read_pickle(found_file)[:1]
    values[0][ROLE] = [10.0, 10.0, 600.0, 100.0, 0.5]
    notes = ReadingNotes()
    kept = read_vsrl_predictions(write_json(tmp_path / "v.json", values), people, "clip", notes)
    assert kept.role_boxes_xyxy_px[0, 2, 0].tolist() == [10, 10, 520, 100]
    assert list(notes.counts.values()) == [1]


def test_a_pickle_that_is_cut_off_is_one_error(tmp_path):
    whole = pickle.dumps([{"boxes": np.zeros((2, 4)), "filename": "a.jpg"}])
    path = tmp_path / "found.pkl"
    for end in (0, 5, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(TruthError, match=r"found.pkl: cannot be read as a pickle") as caught:
            read_pickle(path)
        assert "\n" not in str(caught.value)
    path.write_bytes(whole.replace(b"numpy", b"mumpy"))
    with pytest.raises(TruthError, match=r"found.pkl: cannot be read as a pickle: it holds mumpy"):
        read_pickle(path)


BAD_TRUTHS = {
    "name": (lambda v: v["filenames"].__setitem__(1, []), r"filenames\[1\]: input should be a valid string, got \[\]"),
    "size": (lambda v: v["size"].__setitem__(1, [10**30, 5]), r"size\[1\]\[0\]: input should be less than"),
    "half a size": (
        lambda v: v["size"].__setitem__(0, [5.5, 5]),
        r"size\[0\]\[0\]: input should be a valid integer, got 5.5",
    ),
    "ragged": (
        lambda v: v["annotation"][0].update(hoi=[1, [2]]),
        r"annotation\[0\].hoi\[1\]: input should be a valid integer, got \[2\]",
    ),
    "turned": (
        lambda v: v["annotation"][0].update(boxes_o=[[9, 9, 1, 1]]),
        r"record 0 .*: boxes_o\[0\]: the box is inside out",
    ),
    "words": (
        lambda v: v["annotation"][0].update(boxes_h=[["1", "2", "3", "4"]]),
        r"annotation\[0\].boxes_h\[0\]\[0\]: input should be a valid number",
    ),
}


@pytest.mark.parametrize("name", BAD_TRUTHS)
def test_malformed_annotations_are_one_error(tmp_path, name):
    change, message = BAD_TRUTHS[name]
    path = annotation_file(tmp_path / "truth.json", TRUTH)
    values = json.loads(path.read_text())
    change(values)
    write_json(path, values)
    with pytest.raises(InputError, match=message):
        read_hico_truth(path)
