"""HICO-DET as JSON, second form: ``trainval_hico.json`` and ``test_hico.json`` of PPDM, used by QPIC, CDN and EoID.

Objects are COCO category ids (1 to 90), verbs and interactions count from 1, and picture sizes are not in the file.
Boxes are pixel indices with the last pixel included, but the two files count from different numbers: the official box
(208, 33, 427, 300) of HICO_train2015_00000001 is (207, 32, 426, 299) in ``trainval_hico.json``, and (2, 2, 639, 475)
of HICO_test2015_00000017 is the same in ``test_hico.json``. The train file also joins boxes that were drawn anew for
each interaction of one pair, and leaves out the pictures without pairs (37,633 of 38,118 remain).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydantic

from videohoi.datasets.annotations import HoiAnnotations, check_corners, flat_boxes, starts
from videohoi.datasets.records import STRICT, Box, Index, parse_json, record_error
from videohoi.vocabulary import Vocabulary, hico_det
from videohoi.vocabulary.shipped import coco_category_ids


@dataclass
class _Thing:
    bbox: Box
    category_id: Index


@dataclass
class _Deed:
    subject_id: Index
    object_id: Index
    category_id: Index
    hoi_category_id: Index | None = None


@dataclass
class _Picture:
    file_name: str
    annotations: list[_Thing]
    hoi_annotation: list[_Deed]


_READER = pydantic.TypeAdapter(list[_Picture], config=STRICT)


def read_hico_ppdm(path: Path, first_pixel: int | None = None) -> HoiAnnotations:
    """All pictures of a ``trainval_hico.json`` or ``test_hico.json``.

    Args:
        path: the file.
        first_pixel: number of the left- and uppermost pixel, 0 or 1. Default: 0 for a file whose name begins with
            ``train`` or that has a box beginning at 0, else 1.

    Raises:
        InputError: malformed, or an interaction that HICO-DET does not have; names file, record and field.
    """
    rows = parse_json(path, _READER)
    words = hico_det()
    object_of = {category: row for row, category in enumerate(coco_category_ids())}
    labels = []
    for number, row in enumerate(rows):
        labels += _labels(path, f"record {number} ({row.file_name})", row, object_of, words)
    verbs, objects = np.array(labels, np.int64).reshape(-1, 2).T
    pair_start, names = starts([len(row.hoi_annotation) for row in rows]), tuple(row.file_name for row in rows)
    first = _first_pixel(path, rows) if first_pixel is None else first_pixel
    sides = []
    for role in ("subject_id", "object_id"):
        boxes = flat_boxes([[row.annotations[getattr(deed, role)].bbox for deed in row.hoi_annotation] for row in rows])
        boxes += np.array([-first, -first, 1 - first, 1 - first])  # pixels to edges
        check_corners(path, names, pair_start, boxes, f"bbox of hoi_annotation.{role}")
        sides.append(boxes.astype(np.float32))
    return HoiAnnotations(
        path, words, names, np.zeros((len(rows), 2), np.int64), pair_start, sides[0], sides[1], verbs, objects
    )


def _first_pixel(path: Path, rows: list[_Picture]) -> int:
    lowest = min((value for row in rows for thing in row.annotations for value in thing.bbox), default=1.0)
    return 0 if path.name.startswith("train") or lowest < 1 else 1


def _labels(
    path: Path, record: str, row: _Picture, object_of: dict[int, int], words: Vocabulary
) -> list[tuple[int, int]]:
    for number, thing in enumerate(row.annotations):
        if thing.category_id not in object_of:
            raise record_error(path, record, f"annotations[{number}].category_id",
                               f"{thing.category_id} is no COCO category (1 to 90, with gaps)")  # fmt: skip
    pairs = []
    for number, deed in enumerate(row.hoi_annotation):
        field = f"hoi_annotation[{number}]"
        for role in (deed.subject_id, deed.object_id):
            if role >= len(row.annotations):
                raise record_error(path, record, field, f"row {role} of {len(row.annotations)} annotations")
        if object_of[row.annotations[deed.subject_id].category_id] != words.person_id:
            raise record_error(path, record, f"{field}.subject_id", "expected a person (category 1)")
        if not 1 <= deed.category_id <= len(words.verbs):
            raise record_error(path, record, f"{field}.category_id", f"expected 1 to 117, got {deed.category_id}")
        verb, obj = deed.category_id - 1, object_of[row.annotations[deed.object_id].category_id]
        interaction = int(words.interaction_table[obj, verb])
        if interaction < 0 or deed.hoi_category_id not in (None, interaction + 1):
            said = f"{words.verbs[verb]} {words.objects[obj]}"
            raise record_error(path, record, field, f"{said} is not interaction {deed.hoi_category_id} of HICO-DET"
                               if interaction >= 0 else f"{said} is no interaction of HICO-DET")  # fmt: skip
        pairs.append((verb, obj))
    return pairs
