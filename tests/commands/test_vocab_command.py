"""``videohoi vocab`` and ``videohoi data`` as typed."""

import sys
from pathlib import Path

import pytest

from videohoi.cli import main
from videohoi.vocabulary.word_list import read_word_list


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_listing(capsys) -> None:
    assert main(["vocab", "list"]) == 0
    assert "vidhoi" in capsys.readouterr().out
    assert main(["vocab", "list", "vcoco"]) == 0
    assert "80 objects, 24 verbs, 236 interactions" in capsys.readouterr().out
    assert main(["vocab", "splits"]) == 0
    assert "EoID rare first" in capsys.readouterr().out
    assert main(["vocab", "prompts", "lain"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 117


def test_what_a_vocabulary_has_besides_words(capsys) -> None:
    assert main(["vocab", "list", "vcoco"]) == 0
    assert "26 actions with their roles, 25 in all: hold (obj), stand (no role), sit (instr)" in capsys.readouterr().out
    assert main(["vocab", "list", "vidhoi"]) == 0
    out = capsys.readouterr().out
    assert "spatial, 8 predicates: " in out
    assert "temporal, 25 predicates: " in out


def test_ids_of_an_object_in_the_published_orders(capsys) -> None:
    assert main(["vocab", "list", "--ids"]) == 0
    rows = {line.split()[1]: line.split()[3:8:2] for line in capsys.readouterr().out.splitlines() if line[:1] == "│"}
    assert rows["person"] == ["0", "1", "49"]
    assert rows["airplane"] == ["4", "5", "0"]
    assert rows["toothbrush"] == ["79", "90", "71"]
    assert main(["vocab", "list", "vidhoi", "--ids"]) == 2
    assert "orders are of COCO's 80 objects" in capsys.readouterr().err


def test_the_classes_of_a_split(capsys) -> None:
    assert main(["vocab", "splits", "unseen_object"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "uo (UO): 100 unseen, 500 seen classes"
    assert "verbs without a seen class (5): break, brush_with, flip, move, slide" in lines
    assert sum(line[:4].strip().isdigit() for line in lines) == 100
    assert main(["vocab", "splits", "rf-ux"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_prompts_of_objects(capsys) -> None:
    assert main(["vocab", "prompts", "gen-vlkt", "--objects"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "a photo of nothing"
    assert main(["vocab", "prompts", "lain", "--objects"]) == 2
    assert "lain words no object classes" in capsys.readouterr().err


def test_a_text_bank_without_open_clip_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)  # what an absent package does to an import
    assert main(["vocab", "embed", "lain", "-o", str(tmp_path / "bank.npz")]) == 1
    err = capsys.readouterr().err
    assert "open_clip is not installed" in err
    assert err.count("\n") == 1


def test_searching_by_synonym_and_misspelling(capsys) -> None:
    assert main(["vocab", "search", "sofa"]) == 0
    assert "couch" in capsys.readouterr().out
    assert main(["vocab", "search", "hodl"]) == 0
    assert "hold" in capsys.readouterr().out
    assert main(["vocab", "search", "qqqqz"]) == 2
    assert "no word like 'qqqqz'" in capsys.readouterr().err


def test_editing_a_word_list(tmp_path: Path, capsys) -> None:
    path = tmp_path / "kitchen.yaml"
    assert main(["vocab", "edit", str(path), "--from", "hico-det"]) == 0
    assert "version 1, 80 objects, 117 verbs, 600 interactions" in capsys.readouterr().out
    edits = ["--add-object", "kettle", "--add-verb", "pour from", "--add", "pour from kettle", "--remove", "hold cup",
             "--remove-object", "zebra", "--object-synonym", "pot=kettle"]  # fmt: skip
    assert main(["vocab", "edit", str(path), *edits]) == 0
    words = read_word_list(path)
    assert (words.version, words.objects[-1], words.verbs[-1]) == (2, "kettle", "pour_from")
    assert words.interactions[-1] == (117, 79)
    assert "hold" not in words.verbs_of("cup")
    assert words.object_id("pot") == 79
    assert read_word_list(path.with_name("kitchen.yaml.bak").rename(tmp_path / "old.yaml")).version == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--add", "hodl kettle"], "'hodl'; did you mean hold"),
        (["--add", "hold"], "expected 'VERB OBJECT'"),
        (["--object-synonym", "pot"], "expected WORD=NAME"),
        (["--from", "coco"], "exists already"),
        ([], "nothing to change"),
    ],
)
def test_a_wrong_edit_changes_nothing(arguments: list[str], message: str, tmp_path: Path, capsys) -> None:
    path = tmp_path / "words.yaml"
    main(["vocab", "edit", str(path), "--from", "hico-det"])
    before = path.read_bytes()
    capsys.readouterr()
    assert main(["vocab", "edit", str(path), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["words.yaml"]


def test_checking_a_folder(tmp_path: Path, capsys) -> None:
    assert main(["data", "check", str(tmp_path), "--kind", "vidhoi"]) == 1
    assert "get train_frame_annots.json and val_frame_annots.json: README of github.com/coldmanck/VidHOI" in (
        capsys.readouterr().out
    )
    assert main(["data", "check", str(tmp_path / "none")]) == 1
    assert "no such folder" in capsys.readouterr().err
