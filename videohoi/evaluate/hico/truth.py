"""HICO-DET's test annotations (layout of fredzzhang/hicodet) and its image-level labels, read strictly.

Only the interaction ids of the annotations are used: files of this name exist with object ids in HICO-DET's
alphabetical order and in COCO's, while the order of the 600 interactions is the same everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import TruthError
from videohoi.evaluate.hico.scoring import KnownObjects
from videohoi.evaluate.triplet_sets import TripletTruth
from videohoi.files import decoded_text
from videohoi.vocabulary import Vocabulary, hico_det

LARGEST_SIDE_PX = 1 << 31


@dataclass(frozen=True, repr=False)
class HicoTruth:
    """The annotated triplets and the rare classes the file lists."""

    triplets: TripletTruth
    rare: NDArray[np.bool_] | None
    """(K,); None where the file does not say"""


def read_hico_truth(path: Path, vocabulary: Vocabulary | None = None) -> HicoTruth:
    """Annotations such as ``instances_test2015.json``.

    Raises:
        TruthError: the file cannot be read, or a field is missing or wrong; the message names record and field.
    """
    classes = len((vocabulary or hico_det()).interactions)
    values = read_json_object(path)
    names, rows = _list(path, values, "filenames"), _list(path, values, "annotation")
    if len(names) != len(rows):
        raise TruthError(f"{path}: annotation: expected one for each of {len(names)} filenames, got {len(rows)}")
    _check_names(path, names)
    if len(set(names)) != len(names):
        raise TruthError(f"{path}: filenames: expected every picture once, got {len(names) - len(set(names))} twice")
    found = [_annotation(path, number, row, classes) for number, row in enumerate(rows)]
    triplets = TripletTruth(
        image_names=tuple(names),
        image_offsets=np.concatenate([[0], np.cumsum([len(ids) for ids, _ in found])]).astype(np.int64),
        class_ids=np.concatenate([ids for ids, _ in found]) if found else np.zeros(0, np.int64),
        human_boxes_xyxy_px=np.concatenate([boxes[0] for _, boxes in found]),
        object_boxes_xyxy_px=np.concatenate([boxes[1] for _, boxes in found]),
        class_count=classes,
        image_sizes_wh_px=_sizes(path, values, len(names)),
    )
    return HicoTruth(triplets, _rare(path, values, classes))


def _check_names(path: Path, names: list[Any]) -> None:
    for number, name in enumerate(names):
        if not isinstance(name, str) or not name:
            raise TruthError(f"{path}: filenames[{number}]: expected a file name, got {name!r}")


def _annotation(path: Path, number: int, row: Any, classes: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Class ids (G,) and boxes (2, G, 4) of one picture."""
    place = f"{path}: annotation[{number}]"
    if not isinstance(row, dict):
        raise TruthError(f"{place}: expected an object, got {type(row).__name__}")
    missing = [name for name in ("hoi", "boxes_h", "boxes_o") if not isinstance(row.get(name), list)]
    if missing:
        raise TruthError(f"{place}: {missing[0]}: expected a list")
    try:
        ids = np.array(row["hoi"])
    except ValueError as cause:
        raise TruthError(f"{place}: hoi: expected a list of interaction ids") from cause
    if len(ids) and (ids.dtype.kind != "i" or ids.ndim != 1 or ids.min() < 0 or ids.max() >= classes):
        raise TruthError(f"{place}: hoi: expected interaction ids from 0 to {classes - 1}")
    boxes = [_boxes(f"{place}: {name}", row[name], len(ids)) for name in ("boxes_h", "boxes_o")]
    return ids.astype(np.int64), np.stack(boxes)


def _boxes(place: str, values: list[Any], count: int) -> NDArray[np.float64]:
    try:
        raw = np.array(values)
        boxes = raw.astype(np.float64).reshape(-1, 4)
    except (TypeError, ValueError, OverflowError) as cause:
        raise TruthError(f"{place}: expected four numbers a box") from cause
    if raw.dtype.kind not in "iufO" or len(boxes) != count or not np.isfinite(boxes).all():
        raise TruthError(f"{place}: expected a finite box for each of {count} interactions, got {len(boxes)}")
    turned = np.flatnonzero((boxes[:, 2:] < boxes[:, :2]).any(axis=1))
    if len(turned):
        raise TruthError(
            f"{place}[{turned[0]}]: expected corners x1 <= x2 and y1 <= y2, got {boxes[turned[0]].tolist()}"
        )
    return boxes


