"""``videohoi eval hico`` takes its annotations and image-level labels from any of the published files."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from videohoi.cli import main
from videohoi.vocabulary import hico_det
from videohoi.vocabulary.shipped import coco_category_ids

sys.path += [str(Path(__file__).resolve().parents[1] / room) for room in ("evaluate", "datasets")]

from hico_cases import FAR, HUMAN, annotation_file, class_of, qpic_record, ride_bicycle, write_json
from one_picture import mat_box, struct

RIDE = class_of("ride", "bicycle")
VERB, BICYCLE = hico_det().interactions[RIDE]
TRUTH = ride_bicycle(2)
NAMES = TRUTH.image_names


def boxes(image):
    own = slice(TRUTH.image_offsets[image], TRUTH.image_offsets[image + 1])
    return list(zip(TRUTH.human_boxes_xyxy_px[own].tolist(), TRUTH.object_boxes_xyxy_px[own].tolist(), strict=True))


def ppdm(path):
    rows = []
    for image, name in enumerate(NAMES):
        things, deeds = [], []
        for human, thing in boxes(image):
            deeds.append({"subject_id": len(things), "object_id": len(things) + 1, "category_id": VERB + 1})
            things += [{"bbox": human, "category_id": 1}, {"bbox": thing, "category_id": coco_category_ids()[BICYCLE]}]
        rows.append({"file_name": name, "annotations": things, "hoi_annotation": deeds})
    return write_json(path, rows)


def actions():
    return struct([{"nname": hico_det().objects[thing], "vname": hico_det().verbs[verb]}
                   for verb, thing in hico_det().interactions])  # fmt: skip


def matlab(path):
    pictures = []
    for image, name in enumerate(NAMES):
        labels = [
            {"id": RIDE + 1, "bboxhuman": struct([mat_box(human)]), "bboxobject": struct([mat_box(thing)]),
             "connection": np.array([[1, 1]]), "invis": 0}
            for human, thing in boxes(image)
        ]  # fmt: skip
        size = struct([{"width": 640, "height": 480, "depth": 3}])
        pictures.append({"filename": name, "size": size, "hoi": struct(labels) if labels else np.zeros((0, 0))})
    savemat(path, {"bbox_test": struct(pictures), "list_action": actions()})
    return path


def matlab_labels(path, columns):
    """``columns``: for each picture the values of some interactions; others are unknown."""
    table, names = np.full((600, len(NAMES)), np.nan), np.empty((len(NAMES), 1), object)
    for image, values in enumerate(columns):
        names[image, 0] = NAMES[image]
        for class_id, value in values.items():
            table[class_id, image] = value
    savemat(path, {"anno_test": table, "list_test": names, "list_action": actions()})
    return path


@pytest.fixture
def found(tmp_path):
    records = [qpic_record(NAMES[0], 0.6), qpic_record(NAMES[1], 0.9, boxes=[HUMAN, FAR]), qpic_record(NAMES[2], 0.8)]
    return str(write_json(tmp_path / "found.json", records))


def figures(found, tmp_path, *options):
    out = tmp_path / "report.json"
    assert main(["eval", "hico", found, "--json", str(out), *map(str, options)]) == 0
    return json.loads(out.read_text())


@pytest.mark.parametrize("convention", ["official", "qpic", "pocket"])
def test_all_three_files_give_the_same_figures(found, tmp_path, convention):
    files = [annotation_file(tmp_path / "instances_test2015.json", TRUTH), ppdm(tmp_path / "test_hico.json"),
             matlab(tmp_path / "anno_bbox.mat")]  # fmt: skip
    results = [figures(found, tmp_path, "--truth", file, "--convention", convention) for file in files]
    means = [result["mean_average_precision"] for result in results]
    assert means[0] == means[1] == means[2]
    assert 0 < means[0]["default"]["full"] < 1


def test_labels_of_the_matlab_file_choose_the_pictures_of_known_objects(found, tmp_path):
    truth = annotation_file(tmp_path / "instances_test2015.json", TRUTH)
    labels = matlab_labels(tmp_path / "anno.mat", [{RIDE: 1}, {RIDE: -1}, {RIDE: 0}])
    record = figures(found, tmp_path, "--truth", truth, "--image-labels", labels)["mean_average_precision"]
    # only the first picture is known to hold a bicycle: its right prediction is the surest of those that count
    assert record["known_object"]["full"] == pytest.approx(6 / 11)
    assert record["default"]["full"] < record["known_object"]["full"]


def test_a_data_folder_may_be_that_of_the_published_archive(found, tmp_path, capsys):
    folder = tmp_path / "data" / "hico_20160224_det"
    folder.mkdir(parents=True)
    matlab(folder / "anno_bbox.mat")
    matlab_labels(folder / "anno.mat", [{RIDE: 1}] * 3)
    assert figures(found, tmp_path, "--data", tmp_path / "data")["settings"]["known objects"].endswith("anno.mat")
    assert main(["eval", "hico", found, "--data", str(tmp_path)]) == 2
    assert "no test annotations of HICO-DET in it or in its hicodet/" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content"), [("t.mat", b"nonsense"), ("t.json", b"[{}]"), ("t.json", b""), ("u", None)]
)
def test_a_file_that_is_no_annotation_is_one_line(found, tmp_path, capsys, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert main(["eval", "hico", found, "--truth", str(tmp_path / name)]) == 1
    err = capsys.readouterr().err
    assert name in err
    assert err.count("\n") == 1


def test_ambiguous_labels_count_neither_way_at_the_level_of_pictures(tmp_path):
    scores = [{"filename": name, "scores": [0.0] * 600} for name in NAMES]
    for row, value in zip(scores, (0.5, 0.9, 0.1), strict=True):
        row["scores"][RIDE] = value
    path, out = write_json(tmp_path / "s.json", scores), tmp_path / "r.json"
    for ambiguous, expected in ((0, 1.0), (-1, 0.5)):
        labels = matlab_labels(tmp_path / "anno.mat", [{RIDE: 1}, {RIDE: ambiguous}, {RIDE: -1}])
        assert main(["eval", "hico-images", str(path), "--image-labels", str(labels), "--json", str(out)]) == 0
        assert json.loads(out.read_text())["mean_average_precision"]["full"] == expected
    labels = matlab_labels(tmp_path / "anno.mat", [{RIDE: 1}] * 3)
    write_json(path, scores[:2])
    assert main(["eval", "hico-images", str(path), "--image-labels", str(labels)]) == 1
