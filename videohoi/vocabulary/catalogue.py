"""Vocabularies by name: the shipped ones, or a YAML word list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from videohoi.errors import UsageError
from videohoi.names import did_you_mean, nearest_names
from videohoi.vocabulary.objects import coco
from videohoi.vocabulary.vcoco import vcoco
from videohoi.vocabulary.vidhoi import vidhoi
from videohoi.vocabulary.vocabulary import Vocabulary, hico_det
from videohoi.vocabulary.word_list import read_word_list

SHIPPED: Mapping[str, Callable[[], Vocabulary]] = MappingProxyType(
    {"hico-det": hico_det, "vcoco": vcoco, "vidhoi": vidhoi, "coco": coco}
)
"""loaders by name"""
_FILE_ENDINGS = (".yaml", ".yml")


def open_vocabulary(name: str) -> Vocabulary:
    """A shipped vocabulary, or the word list in the file ``name``.

    Raises:
        UsageError: neither; the message offers the nearest name.
        ConfigError: the file is malformed.
    """
    if name in SHIPPED:
        return SHIPPED[name]()
    if name.lower().endswith(_FILE_ENDINGS):
        return read_word_list(Path(name))
    known = tuple(SHIPPED)
    hint = did_you_mean(nearest_names(name, known)) or f"; known: {', '.join(known)}, or a file ending in .yaml"
    raise UsageError(f"unknown vocabulary {name!r}{hint}")