def _sizes(path: Path, values: dict[str, Any], count: int) -> NDArray[np.int64] | None:
    sizes = values.get("size", values.get("size_wh"))
    if sizes is None:
        return None
    if not isinstance(sizes, list) or len(sizes) != count:
        raise TruthError(f"{path}: size: expected a width and height for each of {count} pictures")
    for number, size in enumerate(sizes):
        if size and not (isinstance(size, list) and len(size) == 2 and all(_is_side(side) for side in size)):
            raise TruthError(f"{path}: size[{number}]: expected a width and height, got {size!r}")
    return np.array([size or (0, 0) for size in sizes], np.int64).reshape(count, 2)


def _is_side(value: Any) -> bool:
    """A width or height in pixels."""
    return isinstance(value, int) and 0 <= value < LARGEST_SIDE_PX


def _rare(path: Path, values: dict[str, Any], classes: int) -> NDArray[np.bool_] | None:
    if "rare" not in values:
        return None
    return class_mask(f"{path}: rare", values["rare"], classes)


def class_mask(place: str, ids: Any, classes: int) -> NDArray[np.bool_]:
    """(K,) mask of a list of class ids; ``TruthError`` names ``place`` where it is none."""
    array = np.array(ids)
    if array.ndim != 1 or (len(array) and (array.dtype.kind != "i" or array.min() < 0 or array.max() >= classes)):
        raise TruthError(f"{place}: expected a list of class ids from 0 to {classes - 1}")
    mask = np.zeros(classes, np.bool_)
    mask[array.astype(np.int64)] = True
    return mask


def read_known_objects(path: Path, image_names: Sequence[str], vocabulary: Vocabulary | None = None) -> KnownObjects:
    """Image-level labels: ``filenames`` and, for each, the ids of its positive interactions (``positive``).

    Raises:
        TruthError: the file cannot be read, a field is wrong, or a picture of ``image_names`` has no labels.
    """
    labels = read_image_labels(path, image_names, vocabulary)
    of_class = _objects(vocabulary)
    in_image = np.zeros((len(image_names), int(of_class.max()) + 1), np.bool_)
    images, classes = np.nonzero(labels)
    in_image[images, of_class[classes]] = True
    return KnownObjects(in_image, of_class, f"image-level labels of {path.name}")


def read_image_labels(
    path: Path, image_names: Sequence[str], vocabulary: Vocabulary | None = None
) -> NDArray[np.bool_]:
    """(I, K) positive interactions of each picture; raises as ``read_known_objects``."""
    values, classes = read_json_object(path), len((vocabulary or hico_det()).interactions)
    names = _list(path, values, "filenames")
    key = "positive" if "positive" in values else "hoi"
    rows = _list(path, values, key)
    if len(rows) != len(names):
        raise TruthError(f"{path}: {key}: expected a list for each of {len(names)} filenames, got {len(rows)}")
    labels = {
        name: class_mask(f"{path}: {key}[{number}]", row, classes)
        for number, (name, row) in enumerate(zip(names, rows, strict=True))
    }
    missing = [name for name in image_names if name not in labels]
    if missing:
        raise TruthError(f"{path}: filenames: {missing[0]} and {len(missing) - 1} more pictures have no labels here")
    return np.stack([labels[name] for name in image_names])


def read_image_names(path: Path) -> tuple[str, ...]:
    """The ``filenames`` of a file of image-level labels; raises ``TruthError``."""
    return tuple(_list(path, read_json_object(path), "filenames"))


def known_objects_of(truth: TripletTruth, vocabulary: Vocabulary | None = None) -> KnownObjects:
    """The objects that the boxes' own annotations tell of: a few fewer than the image-level labels do."""
    of_class = _objects(vocabulary)
    in_image = np.zeros((len(truth.image_names), int(of_class.max()) + 1), np.bool_)
    images = np.repeat(np.arange(len(truth.image_names)), np.diff(truth.image_offsets))
    in_image[images, of_class[truth.class_ids]] = True
    return KnownObjects(in_image, of_class, "the annotated boxes (image-level labels know 240 pairs more)")


def _objects(vocabulary: Vocabulary | None) -> NDArray[np.int64]:
    return np.array([thing for _, thing in (vocabulary or hico_det()).interactions], np.int64)


def read_json_object(path: Path) -> dict[str, Any]:
    """A JSON object; ``TruthError`` where the file is none."""
    try:
        values = json.loads(decoded_text(path.read_bytes()))
    except (OSError, ValueError, RecursionError) as cause:
        raise TruthError(f"{path}: cannot be read as JSON: {cause}") from cause
    if not isinstance(values, dict):
        raise TruthError(f"{path}: expected a JSON object, got {type(values).__name__}")
    return values


def _list(path: Path, values: dict[str, Any], name: str) -> list[Any]:
    found = values.get(name)
    if not isinstance(found, list):
        raise TruthError(f"{path}: {name}: expected a list, got {type(found).__name__}")
    return found
