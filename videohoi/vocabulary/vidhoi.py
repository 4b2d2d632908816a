"""VidHOI: 78 objects and 50 predicates in video, their groups and how often each class was annotated."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from videohoi.names import normal_form
from videohoi.vocabulary.vocabulary import Pairs, Vocabulary, read_packed

_RELATION_WORDS = (
    ("above", "above"), ("next_to", "next to"), ("behind", "behind"), ("away", "moving away from"),
    ("towards", "moving towards"), ("in_front_of", "in front of"), ("inside", "inside"), ("beneath", "beneath"),
)  # fmt: skip
"""the eight spatial predicates are places, not verbs; written for this project"""


@lru_cache(maxsize=1)
def vidhoi() -> Vocabulary:
    """VidHOI (ICMR 2021 workshop): 78 objects, 50 predicates and the 1127 classes annotated in either part."""
    values = read_packed("vidhoi.json")
    objects, verbs = tuple(values["objects"]), tuple(values["verbs"])
    return Vocabulary(
        name=values["name"],
        objects=objects,
        verbs=verbs,
        interactions=tuple(
            (verbs.index(verb), objects.index(name)) for name, row in values["counts"].items() for verb in row
        ),
        person_id=objects.index(values["person"]),
        source=values["source"],
        licence=values["licence"],
        version=values["version"],
        object_synonyms=_parts(objects),
        verb_synonyms=(("play", "play(instrument)"),),
        participles=_RELATION_WORDS,
    )


def _parts(objects: tuple[str, ...]) -> Pairs:
    """``cow`` and ``cattle`` for ``cattle/cow``."""
    return tuple((normal_form(part), name) for name in objects if "/" in name for part in name.split("/"))


@lru_cache(maxsize=1)
def vidhoi_groups() -> Mapping[str, tuple[str, ...]]:
    """``spatial`` (8), ``action`` (42), and ``temporal`` (25), the predicates of VidHOI's "temporal" mAP.

    Source: nizhf/hoi-prediction-gaze-transformer vidhoi_related/pred_split_categories.json (MIT).
    """
    groups = read_packed("vidhoi.json")["groups"]
    return MappingProxyType({name: tuple(verbs) for name, verbs in groups.items()})


@lru_cache(maxsize=1)
def vidhoi_removed_frames() -> frozenset[str]:
    """The 168 validation frames ``folder/video_frame`` that the gaze transformer leaves out.

    Source: nizhf/hoi-prediction-gaze-transformer vidhoi_related/168_frames_to_remove.json (MIT).
    """
    return frozenset(read_packed("vidhoi.json")["frames_to_remove"])
