"""The words a pipeline speaks: object classes, verbs, and which verb goes with which object."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError


@dataclass(frozen=True)
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

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """(O, V): the (verb, object) interaction exists."""
        table = np.zeros((len(self.objects), len(self.verbs)), np.bool_)
        for verb, obj in self.interactions:
            table[obj, verb] = True
        table.setflags(write=False)
        return table

    @cached_property
    def acting_verbs(self) -> NDArray[np.bool_]:
        """(V,): the verb is an interaction, i.e. not ``no_interaction``."""
        mask = np.array([verb != self.no_interaction_verb for verb in self.verbs])
        mask.setflags(write=False)
        return mask

    def verb_id(self, name: str) -> int:
        """Column of ``name``; an unknown one is a ``UsageError`` that offers the nearest."""
        return _lookup(self.verbs, name, f"verb of {self.name}")

    def object_id(self, name: str) -> int:
        """Class id of ``name``; an unknown one is a ``UsageError`` that offers the nearest."""
        return _lookup(self.objects, name, f"object of {self.name}")


def _lookup(names: Sequence[str], name: str, kind: str) -> int:
    wanted = name.strip().lower().replace(" ", "_")
    if wanted in names:
        return names.index(wanted)
    near = difflib.get_close_matches(wanted, names, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise UsageError(f"unknown {kind}: {name!r}{hint}")


def _read(file_name: str) -> dict[str, Any]:
    text = resources.files("videohoi.vocabulary").joinpath(f"data/{file_name}").read_text(encoding="utf-8")
    values: dict[str, Any] = json.loads(text)
    return values


@lru_cache(maxsize=1)
def hico_det() -> Vocabulary:
    """HICO-DET (arXiv 1702.05448): 117 verbs, 80 objects in COCO order, 600 interactions in the data set's order."""
    values = _read("hico_det.json")
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
    )
