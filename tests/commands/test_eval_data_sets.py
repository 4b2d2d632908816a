"""``videohoi eval hico|vcoco|vidhoi``: table, JSON, page; bad input is one line."""

import json
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from videohoi.cli import main

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "evaluate"))

from hico_cases import FAR, HUMAN, annotation_file, class_of, qpic_record, ride_bicycle, write_json
from vcoco_cases import write_case

RIDE = class_of("ride", "bicycle")
VOID = {"meta", "rect", "line", "polyline"}


class Page(HTMLParser):
    """Tags that are open, and what the page would load."""

    def __init__(self, text):
        super().__init__()
        self.open, self.loads, self.seen = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        self.loads += [value for name, value in attributes if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def hico(tmp_path):
    truth = ride_bicycle(2)
    first, second, empty = truth.image_names
    records = [qpic_record(first, 0.9), qpic_record(second, 0.6, boxes=[HUMAN, FAR]), qpic_record(empty, 0.8)]
    return [
        "eval", "hico", str(write_json(tmp_path / "found.json", records)),
        "--truth", str(annotation_file(tmp_path / "truth.json", truth)),
    ]  # fmt: skip


def test_hico_as_table_json_and_page(hico, tmp_path, capsys):
    files = ["--json", str(tmp_path / "r.json"), "--html", str(tmp_path / "r.html")]
    assert main([*hico, "--convention", "qpic", "--split", "rf-uc", *files]) == 0
    out = capsys.readouterr().out
    assert "HICO-DET, convention qpic" in out
    assert "known_object" in out
    assert "U-R@3" in out
    record = json.loads((tmp_path / "r.json").read_text())
    # one of two annotations found by the surest prediction: recalls to 0.5
    assert record["mean_average_precision"]["default"]["full"] == pytest.approx(6 / 11, abs=1e-6)
    assert record["average_precision"]["default"]["ride bicycle"] == pytest.approx(6 / 11, abs=1e-6)
    assert record["mean_average_precision"]["default"]["rare"] is None
    assert record["average_precision"]["default"]["hold cat"] is None
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert not page.open
    assert not page.loads
    assert "script" not in page.seen
    assert page.seen.count("svg") == 3


def test_uc_is_five_folds_with_their_mean(hico, tmp_path, capsys):
    whole = tmp_path / "uc.json"
    assert main([*hico, "--split", "UC", "--json", str(whole)]) == 0
    assert "Unseen and seen classes of the UC folds" in capsys.readouterr().out
    folds = json.loads(whole.read_text())["uc_folds"]
    assert set(folds) == {"uc0", "uc1", "uc2", "uc3", "uc4", "mean", "standard deviation"}
    for name in ("uc0", "uc3"):
        assert main([*hico, "--split", name, "--json", str(tmp_path / "fold.json")]) == 0
        means = json.loads((tmp_path / "fold.json").read_text())["mean_average_precision"]["default"]
        assert [folds[name]["default, unseen"], folds[name]["default, seen"]] == [means["unseen"], means["seen"]]


def test_the_convention_decides_about_a_picture_without_annotation(hico, tmp_path):
    assert main([*hico, "--convention", "gen", "--json", str(tmp_path / "r.json")]) == 0
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["predictions_left_out"] == 0
    assert record["mean_average_precision"]["default"]["full"] == pytest.approx(6 / 11, abs=1e-6)


def test_annotations_may_come_from_a_data_folder(hico, tmp_path, monkeypatch, capsys):
    (tmp_path / "hicodet").mkdir()
    (tmp_path / "truth.json").rename(tmp_path / "hicodet" / "instances_test2015.json")
    monkeypatch.setenv("VIDEOHOI_DATA", str(tmp_path))
    assert main(hico[:3]) == 0
    monkeypatch.delenv("VIDEOHOI_DATA")
    assert main(hico[:3]) == 2
    assert "no annotations: give --truth" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--convention", "qpik"], 2, "unknown convention 'qpik'"),
        (["--split", "rf-ux"], 2, "unknown split"),
        (["--object-order", "hico"], 1, "record 0: labels: expected person"),
        (["--outside", "drop"], 2, "expected one of error, keep, clip"),
        (["--image-labels", "absent.json"], 1, "absent.json: cannot be read (No such file or directory)"),
    ],
)
def test_wrong_input_is_one_line(hico, capsys, options, code, message):
    assert main([*hico, *options]) == code
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_vcoco(tmp_path, capsys):
    annotations, instances, found, _ = write_case(tmp_path)
    page = tmp_path / "r.html"
    arguments = ["eval", "vcoco", str(found), "--truth", str(annotations), "--coco", str(instances)]
    assert main(arguments) == 1
    assert "expected boxes inside the 520x480 picture (see --outside keep|clip)" in capsys.readouterr().err
    arguments += ["--outside", "keep"]
    assert main([*arguments, "--json", str(tmp_path / "r.json"), "--html", str(page)]) == 0
    out = capsys.readouterr().out
    assert "role, scenario 2" in out
    assert "boxes that leave their picture, kept: " in out
    means = json.loads((tmp_path / "r.json").read_text())["means"]
    assert means["role, scenario 1"] == pytest.approx(
        (0.07916667 + 0.05454545 + 0.11111111 + 0.13627451 + 0.17879627) / 5, abs=1e-6
    )
    assert not Page(page.read_text(encoding="utf-8")).open


