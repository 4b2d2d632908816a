"""HICO-DET as JSON, first form: ``instances_train2015.json`` and ``instances_test2015.json``.

The layout of fredzzhang/hicodet (MIT), with objects in HICO-DET's order; files of the same name in LAIN, CMMP, ADA-CM
and EZ-HOI have objects in COCO's order. The order is found by the object names, or from the interactions where the
file has no names (the rebuilt HAKE train file). Boxes are 1-based pixel indices; the left and upper one become edges by
taking 1 away, as in UPT (fredzzhang/upt).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydantic
from numpy.typing import NDArray

from videohoi.datasets.annotations import HoiAnnotations, Rows, check_corners, flat_boxes, starts
from videohoi.datasets.records import STRICT, Box, Index, parse_json, record_error, require_lengths
from videohoi.errors import InputError, UsageError
from videohoi.vocabulary import hico_det, hico_rare
from videohoi.vocabulary.shipped import hico_object_order, object_rows


@dataclass
class _Picture:
    boxes_h: list[Box]
    boxes_o: list[Box]
    hoi: list[Index]
    object: list[Index] | None = None
    verb: list[Index] | None = None


@pydantic.with_config(STRICT)
@dataclass
class _File:
    filenames: list[str]
    annotation: list[_Picture]
    size: list[tuple[Index, Index] | None] | None = None
    size_wh: list[tuple[Index, Index] | None] | None = None
    objects: list[str] | None = None
    verbs: list[str] | None = None
    correspondence: list[tuple[Index, Index, Index]] | None = None
    empty: list[Index] | None = None
    rare: list[Index] | None = None
    non_rare: list[Index] | None = None


_READER = pydantic.TypeAdapter(_File)


def read_hico_json(path: Path) -> HoiAnnotations:
    """All pictures of an ``instances_*2015.json``, in COCO's object order whatever the file's was.

    Raises:
        InputError: malformed, or its parts contradict each other; names file, record and field.
    """
    file = parse_json(path, _READER)
    stated = file.size if file.size is not None else file.size_wh
    sizes = [None] * len(file.filenames) if stated is None else stated
    require_lengths(path, "", {"filenames": file.filenames, "annotation": file.annotation, "size": sizes})
    _check_lists(path, file, stated)
    pair_start = starts([len(row.hoi) for row in file.annotation])
    interactions = np.asarray(hico_det().interactions, np.int64)
    hoi = _flat([row.hoi for row in file.annotation])
    _first_wrong(path, file, pair_start, hoi >= len(interactions), "hoi", "expected 0 to 599")
    verbs, objects = interactions[hoi].T
    if any(row.verb is not None for row in file.annotation):
        wrong = _flat([row.verb for row in file.annotation]) != verbs
        _first_wrong(path, file, pair_start, wrong, "verb", "it is not the verb of the record's hoi")
    if any(row.object is not None for row in file.annotation):
        _check_objects(path, file, pair_start, objects)
    _check_tables(path, file)
    humans, things = (flat_boxes([getattr(row, name) for row in file.annotation]) for name in ("boxes_h", "boxes_o"))
    for name, boxes in (("boxes_h", humans), ("boxes_o", things)):
        boxes[:, :2] -= 1
        check_corners(path, file.filenames, pair_start, boxes, name)
    return HoiAnnotations(
        path, hico_det(), tuple(file.filenames), np.array([size or (0, 0) for size in sizes], np.int64).reshape(-1, 2),
        pair_start, humans.astype(np.float32), things.astype(np.float32), verbs, objects,
    )  # fmt: skip


def _flat(lists: Sequence[list[int] | None]) -> Rows:
    return np.array([value for values in lists for value in values or ()], np.int64)


def _check_lists(path: Path, file: _File, sizes: Sequence[tuple[int, int] | None] | None) -> None:
    optional = {name: any(getattr(row, name) is not None for row in file.annotation) for name in ("object", "verb")}
    for number, row in enumerate(file.annotation):
        record = f"record {number} ({file.filenames[number]})"
        lists = {name: values for name, values in vars(row).items() if optional.get(name, True)}
        missing = [name for name, values in lists.items() if values is None]
        if missing:
            raise record_error(path, record, missing[0], "expected a list, as in other records")
        require_lengths(path, record, lists)
        if sizes is not None and row.hoi and not sizes[number]:
            raise record_error(path, record, "size", "expected width and height of a picture with pairs, got null")
    without = [number for number, row in enumerate(file.annotation) if not row.hoi]
    if file.empty is not None and sorted(file.empty) != without:
        different = sorted(set(file.empty) ^ set(without))
        where = f"differs at record {different[0]}" if different else "a record is listed twice"
        raise record_error(path, "", "empty", f"expected exactly the records without pairs; it {where}")


def _first_wrong(path: Path, file: _File, pair_start: Rows, wrong: NDArray[np.bool_], field: str, message: str) -> None:
    if not wrong.any():
        return
    pair = int(np.flatnonzero(wrong)[0])
    record = int(np.searchsorted(pair_start, pair, side="right")) - 1
    number = pair - int(pair_start[record])
    value = getattr(file.annotation[record], field)[number]
    raise record_error(path, f"record {record} ({file.filenames[record]})", f"{field}[{number}]",
                       f"{value}: {message}")  # fmt: skip


def _check_objects(path: Path, file: _File, pair_start: Rows, expected: Rows) -> None:
    """The file's object ids must name the objects of the interactions, in its own or one of the two known orders."""
    given = _flat([row.object for row in file.annotation])
    words = hico_det()
    _first_wrong(path, file, pair_start, given >= len(words.objects), "object", "expected 0 to 79")
    orders = [_order(path, file)] if file.objects else [object_rows(hico_object_order(), words), np.arange(80)]
    wrong = [order[given] != expected for order in orders]
    fewest = min(wrong, key=lambda mask: int(mask.sum()))
    order_text = "the file's object order" if file.objects else "HICO's or COCO's object order"
    _first_wrong(path, file, pair_start, fewest, "object", f"it is not the object of the record's hoi in {order_text}")


def _order(path: Path, file: _File) -> Rows:
    try:
        order = object_rows(file.objects or (), hico_det())
    except UsageError as error:
        raise record_error(path, "", "objects", str(error)) from error
    if sorted(order) != list(range(len(hico_det().objects))):
        raise record_error(path, "", "objects", "expected the 80 object names, each once")
    return order


def _check_tables(path: Path, file: _File) -> None:
    words = hico_det()
    if file.verbs is not None and tuple(file.verbs) != words.verbs:
        raise record_error(path, "", "verbs", "expected the 117 verbs of HICO-DET in alphabetical order")
    if file.correspondence is not None and file.objects:
        order = _order(path, file)
        for number, (row, obj, verb) in enumerate(file.correspondence):
            if obj >= len(order) or row != number or words.interactions[row : row + 1] != ((verb, int(order[obj])),):
                raise record_error(path, "", f"correspondence[{number}]", "it is not that interaction of HICO-DET")
    rare = list(hico_rare())
    common = sorted(set(range(len(words.interactions))) - set(rare))
    for name, ids, expected in (("rare", file.rare, rare), ("non_rare", file.non_rare, common)):
        if ids is not None and sorted(ids) != expected:
            raise InputError(f"{path}: {name}: expected the {len(expected)} {name} classes, got {len(ids)} ids that "
                             "are not these")  # fmt: skip
