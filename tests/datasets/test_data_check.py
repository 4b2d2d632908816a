"""``check_folder``: what is there, what is missing and where to get it."""

from pathlib import Path

import one_picture as one
import pytest

from videohoi.datasets.check import check_folder
from videohoi.errors import InputError, UsageError


def states(report) -> dict[str, str]:
    return {finding.part: finding.status for finding in report.findings}


def details(report) -> dict[str, str]:
    return {finding.part: finding.detail for finding in report.findings}


def test_a_partial_hico_folder(tmp_path: Path) -> None:
    one.write_json(tmp_path / "instances_train2015.json", one.hico_values())
    (tmp_path / "images" / "train2015").mkdir(parents=True)
    (tmp_path / "images" / "train2015" / "a.jpg").touch()
    report = check_folder(tmp_path)
    assert report.layout.kind == "hico-det"
    assert not report.complete
    assert states(report) == {
        "train annotations": "differs", "train pictures": "missing", "test annotations": "missing",
        "test pictures": "missing", "train image labels": "missing", "test image labels": "missing",
    }  # fmt: skip
    found = {finding.part: finding for finding in report.findings}
    counts, pictures, test = (found[part] for part in ("train annotations", "train pictures", "test annotations"))
    assert not found["test image labels"].required
    assert found["test image labels"].detail.startswith("anno.mat or hico_test_image_level_positive.json (optional")
    assert "2 pictures, 3 pairs, 1 without pairs; published are 38118 pictures, 117871 pairs" in counts.detail
    assert pictures.detail == "images/train2015/: 1 of 2: b.jpg"
    assert "hico_20160224_det.tar.gz" in pictures.get
    assert test.detail == "instances_test2015.json or test_hico.json or anno_bbox.mat"
    assert "github.com/fredzzhang/hicodet" in test.get
    kept = {found.split.name: (len(found.images), found.removed_pairs) for found in report.filters}
    assert len(kept) == 11
    assert kept["uo"] == (1, 1)


def test_a_broken_file_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "test_hico.json").write_text("{", encoding="utf-8")
    report = check_folder(tmp_path)
    found = next(finding for finding in report.findings if finding.part == "test annotations")
    assert (found.status, report.complete) == ("broken", False)
    assert "test_hico.json: " in found.detail


def test_a_whole_plain_folder(tmp_path: Path) -> None:
    line = '{"image": "a.jpg", "width": 9, "height": 9, "pairs": []}'
    (tmp_path / "annotations.jsonl").write_text(line, encoding="utf-8")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").touch()
    report = check_folder(tmp_path)
    assert report.complete
    assert states(report) == {"all annotations": "ok", "all pictures": "ok"}


def test_unknown_folders_kinds_and_parts(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        check_folder(tmp_path / "none")
    with pytest.raises(InputError, match=r"name it with --kind \(hico-det, vcoco, vidhoi, folder\)"):
        check_folder(tmp_path)
    with pytest.raises(UsageError, match="did you mean vcoco"):
        check_folder(tmp_path, "v-coco")
    assert not check_folder(tmp_path, "vidhoi").complete


def test_the_first_form_that_is_there_is_read(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    one.write_json(tmp_path / "annotations" / "trainval_hico.json", one.ppdm_values())
    assert "trainval_hico.json" in details(check_folder(tmp_path, "hico-det"))["train annotations"]
    one.write_json(tmp_path / "instances_train2015.json", one.hico_values())
    assert "instances_train2015.json" in details(check_folder(tmp_path, "hico-det"))["train annotations"]


def test_labels_of_whole_pictures_are_read_and_compared(tmp_path: Path) -> None:
    one.write_json(tmp_path / "instances_test2015.json", one.hico_values())
    one.write_json(tmp_path / "hico_test_image_level_positive.json", {"filenames": ["a.jpg"], "positive": [[5, 7]]})
    found = next(row for row in check_folder(tmp_path).findings if row.part == "test image labels")
    assert (found.status, found.required) == ("differs", False)
    assert found.detail.endswith("1 pictures, 2 positive labels; 1 annotated pictures are not in it, as b.jpg")
    (tmp_path / "anno.mat").write_bytes(b"nonsense")
    found = next(row for row in check_folder(tmp_path).findings if row.part == "test image labels")
    assert (found.status, "anno.mat: " in found.detail) == ("broken", True)


def test_the_train_file_of_ppdm_is_not_held_against_the_official_numbers(tmp_path: Path) -> None:
    one.write_json(tmp_path / "trainval_hico.json", one.ppdm_values())
    found = check_folder(tmp_path).findings[0]
    assert "published are 37633 pictures (trainval_hico.json of PPDM" in found.detail


def test_a_folder_of_data_sets_names_them(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "annotations.jsonl").touch()
    (tmp_path / "hicodet").mkdir()
    (tmp_path / "hicodet" / "test_hico.json").touch()
    with pytest.raises(InputError, match=r"give one of hicodet/ \(HICO-DET\), mine/ \(plain folder\)"):
        check_folder(tmp_path)
