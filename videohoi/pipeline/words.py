"""The words of a run: HICO-DET's, or the user's own from ``--vocab``, on the detector's object classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from videohoi.errors import UsageError
from videohoi.files import user_path
from videohoi.vocabulary import Vocabulary, hico_det
from videohoi.vocabulary.phrases import Phrase, known_object, no_object, read_phrase
from videohoi.vocabulary.word_list import read_word_list

OWN_WORDS = "own words"
_ENDINGS = (".yaml", ".yml")
_FILE = re.compile(r"[^\s,]*([/\\.][^\s,]*)")
"""matches the name of a file, not words"""


def is_word_list(text: str) -> bool:
    """Whether ``--vocab`` names a file."""
    return text.strip().lower().endswith(_ENDINGS)


def requested_vocabulary(text: str) -> Vocabulary:
    """The vocabulary of ``--vocab``: phrases such as ``hold cup, drink from bottle``, or the file of a word list.

    Verbs may be new, unless they look like a slip of a known one (a word list takes those too). Objects must be classes
    that the detectors find; their class ids stay, so every object of HICO-DET is listed.

    Raises:
        UsageError: no phrase, a phrase without an object that the detector finds, a likely slip, a phrase twice.
        ConfigError: a word list that cannot be read.
    """
    if is_word_list(text):
        return _on_detector_classes(read_word_list(user_path(text.strip())))
    if _FILE.fullmatch(text.strip()):
        raise UsageError(f"--vocab {text!r}: expected a word list whose name ends in .yaml, or phrases as 'hold cup'")
    phrases = [part for part in (part.strip() for part in text.split(",")) if part]
    if not phrases:
        raise UsageError(
            f"--vocab {text!r}: expected phrases as 'hold cup, drink from bottle', or a word list FILE.yaml"
        )
    return _vocabulary(tuple(read_phrase(phrase) for phrase in phrases))


def _vocabulary(pairs: Sequence[Phrase]) -> Vocabulary:
    base = hico_det()
    _refuse_twice(pairs)
    verbs = tuple(dict.fromkeys(verb for verb, _ in pairs))
    return replace(
        base,
        name=OWN_WORDS,
        verbs=verbs,
        interactions=tuple((verbs.index(verb), base.objects.index(name)) for verb, name in pairs),
        source="--vocab",
        licence="yours",
        version=1,
        no_interaction_verb=None,
        verb_synonyms=tuple(pair for pair in base.verb_synonyms if pair[1] in verbs),
    )


def _refuse_twice(pairs: Sequence[Phrase]) -> None:
    twice = [" ".join(pair) for number, pair in enumerate(pairs) if pair in pairs[:number]]
    if twice:
        raise UsageError(f"--vocab: {twice[0]!r} is listed twice, perhaps as a synonym; remove one")


def _on_detector_classes(words: Vocabulary) -> Vocabulary:
    """A word list with its objects at the detector's class ids."""
    objects = []
    for name in words.objects:
        known = known_object(name)
        if known is None:
            raise no_object(f"word list {words.name!r}, object {name!r}", name)
        objects.append(known)
    base = hico_det()
    ids = [base.objects.index(name) for name in objects]
    if ids[words.person_id] != base.person_id:
        raise UsageError(
            f"--vocab: the detector's human is {base.objects[base.person_id]!r}; name it so in the word list"
        )
    interactions = tuple((verb, ids[obj]) for verb, obj in words.interactions)
    if all(words.verbs[verb] == words.no_interaction_verb for verb, _ in interactions):
        raise UsageError(f"--vocab: word list {words.name!r} has no verb that would be reported; add one")
    _refuse_twice(tuple((words.verbs[verb], base.objects[obj]) for verb, obj in interactions))
    return replace(
        words,
        objects=base.objects,
        person_id=base.person_id,
        interactions=interactions,
        object_synonyms=base.object_synonyms,
    )
