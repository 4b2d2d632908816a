"""Changes to a vocabulary. Each returns a new one; added words come last, so that other ids stay the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from videohoi.errors import UsageError
from videohoi.names import normal_form
from videohoi.vocabulary.vocabulary import Pairs, Vocabulary


def next_version(words: Vocabulary) -> Vocabulary:
    """The same words under the next version number, which events carry."""
    return replace(words, version=words.version + 1)


def add_object(words: Vocabulary, name: str) -> Vocabulary:
    """One more object class, without any interaction yet; ``UsageError`` if it exists."""
    return replace(words, objects=(*words.objects, _new(name, words.objects, words.object_synonyms, "object")))


def add_verb(words: Vocabulary, name: str) -> Vocabulary:
    """One more verb, without any interaction yet; ``UsageError`` if it exists."""
    return replace(words, verbs=(*words.verbs, _new(name, words.verbs, words.verb_synonyms, "verb")))


def add_interaction(words: Vocabulary, verb: str, object_name: str) -> Vocabulary:
    """Add the interaction ``verb`` ``object_name``; ``UsageError`` on an unknown word, or if it exists."""
    pair = (words.verb_id(verb), words.object_id(object_name))
    if pair in words.interactions:
        raise UsageError(f"{words.name} has {verb} {object_name} already")
    return replace(words, interactions=(*words.interactions, pair))


def remove_interaction(words: Vocabulary, verb: str, object_name: str) -> Vocabulary:
    """Remove the interaction ``verb`` ``object_name``; ``UsageError`` if there is none."""
    row = words.interaction_id(verb, object_name)
    return replace(words, interactions=words.interactions[:row] + words.interactions[row + 1 :])


def remove_object(words: Vocabulary, name: str) -> Vocabulary:
    """Remove an object class, its interactions and synonyms; ``UsageError`` when unknown or the human's class."""
    gone = words.object_id(name)
    if gone == words.person_id:
        raise UsageError(f"{words.name}: {name!r} is the human's class and must stay")
    return replace(
        words,
        objects=words.objects[:gone] + words.objects[gone + 1 :],
        person_id=_shifted(words.person_id, gone),
        interactions=tuple((verb, _shifted(obj, gone)) for verb, obj in words.interactions if obj != gone),
        object_synonyms=_without(words.object_synonyms, 1, words.objects[gone]),
    )


def remove_verb(words: Vocabulary, name: str) -> Vocabulary:
    """Remove a verb, its interactions, synonyms and participle; ``UsageError`` when unknown."""
    gone = words.verb_id(name)
    verb_name = words.verbs[gone]
    return replace(
        words,
        verbs=words.verbs[:gone] + words.verbs[gone + 1 :],
        interactions=tuple((_shifted(verb, gone), obj) for verb, obj in words.interactions if verb != gone),
        verb_synonyms=_without(words.verb_synonyms, 1, verb_name),
        participles=_without(words.participles, 0, verb_name),
        no_interaction_verb=None if words.no_interaction_verb == verb_name else words.no_interaction_verb,
    )


def add_object_synonym(words: Vocabulary, word: str, name: str) -> Vocabulary:
    """Let ``word`` mean the object ``name``; ``UsageError`` when the word is taken or the name unknown."""
    taken = _new(word, words.objects, words.object_synonyms, "object")
    return replace(words, object_synonyms=(*words.object_synonyms, (taken, words.objects[words.object_id(name)])))


def add_verb_synonym(words: Vocabulary, word: str, name: str) -> Vocabulary:
    """Let ``word`` mean the verb ``name``; ``UsageError`` when the word is taken or the name unknown."""
    taken = _new(word, words.verbs, words.verb_synonyms, "verb")
    return replace(words, verb_synonyms=(*words.verb_synonyms, (taken, words.verbs[words.verb_id(name)])))


def _new(name: str, names: Sequence[str], synonyms: Pairs, kind: str) -> str:
    word = normal_form(name)
    if not word:
        raise UsageError(f"a new {kind} needs a name, got {name!r}")
    if word in names:
        raise UsageError(f"{kind} {word!r} is there already")
    if word in dict(synonyms):
        raise UsageError(f"{kind} {word!r} is a synonym of {dict(synonyms)[word]!r} already")
    return word


def _shifted(row: int, gone: int) -> int:
    return row - (row > gone)


def _without(pairs: Pairs, side: int, name: str) -> Pairs:
    return tuple(pair for pair in pairs if pair[side] != name)
