"""A vocabulary of the user's own: a YAML file with objects, verbs and which of them go together.

::

    name: kitchen
    objects: [person, cup, kettle]
    verbs: [hold, pour_from, no_interaction]
    interactions:                 # optional; without it every verb goes with every object
      cup: [hold]
      kettle: [hold, pour_from]
    no_interaction: no_interaction
    object_synonyms: {mug: cup}
    verb_synonyms: {grasp: hold}
    participles: {pour_from: pouring from}      # only where English grammar does not give it
    version: 1
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import pydantic
import yaml

from videohoi.errors import ConfigError, UsageError
from videohoi.files import decoded_text, write_whole
from videohoi.names import did_you_mean, nearest_names, normal_form
from videohoi.vocabulary.vocabulary import Pairs, Vocabulary

Word = Annotated[str, pydantic.Field(strict=True)]
Words = list[Word]


@dataclass(frozen=True)
class _WordFile:
    """The keys of the file."""

    objects: Words
    verbs: Words
    name: Word | None = None
    interactions: dict[Word, Words] | list[tuple[Word, Word]] | None = None
    person: Word = "person"
    no_interaction: Word | None = None
    object_synonyms: dict[Word, Word] = field(default_factory=dict)
    verb_synonyms: dict[Word, Word] = field(default_factory=dict)
    participles: dict[Word, Word] = field(default_factory=dict)
    version: Annotated[int, pydantic.Field(strict=True, ge=1)] = 1
    source: Word = "own word list"
    licence: Word = "yours"


_KEYS = tuple(_WordFile.__dataclass_fields__)
_READER = pydantic.TypeAdapter(_WordFile)


class _UniqueKeys(yaml.SafeLoader):
    """PyYAML silently keeps the last of two equal keys; here that is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        twice = [key for number, key in enumerate(keys) if key in keys[:number]]
        if twice:
            raise yaml.YAMLError(f"key {twice[0]!r} appears twice")
        return super().construct_mapping(node, deep)


def read_word_list(path: Path) -> Vocabulary:
    """The vocabulary of a YAML file.

    Raises:
        ConfigError: missing, not YAML, an unknown key, a word twice, or a reference to a word that is not listed;
            names the file and the key, and offers the nearest word.
    """
    values = _values(path)
    unknown = [str(key) for key in values if key not in _KEYS]
    if unknown:
        hint = did_you_mean(nearest_names(unknown[0], _KEYS)) or f"; expected some of {', '.join(_KEYS)}"
        raise ConfigError(f"{path}: unknown key {unknown[0]}{hint}")
    try:
        words = _READER.validate_python(values)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise ConfigError(
            f"{path}: {where}: {first['msg'].lower()}, got {first.get('input')!r}; write words in quotes if YAML takes "
            "them for something else (yes, no, on, off, numbers)"
        ) from error
    try:
        return _vocabulary(words, words.name or path.stem)
    except UsageError as error:
        raise ConfigError(f"{path}: {error}") from error


def _values(path: Path) -> dict[str, Any]:
    try:
        values = yaml.load(decoded_text(path.read_bytes()), Loader=_UniqueKeys)  # a SafeLoader
    except OSError as error:
        raise ConfigError(f"word list {path}: cannot be read ({error.strerror}); check the path") from error
    except (yaml.YAMLError, UnicodeDecodeError, TypeError) as error:
        raise ConfigError(f"word list {path}: not valid YAML ({' '.join(str(error).split())})") from error
    if not isinstance(values, dict):
        raise ConfigError(f"word list {path}: expected keys such as objects and verbs, found {type(values).__name__}")
    return values


def _vocabulary(words: _WordFile, name: str) -> Vocabulary:
    objects, verbs = _unique("objects", words.objects), _unique("verbs", words.verbs)
    person = normal_form(words.person)
    if person not in objects:
        raise UsageError(f"objects: {person!r} is missing; list the human's class, or name it with person: NAME")
    none = None if words.no_interaction is None else normal_form(words.no_interaction)
    bare = Vocabulary(
        name=name, objects=objects, verbs=verbs, interactions=(), person_id=objects.index(person), source=words.source,
        licence=words.licence, version=words.version, no_interaction_verb=none,
        object_synonyms=_pairs(words.object_synonyms), verb_synonyms=_pairs(words.verb_synonyms),
    )  # fmt: skip
    _check_references(bare)
    participles = tuple((verbs[bare.verb_id(verb)], text.strip()) for verb, text in words.participles.items())
    return replace(bare, participles=participles, interactions=_interactions(bare, words.interactions))


def _unique(key: str, words: Iterable[str]) -> tuple[str, ...]:
    names = tuple(normal_form(word) for word in words)
    if not names or not all(names):
        raise UsageError(f"{key}: expected at least one word, and no empty one")
    twice = [name for number, name in enumerate(names) if name in names[:number]]
    if twice:
        raise UsageError(f"{key}: {twice[0]!r} appears twice; remove one")
    return names


def _pairs(mapping: dict[str, str]) -> Pairs:
    return tuple((normal_form(word), normal_form(name)) for word, name in mapping.items())


def _check_references(words: Vocabulary) -> None:
    if words.no_interaction_verb is not None:
        words.verb_id(words.no_interaction_verb)
    for key, synonyms, names in (("object_synonyms", words.object_synonyms, words.objects),
                                 ("verb_synonyms", words.verb_synonyms, words.verbs)):  # fmt: skip
        for word, name in synonyms:
            if name not in names:
                hint = did_you_mean(nearest_names(name, names))
                raise UsageError(f"{key}: {word!r} stands for {name!r}, which is not listed{hint}")
            if word in names:
                raise UsageError(f"{key}: {word!r} is a listed word itself; remove one of them")


def _interactions(
    words: Vocabulary, given: dict[str, list[str]] | list[tuple[str, str]] | None
) -> tuple[tuple[int, int], ...]:
    if given is None:
        return tuple((verb, obj) for obj in range(len(words.objects)) for verb in range(len(words.verbs)))
    named = given if isinstance(given, list) else [(verb, name) for name, verbs in given.items() for verb in verbs]
    rows = tuple((words.verb_id(verb), words.object_id(name)) for verb, name in named)
    for number, (verb, obj) in enumerate(rows):
        if (verb, obj) in rows[:number]:
            raise UsageError(f"interactions: {words.verbs[verb]} {words.objects[obj]} appears twice; remove one")
    return rows


def word_list_text(words: Vocabulary) -> str:
    """The YAML that ``read_word_list`` reads back as an equal vocabulary."""
    named = [(words.verbs[verb], words.objects[obj]) for verb, obj in words.interactions]
    by_object: dict[str, list[str]] = {}
    for verb, name in named:
        by_object.setdefault(name, []).append(verb)
    grouped = [(verb, name) for name, verbs in by_object.items() for verb in verbs] == named
    values: dict[str, Any] = {
        "name": words.name, "version": words.version, "source": words.source, "licence": words.licence,
        "person": words.objects[words.person_id], "objects": list(words.objects), "verbs": list(words.verbs),
        "interactions": by_object if grouped else [list(pair) for pair in named],
    }  # fmt: skip
    if words.no_interaction_verb is not None:
        values["no_interaction"] = words.no_interaction_verb
    for key in ("object_synonyms", "verb_synonyms", "participles"):
        if getattr(words, key):
            values[key] = dict(getattr(words, key))
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)


def write_word_list(words: Vocabulary, path: Path) -> None:
    """Write the YAML file whole or not at all; ``SinkError`` when it cannot be written."""
    write_whole(path, word_list_text(words))
