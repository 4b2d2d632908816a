"""A plain folder of one's own pictures."""

import json
from pathlib import Path
from typing import Any

import pytest

from videohoi.datasets.folder import read_folder
from videohoi.errors import ConfigError, InputError
from videohoi.vocabulary import hico_det

PAIR = {"human": [10, 20, 110, 400], "object": [90, 200, 130, 260], "object_class": "cup", "verbs": ["hold", "inspect"]}
LINE = {"image": "a.jpg", "width": 640, "height": 480, "pairs": [PAIR]}


def write(folder: Path, *lines: Any) -> Path:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (folder / "annotations.jsonl").write_text(text, encoding="utf-8")
    return folder


def test_a_pair_with_two_verbs_gives_two_rows(tmp_path: Path) -> None:
    read = read_folder(write(tmp_path, LINE, "", {**LINE, "image": "b.jpg", "pairs": []}))
    assert read.file_names == ("a.jpg", "b.jpg")
    assert read.pair_start.tolist() == [0, 2, 2]
    assert [hico_det().verbs[verb] for verb in read.verb_ids] == ["hold", "inspect"]
    assert read.human_boxes_xyxy_px.tolist() == [PAIR["human"]] * 2
    assert read.sizes_wh_px.tolist() == [[640, 480]] * 2


def test_own_words_and_synonyms(tmp_path: Path) -> None:
    words = "objects: [person, kettle]\nverbs: [pour]\nobject_synonyms: {pot: kettle}\n"
    (tmp_path / "vocabulary.yaml").write_text(words, encoding="utf-8")
    line = {**LINE, "pairs": [{**PAIR, "object_class": "pot", "verbs": ["pour"]}]}
    read = read_folder(write(tmp_path, line))
    assert read.vocabulary.objects[read.object_ids[0]] == "kettle"
    (tmp_path / "vocabulary.yaml").write_text("objects: 3\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"vocabulary.yaml: "):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: file: invalid JSON"),
        ({**LINE, "image": "b.jpg", "pears": []}, "line 2: pears: "),
        ({**LINE, "image": "b.jpg", "width": "640"}, "line 2: width: .*got '640'"),
        (LINE, "line 2: image: 'a.jpg' is annotated twice"),
        ({**LINE, "image": "b.jpg", "pairs": [{**PAIR, "verbs": []}]}, r"line 2: pairs\[0\].verbs: expected at least"),
        (
            {**LINE, "image": "b.jpg", "pairs": [{**PAIR, "verbs": ["hodl"]}]},
            r"line 2: pairs\[0\]: .*did you mean hold",
        ),
        ({**LINE, "image": "b.jpg", "pairs": [{**PAIR, "verbs": ["ride"]}]}, "no 'ride' with 'cup'"),
        (
            {**LINE, "image": "b.jpg", "pairs": [{**PAIR, "human": [5, 5, 1, 9]}]},
            r"record 1 \(b.jpg\): human\[0\]: the bo",
        ),
        ({**LINE, "image": "b.jpg", "pairs": [{**PAIR, "human": [5, 5, 9]}]}, r"line 2: pairs\[0\]\.human"),
    ],
)
def test_a_malformed_line_is_named(line: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_folder(write(tmp_path, LINE, line))


def test_no_annotations(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"annotations.jsonl: cannot be read"):
        read_folder(tmp_path)
    assert len(read_folder(write(tmp_path))) == 0
