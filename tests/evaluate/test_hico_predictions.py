"""Prediction files of every form give the same triplets; what is malformed is an error with file, record and field."""

import json
import pickle

import numpy as np
import pytest
from hico_cases import FAR, HUMAN, THING, class_of, qpic_record, ride_bicycle, write_json

from videohoi.errors import TruthError, UsageError
from videohoi.evaluate.hico.predictions import read_hico_predictions
from videohoi.vocabulary import hico_det

TRUTH = ride_bicycle(1)  # one picture with a rider, one without annotation
FIRST, SECOND = TRUTH.image_names
RIDE = class_of("ride", "bicycle")
WORDS = hico_det()
BICYCLE = WORDS.object_id("bicycle")


def read(path, **options):
    return read_hico_predictions(path, TRUTH, **options)


def ridden(read_file, score=0.9):
    """The one triplet with the given score, wherever it stands."""
    found = read_file.predictions
    row = int(np.argmax(found.scores))
    assert found.scores[row] == pytest.approx(score)
    assert (found.image_rows[row], found.class_ids[row]) == (0, RIDE)
    np.testing.assert_allclose(found.human_boxes_xyxy_px[row], HUMAN)
    np.testing.assert_allclose(found.object_boxes_xyxy_px[row], THING)
    return found


def gen_record():
    hois, objects = np.zeros((1, 600)), np.zeros((1, 80))
    hois[0, RIDE], objects[0, BICYCLE] = 0.5, 0.6
    boxes = {"boxes": [HUMAN, THING], "sub_ids": [0], "obj_ids": [1]}
    return {"filename": FIRST, **boxes, "hoi_scores": hois.tolist(), "obj_scores": objects.tolist()}


def pocket_record(**changes):
    alphabetical = sorted(WORDS.objects).index("bicycle")
    return {
        "filename": FIRST, "boxes": [HUMAN, THING], "pairing": [[0], [1]], "objects": [alphabetical],
        "labels": [WORDS.verb_id("ride")], "scores": [0.9], **changes,
    }  # fmt: skip


def listed_record(**changes):
    return {
        "file_name": FIRST,
        "predictions": [
            {"bbox": HUMAN, "category_id": WORDS.person_id},
            {"bbox": THING, "category_id": BICYCLE},
        ],
        "hoi_prediction": [
            {"subject_id": 0, "object_id": 1, "category_id": WORDS.verb_id("ride"), "score": 0.9, **changes}
        ],
    }


def sink_lines(frame=None, **interaction):
    header = {"type": "header", "contents": "frames", "source": {"source_id": FIRST}, "run": {}}
    boxes = [("person", HUMAN, 1), ("bicycle", THING, 2)]
    record = {
        "type": "frame",
        "frame_index": 0,
        "pts_seconds": 0.0,
        "detections": [
            {"track_id": track, "object_class": name, "box_xyxy_px": box, "score": 0.9} for name, box, track in boxes
        ],
        "interactions": [
            {"human_id": 1, "object_id": 2, "object_class": "bicycle", "observed": True, "verbs": {"ride": 0.9}}
            | interaction
        ],
        **(frame or {}),
    }
    return [header, record, {"type": "end", "complete": True}]


def write_lines(path, records):
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    return path


def test_qpic(tmp_path):
    result = read(write_json(tmp_path / "p.json", [qpic_record(FIRST)]), limit=100)
    ridden(result)
    assert result.form == "qpic"
    assert result.notes == ("pictures without a record, scored as without predictions: 1",)


def test_qpic_pickled_as_arrays(tmp_path):
    record = {name: np.array(v) if name != "filename" else v for name, v in qpic_record(FIRST).items()}
    (tmp_path / "p.pkl").write_bytes(pickle.dumps([record]))
    ridden(read(tmp_path / "p.pkl", limit=100))


def test_a_table_without_limit_keeps_every_possible_verb(tmp_path):
    found = ridden(read(write_json(tmp_path / "p.json", [qpic_record(FIRST)])))
    assert len(found) == WORDS.valid[BICYCLE].sum()


def test_gen_adds_the_square_of_the_object(tmp_path):
    result = read(write_json(tmp_path / "p.json", [gen_record()]), limit=100)
    ridden(result, 0.5 + 0.6**2)
    assert len(result.predictions) == 100


def test_pocket_in_hico_order(tmp_path):
    ridden(read(write_json(tmp_path / "p.json", [pocket_record()]), object_order="hico"))


def test_pocket_boxes_in_the_pixels_of_the_network(tmp_path):
    boxes = [[2 * v for v in HUMAN], [2 * v for v in THING]]
    record = pocket_record(boxes=boxes, size=[960, 1280])
    ridden(read(write_json(tmp_path / "p.json", [record]), object_order="hico"))


