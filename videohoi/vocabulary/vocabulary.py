"""The vocabulary of a pipeline: object classes, verbs, and which verb goes with which object."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.names import did_you_mean, nearest_names, normal_form
from videohoi.vocabulary.grammar import participle

Pairs = tuple[tuple[str, str], ...]


def read_packed(file_name: str) -> dict[str, Any]:
    """The values of ``videohoi/vocabulary/data/<file_name>``; each file names its source and licence."""
    text = resources.files("videohoi.vocabulary").joinpath(f"data/{file_name}").read_text(encoding="utf-8")
    values: dict[str, Any] = json.loads(text)
    return values


@dataclass(frozen=True, repr=False)
class Vocabulary:
    """Object classes, verbs and the (verb, object) interactions that make sense."""

    name: str
    objects: tuple[str, ...]
    """object class names; row = class id (COCO order for HICO-DET)"""
    verbs: tuple[str, ...]
    """verb names; column of verb scores"""
    interactions: tuple[tuple[int, int], ...]
    """K (verb id, object class id), in the data set's own order"""
    person_id: int
    """class id of a human"""
    source: str
    licence: str
    version: int = 1
    no_interaction_verb: str | None = None
    """the verb that means "none", if the data set has one"""
    object_synonyms: Pairs = ()
    """(other word, name of ``objects``)"""
    verb_synonyms: Pairs = ()
    """(other word, name of ``verbs``)"""
    participles: Pairs = ()
    """(verb, its words in a prompt) where English grammar does not give them, as for a relation: above -> above"""

    def __repr__(self) -> str:
        counts = f"{len(self.objects)} objects, {len(self.verbs)} verbs, {len(self.interactions)} interactions"
        return f"Vocabulary({self.name!r}: {counts})"

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """(O, V): the (verb, object) interaction exists."""
        table = self.interaction_table >= 0
        table.setflags(write=False)
        return table

    @cached_property
    def interaction_table(self) -> NDArray[np.int64]:
        """(O, V): row of ``interactions``, -1 where the pair makes no sense."""
        table = np.full((len(self.objects), len(self.verbs)), -1, np.int64)
        for row, (verb, obj) in enumerate(self.interactions):
            table[obj, verb] = row
        table.setflags(write=False)
        return table

    @cached_property
    def acting_verbs(self) -> NDArray[np.bool_]:
        """(V,): the verb is an interaction, i.e. not ``no_interaction``."""
        mask = np.array([verb != self.no_interaction_verb for verb in self.verbs], np.bool_)
        mask.setflags(write=False)
        return mask

    def verb_id(self, name: str) -> int:
        """Column of ``name`` or of what it is a synonym of; else a ``UsageError`` that offers the nearest."""
        return self._lookup(self.verbs, name, "verb", self.verb_synonyms)

    def object_id(self, name: str) -> int:
        """Class id of ``name`` or of what it is a synonym of; else a ``UsageError`` that offers the nearest."""
        return self._lookup(self.objects, name, "object", self.object_synonyms)

    def interaction_id(self, verb: str, object_name: str) -> int:
        """Row of ``interactions``.

        Raises:
            UsageError: an unknown word, or the pair is no interaction; the message lists the object's verbs.
        """
        verb_id, object_id = self.verb_id(verb), self.object_id(object_name)
        row = int(self.interaction_table[object_id, verb_id])
        if row < 0:
            known = ", ".join(self.verbs_of(self.objects[object_id])) or "no verb"
            raise UsageError(f"{self.name} has no {verb!r} with {object_name!r}; it has {known}")
        return row

    def verbs_of(self, object_name: str) -> tuple[str, ...]:
        """Names of the verbs that go with an object, in their order."""
        return tuple(self.verbs[verb] for verb in np.flatnonzero(self.valid[self.object_id(object_name)]))

    def _lookup(self, names: Sequence[str], name: str, kind: str, synonyms: Pairs) -> int:
        for spelling in (name.strip(), normal_form(name)):
            if spelling in names:
                return names.index(spelling)
        aliases = dict(synonyms)
        meant = aliases.get(normal_form(name))
        if meant is not None:
            return names.index(meant)
        if kind == "verb":
            aliases |= {normal_form(participle(verb)): verb for verb in names}
        hint = did_you_mean(nearest_names(name, names, aliases)) or f"; see: videohoi vocab list {self.name}"
        raise UsageError(f"unknown {kind} of {self.name}: {name!r}{hint}")


@lru_cache(maxsize=1)
def hico_det() -> Vocabulary:
    """HICO-DET (arXiv 1702.05448): 117 verbs, 80 objects in COCO order, 600 interactions in the data set's order.

    The verbs alone are alphabetical; the 600 are not. They are grouped by object, in HICO's own order: the 20 objects
    of PASCAL VOC from airplane to tv, then the other 60 from apple to zebra. Within an object the verbs are nearly but
    not strictly alphabetical (``.., smell, fill, wash`` for cup), and ``no_interaction`` is last.
    """
    values, synonyms = read_packed("hico_det.json"), read_packed("synonyms.json")
    objects, verbs = tuple(values["objects"]), tuple(values["verbs"])
    interactions = tuple(
        (verbs.index(verb), objects.index(name))
        for name, names_of_verbs in values["interactions_by_object"].items()
        for verb in names_of_verbs
    )
    return Vocabulary(
        name=values["name"],
        objects=objects,
        verbs=verbs,
        interactions=interactions,
        person_id=objects.index(values["person"]),
        source=values["source"],
        licence=values["licence"],
        version=values["version"],
        no_interaction_verb=values["no_interaction"],
        object_synonyms=tuple(synonyms["objects"].items()),
        verb_synonyms=tuple(synonyms["verbs"].items()),
    )
