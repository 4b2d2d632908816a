"""``videohoi vocab`` and ``videohoi data`` as typed."""

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
