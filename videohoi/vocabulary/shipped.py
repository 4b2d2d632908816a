"""The shipped vocabularies beside HICO-DET's (COCO, V-COCO, VidHOI), and any vocabulary by its name or file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.names import did_you_mean, nearest_names, normal_form
from videohoi.vocabulary.vocabulary import Pairs, Vocabulary, hico_det, read_packed
from videohoi.vocabulary.word_list import read_word_list

_FILE_ENDINGS = (".yaml", ".yml")
_VCOCO_PHRASES = (
    ("hold_obj", "holding"), ("stand", "standing"), ("sit_instr", "sitting"), ("ride_instr", "riding"),
    ("walk", "walking"), ("look_obj", "looking at"), ("hit_instr", "hitting with"), ("hit_obj", "hitting"),
    ("eat_obj", "eating"), ("eat_instr", "eating with"), ("jump_instr", "jumping"), ("lay_instr", "laying"),
    ("talk_on_phone_instr", "talking on phone"), ("carry_obj", "carrying"), ("throw_obj", "throwing"),
    ("catch_obj", "catching"), ("cut_instr", "cutting with"), ("cut_obj", "cutting"), ("run", "running"),
    ("work_on_computer_instr", "working on computer"), ("ski_instr", "skiing"), ("surf_instr", "surfing"),
    ("skateboard_instr", "skateboarding"), ("smile", "smiling"), ("drink_instr", "drinking"), ("kick_obj", "kicking"),
    ("point_instr", "pointing"), ("read_obj", "reading"), ("snowboard_instr", "snowboarding"),
)  # fmt: skip
"""words of the verbs in GEN-VLKT's prompts (YueLiao/gen-vlkt datasets/vcoco_text_label.py, MIT)"""
_VIDHOI_RELATIONS = (
    ("above", "above"), ("next_to", "next to"), ("behind", "behind"), ("away", "moving away from"),
    ("towards", "moving towards"), ("in_front_of", "in front of"), ("inside", "inside"), ("beneath", "beneath"),
)  # fmt: skip
"""the eight spatial predicates are places, not verbs; written for this project"""


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


@dataclass(frozen=True)
class VCocoAction:
    """An action and the roles its objects play."""

    name: str
    roles: tuple[str, ...]
    """``obj``, ``instr``, both or none; the agent is not listed"""
    objects: tuple[tuple[str, ...], ...]
    """per role, the objects the data set's authors allow; empty = any"""


@lru_cache(maxsize=1)
def vcoco_actions() -> tuple[VCocoAction, ...]:
    """The 26 actions in the data set's order (s-gupta/v-coco, data/vcoco/vcoco_train.json, MIT)."""
    return tuple(
        VCocoAction(row["name"], tuple(row["roles"]), tuple(tuple(row["objects"][role]) for role in row["roles"]))
        for row in read_packed("vcoco.json")["actions"]
    )


def vcoco_role_slots() -> tuple[tuple[str, str], ...]:
    """The 25 (action, role) slots of the official evaluation (s-gupta/v-coco vsrl_eval.py), in order.

    ``point instr`` is among them; the usual tables leave it out and average over the other 24.
    """
    return tuple((action.name, role) for action in vcoco_actions() for role in action.roles)


@lru_cache(maxsize=1)
def vcoco() -> Vocabulary:
    """V-COCO as pairs: 24 verbs such as ``hit_instr``, the 80 COCO objects, 236 annotated (verb, object) classes.

    Verbs are in the order of fredzzhang/vcoco (MIT), which leaves out role-less actions and ``point``.
    """
    values = read_packed("vcoco.json")
    objects, verbs = tuple(read_packed("coco.json")["objects"]), tuple(values["role_classes"])
    classes = values["objects_of"].items()
    return Vocabulary(
        name=values["name"],
        objects=objects,
        verbs=verbs,
        interactions=tuple((verbs.index(verb), objects.index(name)) for verb, names in classes for name in names),
        person_id=objects.index(values["person"]),
        source=values["source"],
        licence=values["licence"],
        version=values["version"],
        object_synonyms=tuple(read_packed("synonyms.json")["objects"].items()),
        participles=tuple((verb, phrase) for verb, phrase in _VCOCO_PHRASES if verb in verbs),
    )


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
        object_synonyms=_vidhoi_synonyms(objects),
        verb_synonyms=(("play", "play(instrument)"),),
        participles=_VIDHOI_RELATIONS,
    )


def _vidhoi_synonyms(objects: tuple[str, ...]) -> Pairs:
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


SHIPPED: Mapping[str, Callable[[], Vocabulary]] = MappingProxyType(
    {"hico-det": hico_det, "vcoco": vcoco, "vidhoi": vidhoi, "coco": coco}
)
"""loaders by name"""


def open_vocabulary(name: str) -> Vocabulary:
    """A shipped vocabulary, or the word list in the file ``name``.

    Raises:
        UsageError: ``name`` is neither; the message offers the nearest name.
        ConfigError: the file is malformed.
    """
    if name in SHIPPED:
        return SHIPPED[name]()
    if name.lower().endswith(_FILE_ENDINGS):
        return read_word_list(Path(name))
    known = tuple(SHIPPED)
    hint = did_you_mean(nearest_names(name, known)) or f"; known: {', '.join(known)}, or a file ending in .yaml"
    raise UsageError(f"unknown vocabulary {name!r}{hint}")
