"""HICO-DET's own MATLAB files: ``anno_bbox.mat`` (boxes) and ``anno.mat`` (labels of whole pictures), both 1-based.

Rows of ``list_action`` are mapped by verb and object name. A label may be marked invisible: it then has no box, and is
kept in ``HoiAnnotations.unboxed``; so is a visible label whose ``connection`` joins nothing, which is counted in
``left_out``. MATLAB writes one struct and an array of one struct alike: both are read.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydantic
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from videohoi.datasets.annotations import HoiAnnotations, Rows, check_corners, flat_boxes, starts
from videohoi.datasets.records import STRICT, Index, parse_json, record_error, require_lengths
from videohoi.errors import InputError, UsageError
from videohoi.vocabulary import hico_det

_UNREADABLE = (MatReadError, zlib.error, ValueError, NotImplementedError, OSError, EOFError, TypeError, KeyError,
               IndexError)  # fmt: skip
"""what scipy raises for a file that is none, cut short, damaged, or of MATLAB 7.3"""
Pair = tuple[list[float], list[float], int]


def read_hico_mat(path: Path, part: str) -> HoiAnnotations:
    """The boxes of ``anno_bbox.mat``; ``part`` is ``train`` or ``test``.

    Raises:
        InputError: no such MATLAB file, or malformed; names file, record and field.
    """
    values = _variables(path, (f"bbox_{part}", "list_action"))
    row_of = _action_rows(path, values["list_action"])
    pictures = _structs(values[f"bbox_{part}"])
    names, sizes, pairs, unboxed, loose = [], [], [], [], 0
    for number, picture in enumerate(pictures):
        record = f"bbox_{part}[{number}]"
        names.append(_text(path, record, picture, "filename"))
        size = _field(path, record, picture, "size")
        sizes.append([int(_number(path, record, size, side)) for side in ("width", "height")])
        boxed, hidden, unconnected = _labels(path, f"{record} ({names[-1]})", picture, row_of)
        pairs.append(boxed)
        unboxed += [(number, row) for row in (*hidden, *unconnected)]
        loose += len(unconnected)
    interactions = np.asarray(hico_det().interactions, np.int64)
    verbs, objects = interactions[np.array([row for boxed in pairs for *_, row in boxed], np.int64)].T
    pair_start = starts([len(boxed) for boxed in pairs])
    sides = []
    for side, field in enumerate(("bboxhuman", "bboxobject")):
        boxes = flat_boxes([[pair[side] for pair in boxed] for boxed in pairs])  # type: ignore[misc]
        boxes[:, :2] -= 1  # 1-based pixels to edges, as in hico_json
        check_corners(path, names, pair_start, boxes, field)
        sides.append(boxes.astype(np.float32))
    return HoiAnnotations(
        path, hico_det(), tuple(names), np.array(sizes, np.int64).reshape(-1, 2), pair_start, sides[0], sides[1],
        verbs, objects, unboxed=np.array(unboxed, np.int64).reshape(-1, 2),
        left_out=(("visible labels that connect no human with an object", loose),) if loose else (),
    )  # fmt: skip


def _labels(path: Path, record: str, picture: Any, row_of: Rows) -> tuple[list[Pair], list[int], list[int]]:
    """Pairs with boxes, interactions marked invisible, and visible ones without a connection."""
    boxed: list[Pair] = []
    hidden: list[int] = []
    unconnected: list[int] = []
    for number, label in enumerate(_structs(_field(path, record, picture, "hoi"))):
        where = f"{record} hoi[{number}]"
        identity = int(_number(path, where, label, "id"))
        if not 1 <= identity <= len(row_of):
            raise record_error(path, where, "id", f"expected 1 to {len(row_of)}, got {identity}")
        row = int(row_of[identity - 1])
        if _number(path, where, label, "invis"):
            hidden.append(row)
            continue
        found = _connected(path, where, label)
        boxed += [(human, thing, row) for human, thing in found]
        unconnected += [] if found else [row]
    return boxed, hidden, unconnected


def _connected(path: Path, record: str, label: Any) -> list[tuple[list[float], list[float]]]:
    """(human box, object box) of each row of ``connection``, which counts from 1."""
    humans, things = (_boxes(path, record, label, key) for key in ("bboxhuman", "bboxobject"))
    links = np.asarray(_field(path, record, label, "connection"))
    if links.size % 2 or links.dtype.kind not in "iuf" or links.shape[-1] not in (0, 2):
        raise record_error(path, record, "connection", f"expected rows of human and object, got shape {links.shape}")
    pairs = []
    for human, thing in links.astype(np.int64).reshape(-1, 2):
        if not (1 <= human <= len(humans) and 1 <= thing <= len(things)):
            raise record_error(path, record, "connection", f"({human}, {thing}) of {len(humans)} humans and "
                               f"{len(things)} objects")  # fmt: skip
        pairs.append((humans[human - 1], things[thing - 1]))
    return pairs


def _boxes(path: Path, record: str, label: Any, key: str) -> list[list[float]]:
    boxes = _structs(_field(path, record, label, key))
    return [
        [_number(path, f"{record} {key}[{number}]", box, side) for side in ("x1", "y1", "x2", "y2")]
        for number, box in enumerate(boxes)
    ]


@dataclass(frozen=True, repr=False)
class ImageLabels:
    """Which interactions each picture shows somewhere, without boxes; what the Known Object setting needs."""

    path: Path
    file_names: tuple[str, ...]
    positive: NDArray[np.bool_]
    """(I, 600)"""
    ambiguous: NDArray[np.bool_]
    """(I, 600) the annotators did not agree; all False from JSON, which lists positives only"""


@pydantic.with_config(STRICT)
@dataclass
class _LabelFile:
    filenames: list[str]
    positive: list[list[Index]]


_LABEL_READER = pydantic.TypeAdapter(_LabelFile)


def read_hico_image_labels(path: Path, part: str) -> ImageLabels:
    """``anno_train`` or ``anno_test`` of ``anno.mat`` (1 positive, 0 ambiguous), or JSON (``filenames``, ``positive``).

    Raises:
        InputError: unreadable or malformed; names file and field.
    """
    if path.suffix == ".json":
        return _json_labels(path)
    values = _variables(path, (f"anno_{part}", f"list_{part}", "list_action"))
    row_of, names = _action_rows(path, values["list_action"]), _names(values[f"list_{part}"])
    table = np.asarray(values[f"anno_{part}"])
    table = table[:, None] if table.ndim == 1 else table  # a single picture
    if table.shape != (len(row_of), len(names)):
        raise record_error(path, "", f"anno_{part}", f"expected ({len(row_of)}, {len(names)}), got {table.shape}")
    positive, ambiguous = np.zeros((2, len(names), len(row_of)), np.bool_)
    positive[:, row_of], ambiguous[:, row_of] = (table == 1).T, (table == 0).T
    return ImageLabels(path, names, positive, ambiguous)


def _names(value: Any) -> tuple[str, ...]:
    """A cell array of strings; one string comes as itself."""
    return (value,) if isinstance(value, str) else tuple(str(name) for name in np.ravel(value))


def _json_labels(path: Path) -> ImageLabels:
    file = parse_json(path, _LABEL_READER)
    require_lengths(path, "", vars(file))
    positive = np.zeros((len(file.filenames), len(hico_det().interactions)), np.bool_)
    for number, ids in enumerate(file.positive):
        if ids and max(ids) >= positive.shape[1]:
            raise record_error(path, f"record {number} ({file.filenames[number]})", "positive", "expected 0 to 599")
        positive[number, ids] = True
    return ImageLabels(path, tuple(file.filenames), positive, np.zeros_like(positive))


def _variables(path: Path, names: Iterable[str]) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"{path}: no such file; it comes with hico_20160224_det.tar.gz")
    try:
        values: dict[str, Any] = loadmat(path, simplify_cells=True, variable_names=list(names))
    except _UNREADABLE as error:
        raise InputError(f"{path}: cannot be read as a MATLAB file up to version 7.2 ({error})") from error
    missing = [name for name in names if name not in values]
    if missing:
        raise InputError(f"{path}: variable {missing[0]} is missing; expected anno_bbox.mat or anno.mat of HICO-DET")
    return values


def _structs(value: Any) -> Sequence[Any]:
    """A MATLAB struct array: one element comes as a dict, none as an empty array."""
    return [value] if isinstance(value, dict) else list(np.ravel(value))


def _number(path: Path, record: str, struct: Any, name: str) -> float:
    """One finite number."""
    value = np.asarray(_field(path, record, struct, name))
    if value.size != 1 or value.dtype.kind not in "biuf" or not np.isfinite(value).all():
        raise record_error(path, record, name, f"expected one finite number, got {_shown(value)}")
    return float(value.reshape(-1)[0])


def _text(path: Path, record: str, struct: Any, name: str) -> str:
    value = _field(path, record, struct, name)
    if not isinstance(value, str) or not value:
        raise record_error(path, record, name, f"expected a name, got {_shown(np.asarray(value))}")
    return value


def _shown(value: NDArray[Any]) -> str:
    return repr(value.item()) if value.size == 1 else f"an array of shape {value.shape}"


def _field(path: Path, record: str, struct: Any, name: str) -> Any:
    if not isinstance(struct, dict) or name not in struct:
        raise record_error(path, record, name, "field required")
    return struct[name]


def _action_rows(path: Path, actions: Any) -> Rows:
    """Row of our 600 interactions for each row of the file, by verb and object name."""
    words, rows = hico_det(), []
    for number, action in enumerate(_structs(actions)):
        record = f"list_action[{number}]"
        verb, name = (str(_field(path, record, action, key)) for key in ("vname", "nname"))
        try:
            rows.append(words.interaction_id(verb, name))
        except UsageError as error:
            raise record_error(path, record, "vname, nname", str(error)) from error
    if sorted(rows) != list(range(len(words.interactions))):
        raise record_error(path, "", "list_action", f"expected the 600 interactions, each once; got {len(rows)}")
    return np.array(rows, np.int64)
