"""Object class orders: COCO-80, COCO's ids from 1 to 90, HICO-DET's alphabetical order. All are mapped by name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from videohoi.names import normal_form
from videohoi.vocabulary.vocabulary import Vocabulary, hico_det, read_packed


@lru_cache(maxsize=1)
def coco() -> Vocabulary:
    """The 80 object classes of COCO (Lin et al., ECCV 2014, arXiv 1405.0312) in id order; no verbs."""
    values = read_packed("coco.json")
    objects = tuple(values["objects"])
    return Vocabulary(
        name=values["name"],
        objects=objects,
        verbs=(),
        interactions=(),
        person_id=objects.index(values["person"]),
        source=values["source"],
        licence=values["licence"],
        version=values["version"],
        object_synonyms=tuple(read_packed("synonyms.json")["objects"].items()),
    )


@lru_cache(maxsize=1)
def coco_category_ids() -> tuple[int, ...]:
    """COCO's own category id (1 to 90, with gaps) of each of the 80 classes; also those of QPIC's HICO-DET files.

    Source: COCO's annotation files; the same list is in QPIC and CDN as ``_valid_obj_ids``.
    """
    return tuple(read_packed("coco.json")["ids91"])


def hico_object_order() -> tuple[str, ...]:
    """HICO-DET's own order of the 80 objects: alphabetical (anno.mat, fredzzhang/hicodet). 0 = airplane."""
    return tuple(sorted(hico_det().objects))


def object_rows(names: Sequence[str], vocabulary: Vocabulary) -> NDArray[np.int64]:
    """(len(names),) class id in ``vocabulary`` of each of another file's object names.

    Raises:
        UsageError: a name that is neither an object of the vocabulary nor a synonym; the message offers the nearest.
    """
    return np.array([vocabulary.object_id(normal_form(name)) for name in names], np.int64)
