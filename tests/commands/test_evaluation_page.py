"""The commands of docs/evaluation.md parse, its Python runs, and its numbers are those of the vocabulary."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from videohoi.commands.app import app
from videohoi.evaluate.conventions import CONVENTIONS
from videohoi.evaluate.hico.predictions import FORMS
from videohoi.vocabulary import hico_det, hico_splits
from videohoi.vocabulary.shipped import coco_category_ids, hico_object_order

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language):
    return [text for name, text in BLOCK.findall(PAGE) if name == language]


def commands():
    return [shlex.split(line, comments=True)[1:] for text in blocks("bash") for line in text.splitlines() if line]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_a_command_parses(words):
    command, context = typer.main.get_command(app), None
    while getattr(command, "commands", None):
        context = typer.Context(command, parent=context, info_name=words[0])
        command, words = command.commands[words[0]], words[1:]
    command.make_context("x", list(words), parent=context)


def test_the_python_example_scores_a_file(tmp_path):
    import sys

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "evaluate"))
    from hico_cases import annotation_file, qpic_record, ride_bicycle, write_json

    truth = ride_bicycle(2)
    names: dict = {}
    exec(blocks("python")[0], names)
    found = write_json(tmp_path / "p.json", [qpic_record(truth.image_names[0])])
    means = names["score"](found, annotation_file(tmp_path / "t.json", truth))
    assert means["default"]["full"] == pytest.approx(6 / 11)


def test_ids_splits_conventions_and_forms_are_those_of_the_code():
    objects, alphabetical, ids = hico_det().objects, hico_object_order(), coco_category_ids()
    for order, row in (("coco", objects.index), ("hico", alphabetical.index)):
        assert re.search(rf"`{order}`.*\| {row('person')} \| {row('airplane')} \|", PAGE)
    assert f"| `coco91` | {ids[0]} | {ids[objects.index('airplane')]} |" in PAGE
    for split in hico_splits():
        assert f"`{split}`" in PAGE or split in ("uc1", "uc2", "uc3")
    for convention in CONVENTIONS:
        assert f"`{convention.name}`" in PAGE
    for field, _, _ in FORMS:
        assert f"| `{field}` |" in PAGE