def vidhoi_record(number):
    truth, scores = [[0] * 50], [[0.0] * 50]
    truth[0][3] = 1
    scores[0][3] = 0.9
    boxes = {"bboxes": [HUMAN, FAR], "bboxes_gt": [HUMAN, FAR]}
    return {
        "video_name": "1/2", "frame_id": str(number), **boxes, "pred_labels": [0, 5], "labels_gt": [0, 5],
        "confidences": [0.9, 0.8], "pair_idxes": [[0, 1]], "pair_idxes_gt": [[0, 1]],
        "interaction_distribution": scores, "interactions_gt": truth,
    }  # fmt: skip


def test_vidhoi(tmp_path, capsys):
    now = write_json(tmp_path / "f0.json", [vidhoi_record(0), vidhoi_record(1)])
    later = write_json(tmp_path / "f1.json", [vidhoi_record(0), vidhoi_record(1)])
    only = write_json(tmp_path / "only.json", ["1/2_1"])
    out = tmp_path / "r.json"
    assert main(["eval", "vidhoi", str(now), str(later), "--only-frames", str(only), "--json", str(out)]) == 0
    results = json.loads(out.read_text())["results"]
    assert set(results) == {"f0", "f1"}
    assert results["f0"]["mean_average_precision"]["full"] == pytest.approx(1.0)
    assert (results["f0"]["frames"], results["f0"]["mode"]) == (1, "oracle")
    assert results["f1"]["person_wise"]["recall"] == 1.0
    assert "Person-wise top 5" in capsys.readouterr().out
    none = write_json(tmp_path / "none.json", [])
    assert main(["eval", "vidhoi", str(now), "--only-frames", str(none)]) == 1
    assert "no frame is left to score" in capsys.readouterr().err


def test_image_level_scores(tmp_path, capsys):
    labels = write_json(tmp_path / "l.json", {"filenames": ["a.jpg", "b.jpg"], "positive": [[RIDE], []]})
    rows = [{"filename": name, "scores": [0.0] * 600} for name in ("a.jpg", "b.jpg")]
    rows[0]["scores"][RIDE] = 0.4
    scores = write_json(tmp_path / "s.json", rows)
    out = tmp_path / "r.json"
    arguments = ["eval", "hico-images", str(scores), "--image-labels", str(labels), "--split", "uv"]
    assert main([*arguments, "--json", str(out)]) == 0
    assert json.loads(out.read_text())["mean_average_precision"]["full"] == 1.0
    for changed, message in (
        (rows[:1], "no record for b.jpg and 0 more pictures"),
        ([rows[0], rows[0]], "record 1: filename: expected every picture once"),
        ([rows[0] | {"filename": "c.jpg"}], "record 0: filename: expected one of the 2 pictures"),
        ([rows[0] | {"scores": [0.5]}], "record 0: scores: expected numbers of shape (600)"),
    ):
        write_json(scores, changed)
        assert main(arguments) == 1
        assert message in capsys.readouterr().err


def test_boxes_in_the_results_form_of_coco(tmp_path, capsys):
    box = [10, 10, 50, 80]
    truth = {
        "images": [{"id": 7}], "categories": [{"id": 1, "name": "person"}],
        "annotations": [{"image_id": 7, "category_id": 1, "bbox": box, "iscrowd": 0}],
    }  # fmt: skip
    truth_file = write_json(tmp_path / "t.json", truth)
    good = {"image_id": 7, "category_id": 1, "bbox": box, "score": 0.9}
    results = write_json(tmp_path / "r.json", [good])
    out = tmp_path / "o.json"
    arguments = ["eval", "boxes", str(results), "--truth", str(truth_file)]
    assert main([*arguments, "--json", str(out)]) == 0
    assert json.loads(out.read_text())["ap"] == 1.0
    for change, message in (
        ({"image_id": 8}, "record 0: image_id: expected one of the 1 pictures"),
        ({"category_id": 9}, "record 0: category_id: expected a category of the truth file"),
        ({"bbox": [1, 2, -3, 4]}, "record 0: bbox: expected x, y and a width"),
        ({"score": None}, "record 0: score: expected"),
    ):
        write_json(results, [good | change])
        assert main(arguments) == 1
        assert message in capsys.readouterr().err
