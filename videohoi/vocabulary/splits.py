"""Zero-shot splits of HICO-DET: which of the 600 interactions training may not see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.names import did_you_mean, nearest_names
from videohoi.vocabulary.vocabulary import Vocabulary, hico_det, read_packed

UC_FOLDS = ("uc0", "uc1", "uc2", "uc3", "uc4")
"""papers report UC as mean and standard deviation over these"""
_OTHER_NAMES = {
    "rare-first": "rf-uc", "rf": "rf-uc", "non-rare-first": "nf-uc", "nf": "nf-uc", "unseen-object": "uo",
    "unseen-verb": "uv", "unseen-action": "ua", "eoid-rf-uc": "eoid-rare-first",
}  # fmt: skip


@dataclass(frozen=True)
class ZeroShotSplit:
    """The classes of a vocabulary that training may not see."""

    name: str
    title: str
    """as papers write it"""
    vocabulary: str
    removes: str
    """what was chosen: ``interactions``, ``objects`` or ``verbs``"""
    unseen: tuple[int, ...]
    """rows of Vocabulary.interactions, ascending"""
    class_count: int
    """K"""
    source: str
    note: str = ""

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """(K,): training may see the interaction."""
        mask = np.ones(self.class_count, np.bool_)
        mask[list(self.unseen)] = False
        mask.setflags(write=False)
        return mask

    def seen_pairs(self, vocabulary: Vocabulary) -> NDArray[np.bool_]:
        """(O, V): valid and seen (verb, object) pairs; what a training prior may be broadcast to.

        Raises:
            UsageError: the split is of another vocabulary.
        """
        self.require(vocabulary)
        table = vocabulary.interaction_table
        return np.asarray((table >= 0) & self.seen[table])

    def unseen_verbs(self, vocabulary: Vocabulary) -> tuple[str, ...]:
        """Verbs without any seen interaction; ``UsageError`` for another vocabulary."""
        return _names(vocabulary.verbs, np.any(self.seen_pairs(vocabulary), axis=0))

    def unseen_objects(self, vocabulary: Vocabulary) -> tuple[str, ...]:
        """Objects without any seen interaction; ``UsageError`` for another vocabulary."""
        return _names(vocabulary.objects, np.any(self.seen_pairs(vocabulary), axis=1))

    def require(self, vocabulary: Vocabulary) -> None:
        """Raise ``UsageError`` unless the split counts the interactions of ``vocabulary``."""
        if (vocabulary.name, len(vocabulary.interactions)) != (self.vocabulary, self.class_count):
            raise UsageError(
                f"split {self.name} counts the {self.class_count} classes of {self.vocabulary}, not the "
                f"{len(vocabulary.interactions)} of {vocabulary.name}; choose a data set or split that fits"
            )


def _names(names: tuple[str, ...], seen: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(name for name, known in zip(names, seen, strict=True) if not known)


@lru_cache(maxsize=1)
def hico_splits() -> Mapping[str, ZeroShotSplit]:
    """RF-UC, NF-UC, UC0-4, UO, UV, UA and EoID's rare-first; each names its source in ``source``."""
    values, count = read_packed("hico_splits.json"), len(hico_det().interactions)
    return MappingProxyType({
        name: ZeroShotSplit(
            name, row["title"], values["vocabulary"], row["removes"], tuple(row["unseen"]), count, row["source"],
            row["note"],
        )
        for name, row in values["splits"].items()
    })  # fmt: skip


def hico_split(name: str) -> ZeroShotSplit:
    """A split by its name in any usual spelling (``RF-UC``, ``rare_first``, ``uo``).

    Raises:
        UsageError: there is none; the message offers the nearest.
    """
    splits = hico_splits()
    wanted = name.strip().lower().replace("_", "-")
    wanted = _OTHER_NAMES.get(wanted, wanted)
    if wanted in splits:
        return splits[wanted]
    known = tuple(splits)
    hint = did_you_mean(nearest_names(wanted, known, _OTHER_NAMES)) or f"; known: {', '.join(known)}"
    uc = "; UC is five folds, uc0 to uc4" if wanted == "uc" else ""
    raise UsageError(f"unknown split {name!r}{uc or hint}")


@lru_cache(maxsize=1)
def hico_rare() -> tuple[int, ...]:
    """The 138 interactions of HICO-DET with fewer than 10 training instances; the other 462 are non-rare.

    Source: HICO-DET (arXiv 1702.05448), listed in fredzzhang/hicodet instances_test2015.json (MIT).
    """
    return tuple(read_packed("hico_splits.json")["rare"]["ids"])


def hico_rare_mask() -> NDArray[np.bool_]:
    """(600,): the interaction is rare."""
    mask = np.zeros(len(hico_det().interactions), np.bool_)
    mask[list(hico_rare())] = True
    return mask
