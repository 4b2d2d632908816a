"""A plain folder of your own pictures: ``images/``, ``annotations.jsonl`` and, if you like, ``vocabulary.yaml``.

One line a picture; boxes are edges in pixels, left, top, right, bottom::

    {"image": "a.jpg", "width": 640, "height": 480, "pairs": [
      {"human": [10, 20, 110, 400], "object": [90, 200, 130, 260], "object_class": "cup", "verbs": ["hold"]}]}

A line without pairs is a picture in which nobody does anything. Without ``vocabulary.yaml`` the words are HICO-DET's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydantic

from videohoi.datasets.annotations import HoiAnnotations, check_corners, flat_boxes, starts
from videohoi.datasets.records import Box, Index, parse_json, read_bytes, record_error
from videohoi.errors import UsageError
from videohoi.vocabulary import Vocabulary, hico_det
from videohoi.vocabulary.word_list import read_word_list

ANNOTATIONS = "annotations.jsonl"
WORDS = "vocabulary.yaml"
IMAGES = "images"
_STRICT_KEYS = pydantic.ConfigDict(strict=True, extra="forbid")
"""a file of the user's own: an unknown key is a mistake"""


@pydantic.with_config(_STRICT_KEYS)
@dataclass
class _Pair:
    human: Box
    object: Box
    object_class: str
    verbs: list[str]


@pydantic.with_config(_STRICT_KEYS)
@dataclass
class _Picture:
    image: str
    width: Index
    height: Index
    pairs: list[_Pair]


_READER = pydantic.TypeAdapter(_Picture)


def read_folder(folder: Path) -> HoiAnnotations:
    """The annotations of a plain folder; a pair with several verbs has a row for each.

    Raises:
        InputError: malformed, an unknown word, or a picture twice; names file, line and field.
        ConfigError: ``vocabulary.yaml`` is malformed.
    """
    path = folder / ANNOTATIONS
    words = read_word_list(folder / WORDS) if (folder / WORDS).is_file() else hico_det()
    rows: dict[str, _Picture] = {}
    labels: list[list[tuple[int, int]]] = []
    for number, line in enumerate(read_bytes(path).splitlines(), 1):
        if not line.strip():
            continue
        row = parse_json(path, _READER, line, f"line {number}")
        if row.image in rows:
            raise record_error(path, f"line {number}", "image", f"{row.image!r} is annotated twice")
        rows[row.image] = row
        labels.append(_labels(path, f"line {number}", row, words))
    return _table(path, words, list(rows.values()), labels)


def _labels(path: Path, line: str, row: _Picture, words: Vocabulary) -> list[tuple[int, int]]:
    found = []
    for number, pair in enumerate(row.pairs):
        where = f"pairs[{number}]"
        if not pair.verbs:
            raise record_error(path, line, f"{where}.verbs", "expected at least one verb")
        for verb in pair.verbs:
            try:
                row_id = words.interaction_id(verb, pair.object_class)
            except UsageError as error:
                raise record_error(path, line, where, str(error)) from error
            found.append(words.interactions[row_id])
    return found


def _table(path: Path, words: Vocabulary, rows: list[_Picture], labels: list[list[tuple[int, int]]]) -> HoiAnnotations:
    names, pair_start = tuple(row.image for row in rows), starts([len(part) for part in labels])
    verbs, objects = np.array([pair for part in labels for pair in part], np.int64).reshape(-1, 2).T
    sides = []
    for key in ("human", "object"):
        boxes = flat_boxes([[getattr(pair, key) for pair in row.pairs for _ in pair.verbs] for row in rows])
        check_corners(path, names, pair_start, boxes, key)
        sides.append(boxes.astype(np.float32))
    sizes = np.array([(row.width, row.height) for row in rows], np.int64).reshape(-1, 2)
    return HoiAnnotations(path, words, names, sizes, pair_start, sides[0], sides[1], verbs, objects)