def test_the_list_of_an_evaluator(tmp_path):
    ridden(read(write_json(tmp_path / "p.json", [listed_record()])))


def test_our_own_frames(tmp_path):
    result = read(write_lines(tmp_path / "frames.jsonl", sink_lines()))
    ridden(result)
    assert result.form == "sink"


def test_our_own_runs_in_folders(tmp_path):
    folder = tmp_path / "run" / "picture.videohoi"
    folder.mkdir(parents=True)
    write_lines(folder / "frames.jsonl", sink_lines())
    ridden(read(tmp_path / "run"))


def test_a_picture_named_in_its_frame(tmp_path):
    lines = sink_lines({"image": FIRST})
    ridden(read(write_lines(tmp_path / "p.jsonl", lines[1:])))


def test_pairs_that_were_not_seen_are_counted(tmp_path):
    result = read(write_lines(tmp_path / "p.jsonl", sink_lines(human_id=7, observed=False)))
    assert len(result.predictions) == 0
    assert "interactions of pairs without boxes in their frame, which cannot be scored: 1" in result.notes


def test_records_without_names_stand_in_order(tmp_path):
    records = [qpic_record(FIRST), qpic_record(SECOND)]
    for record in records:
        del record["filename"]
    found = read(write_json(tmp_path / "p.json", records), limit=1).predictions
    np.testing.assert_array_equal(found.image_rows, [0, 1])


def test_a_picture_by_its_number(tmp_path):
    record = qpic_record(FIRST) | {"image_id": 1}
    del record["filename"]
    ridden(read(write_json(tmp_path / "p.json", [record]), limit=1))


def without(record, name):
    return {key: value for key, value in record.items() if key != name}


