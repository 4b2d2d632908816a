"""V-COCO: 26 actions, each with up to two roles (the object acted on, the instrument acted with)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from videohoi.vocabulary.vocabulary import Vocabulary, read_packed

_PHRASES = (
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
        participles=tuple((verb, phrase) for verb, phrase in _PHRASES if verb in verbs),
    )
