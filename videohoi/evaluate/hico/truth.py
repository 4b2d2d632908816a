"""HICO-DET's test annotations and image-level labels as the evaluators need them, from any of the published files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videohoi.datasets.annotations import HoiAnnotations
from videohoi.datasets.hico_json import read_hico_json
from videohoi.datasets.hico_mat import read_hico_image_labels, read_hico_mat
from videohoi.datasets.hico_ppdm import read_hico_ppdm
from videohoi.datasets.layouts import LAYOUTS, Part
from videohoi.errors import TruthError, UsageError
from videohoi.evaluate.hico.image_level import labels_of
from videohoi.evaluate.hico.scoring import KnownObjects
from videohoi.evaluate.triplet_sets import TripletTruth
from videohoi.vocabulary import hico_det

MATLAB = ".mat"
PART = "test"
HICO_FOLDERS = ("hicodet", "hico-det", ".")
"""below --data"""
_LIST = b"["


def read_hico_truth(path: Path) -> TripletTruth:
    """``instances_test2015.json``, ``test_hico.json`` of PPDM, or ``anno_bbox.mat``; boxes as 1-based pixel indices.

    Raises:
        InputError: a malformed file; the message names record and field.
        TruthError: it cannot be read, or lists a picture twice.
    """
    if path.suffix == MATLAB:
        return triplets_of(read_hico_mat(path, PART))
    return triplets_of(read_hico_ppdm(path) if _begins_as_list(path) else read_hico_json(path))


def _begins_as_list(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip().startswith(_LIST)
    except OSError as error:
        raise TruthError(f"{path}: cannot be read: {error.strerror or error}; check the path") from error


def triplets_of(annotations: HoiAnnotations) -> TripletTruth:
    """The annotated triplets; ``TruthError`` where a picture is listed twice."""
    humans, things = (
        boxes.astype(np.float64) + np.array([1.0, 1.0, 0.0, 0.0])  # edges to pixels counted from 1
        for boxes in (annotations.human_boxes_xyxy_px, annotations.object_boxes_xyxy_px)
    )
    names, sizes = annotations.file_names, annotations.sizes_wh_px
    if len(set(names)) != len(names):
        raise TruthError(f"{annotations.path}: expected every picture once, got {len(names) - len(set(names))} twice")
    return TripletTruth(
        names, annotations.pair_start, annotations.interaction_ids, humans, things,
        len(hico_det().interactions), sizes if sizes.any() else None,
    )  # fmt: skip


def known_objects_of(truth: TripletTruth) -> KnownObjects:
    """The objects of the annotated boxes: a few fewer than the image-level labels list."""
    images = np.repeat(np.arange(len(truth.image_names)), np.diff(truth.image_offsets))
    source = "the annotated boxes (image-level labels know 240 pairs more)"
    return _known_objects(len(truth.image_names), images, truth.class_ids, source)


def _known_objects(count: int, images: NDArray[np.int64], classes: NDArray[np.int64], source: str) -> KnownObjects:
    of_class = np.array([thing for _, thing in hico_det().interactions], np.int64)
    in_image = np.zeros((count, len(hico_det().objects)), np.bool_)
    in_image[images, of_class[classes]] = True
    return KnownObjects(in_image, of_class, source)


@dataclass(frozen=True, repr=False)
class ImageTruth:
    """Interactions of whole pictures."""

    names: tuple[str, ...]
    labels: NDArray[np.int8]
    """(I, 600) 1 positive, 0 ambiguous, -1 negative or not labelled"""


def read_image_truth(path: Path, names: Sequence[str] | None = None) -> ImageTruth:
    """``anno.mat`` (its test part) or JSON with ``filenames`` and ``positive``, for ``names`` or all its pictures.

    Raises:
        InputError: a malformed file.
        TruthError: a picture of ``names`` without labels.
    """
    found = read_hico_image_labels(path, PART)
    rows = {name: row for row, name in enumerate(found.file_names)}
    wanted = found.file_names if names is None else tuple(names)
    missing = [name for name in wanted if name not in rows]
    if missing:
        raise TruthError(f"{path}: {missing[0]} and {len(missing) - 1} more pictures have no labels here")
    order = [rows[name] for name in wanted]
    return ImageTruth(wanted, labels_of(found.positive[order], found.ambiguous[order]))


def read_known_objects(path: Path, names: Sequence[str]) -> KnownObjects:
    """The objects of the image-level labels in ``path``; raises as ``read_image_truth``."""
    images, classes = np.nonzero(read_image_truth(path, names).labels == 1)
    return _known_objects(len(names), images, classes, f"image-level labels of {path.name}")


def annotation_file(folder: Path) -> Path:
    """The test annotations below a data folder; ``UsageError`` names the files that are looked for."""
    files = [form.path for form in _part().files]
    found = _first(folder, files)
    if found is None:
        names = ", ".join(dict.fromkeys(Path(file).name for file in files))
        raise UsageError(f"{folder}: no test annotations of HICO-DET in it or in its hicodet/; expected one of {names}")
    return found


def label_file(folder: Path) -> Path | None:
    """The image-level test labels below a data folder, if there are any."""
    return _first(folder, [path for path, _ in _part().labels])


def _part() -> Part:
    return next(part for part in LAYOUTS["hico-det"].parts if part.name == PART)


def _first(folder: Path, paths: Sequence[str]) -> Path | None:
    places = (folder / root / path for root in HICO_FOLDERS for path in paths)
    return next((place for place in places if place.is_file()), None)