NAN_BOX = [float("nan"), 0.0, 1.0, 1.0]
MALFORMED = {
    "missing key": (without(qpic_record(FIRST), "sub_ids"), "record 0: sub_ids: expected .* it is missing"),
    "missing name": (without(qpic_record(FIRST), "filename"), "record 0: filename: expected .* it is missing"),
    "NaN box": (
        qpic_record(FIRST, boxes=[HUMAN, NAN_BOX]),
        r"record 0: boxes: expected finite numbers, got nan at \[1, 0\]",
    ),
    "NaN score": (qpic_record(FIRST, score=float("nan")), "record 0: verb_scores: expected finite numbers"),
    "turned box": (qpic_record(FIRST, boxes=[HUMAN, [50, 5, 10, 9]]), "record 0: boxes: expected corners x1 <= x2"),
    "three numbers a box": (qpic_record(FIRST, boxes=[[1, 2, 3]]), r"boxes: expected numbers of shape \(any, 4\)"),
    "unknown class": (
        qpic_record(FIRST, labels=[0, 80]),
        "record 0: labels: expected object ids in coco order from 0 to 79",
    ),
    "half a class": (qpic_record(FIRST, labels=[0, 1.5]), r"record 0: labels: .* got 1.5 at \[1\]"),
    "picture not in the set": (
        qpic_record("other.jpg"),
        "record 0: filename: expected one of the 2 pictures .* got other.jpg",
    ),
    "box outside": (
        qpic_record(FIRST, boxes=[HUMAN, [60, 100, 700, 199]]),
        "record 0: boxes: expected boxes inside the 640x480",
    ),
    "row of no box": (qpic_record(FIRST, obj_ids=[2]), "record 0: obj_ids: expected rows of boxes from 0 to 1"),
    "verbs of another set": (
        qpic_record(FIRST, verb_scores=[[0.5] * 29]),
        r"verb_scores: .*\(1, 117\), got shape \(1, 29\)",
    ),
    "hico order": (qpic_record(FIRST, labels=[49, 9]), "record 0: labels: expected person .*--object-order hico"),
    "coco ids": (qpic_record(FIRST, labels=[1, 2]), "record 0: labels: expected person .*--object-order coco91"),
    "words for numbers": (qpic_record(FIRST, labels=["person", "bicycle"]), "record 0: labels: expected numbers"),
    "not a record": ([1], "record 0: expected an object with named fields, got list"),
    "unknown form": ({"filename": FIRST}, "record 0: unknown form; expected a field such as verb_scores"),
    "gen without objects": (without(gen_record(), "obj_scores"), "record 0: obj_scores: expected"),
    "pocket in the wrong order": (
        pocket_record(),
        "record 0: objects: .*they fit the hico order: give --object-order hico",
    ),
    "pocket verb": (pocket_record(labels=[117]), "record 0: labels: expected verb ids from 0 to 116"),
    "pocket pairing": (pocket_record(pairing=[[0], [3]]), "record 0: pairing: expected rows of boxes from 0 to 1"),
    "pocket size": (pocket_record(size=[0, 5]), "record 0: size: expected a height and width above 0"),
    "listed verb": (listed_record(category_id=200), r"record 0: hoi_prediction\[0\]: category_id: expected verb ids"),
    "listed score": (listed_record(score=None), r"record 0: hoi_prediction\[0\]: score: expected"),
}


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case.replace(" ", "-"))
def test_malformed_records_are_errors(tmp_path, case):
    record, message = MALFORMED[case]
    path = write_json(tmp_path / "p.json", [record])
    with pytest.raises(TruthError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


MALFORMED_LINES = {
    "unknown object": (sink_lines(object_class="bycicle"), "line 2: .*object_class: unknown object .*bicycle"),
    "unknown verb": (sink_lines(verbs={"rid": 0.5}), "line 2: .*verbs: unknown verb .*ride"),
    "pair without a class": (
        sink_lines(verbs={"eat": 0.5}),
        "line 2: .*verbs: expected verbs that .* has with bicycle",
    ),
    "score null": (sink_lines(verbs={"ride": None}), "line 2: .*ride: expected"),
    "no detection of the track": (sink_lines(human_id=5), "line 2: .*human_id: expected the track_id of a detection"),
    "no interactions": (
        [without(sink_lines()[1], "interactions") | {"image": FIRST}],
        "line 1: interactions: expected a list",
    ),
    "two frames of a picture": ([*sink_lines()[:2], sink_lines()[1]], "line 3: image: expected every picture once"),
    "no name": (sink_lines()[1:], "line 1: filename: expected the file name of a picture"),
    "unknown record": ([{"type": "fraim"}], "line 1: type: expected header, frame, event or end"),
}


@pytest.mark.parametrize("case", MALFORMED_LINES, ids=lambda case: case.replace(" ", "-"))
def test_malformed_lines_are_errors(tmp_path, case):
    lines, message = MALFORMED_LINES[case]
    path = write_lines(tmp_path / "p.jsonl", lines)
    with pytest.raises(TruthError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_broken_line_and_an_empty_folder_are_errors(tmp_path):
    (tmp_path / "p.jsonl").write_text('{"type": "frame"\n', encoding="utf-8")
    with pytest.raises(TruthError, match="line 1: expected a JSON object"):
        read(tmp_path / "p.jsonl")
    (tmp_path / "run").mkdir()
    with pytest.raises(TruthError, match=r"no frames.jsonl"):
        read(tmp_path / "run")


def test_a_file_that_is_none_of_the_forms_is_an_error(tmp_path):
    with pytest.raises(TruthError, match="cannot be read as JSON"):
        read(tmp_path / "absent.json")
    with pytest.raises(TruthError, match="expected a list with a record for each picture, got dict"):
        read(write_json(tmp_path / "p.json", {}))


class Harmful:
    def __reduce__(self):
        return (print, ("this must not run",))


def test_a_pickle_runs_nothing(tmp_path, capsys):
    (tmp_path / "p.pkl").write_bytes(pickle.dumps([Harmful()]))
    with pytest.raises(TruthError, match=r"it holds builtins\.print; only lists"):
        read(tmp_path / "p.pkl")
    assert "must not run" not in capsys.readouterr().out


def test_two_records_of_a_picture_are_an_error(tmp_path):
    path = write_json(tmp_path / "p.json", [qpic_record(FIRST)] * 3)
    with pytest.raises(
        TruthError, match=r"record 1: filename: expected every picture once \(it is in record 0 as well\)"
    ):
        read(path)


def test_boxes_outside_may_be_kept_or_clipped_and_are_counted(tmp_path):
    path = write_json(tmp_path / "p.json", [qpic_record(FIRST, boxes=[HUMAN, [60, 100, 700, 199]])])
    kept, clipped = read(path, outside="keep", limit=1), read(path, outside="clip", limit=1)
    np.testing.assert_allclose(kept.predictions.object_boxes_xyxy_px[0], [60, 100, 700, 199])
    np.testing.assert_allclose(clipped.predictions.object_boxes_xyxy_px[0], [60, 100, 640, 199])
    assert "boxes that leave their picture, kept: 1" in kept.notes
    assert "boxes that leave their picture, clipped: 1" in clipped.notes
    with pytest.raises(UsageError, match="expected one of error, keep, clip, got 'drop'"):
        read(path, outside="drop")


def test_an_unknown_order_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="object order: expected one of coco, hico, coco91"):
        read(write_json(tmp_path / "p.json", [qpic_record(FIRST)]), object_order="lvis")


def test_a_record_without_pairs_is_no_prediction(tmp_path):
    record = qpic_record(FIRST, boxes=[FAR], labels=[0], sub_ids=[], obj_ids=[], verb_scores=[])
    path = write_json(tmp_path / "p.json", [record])
    assert len(read(path).predictions) == 0
