"""The words of a run: HICO-DET's, or the user's own from ``--vocab``, on the detector's object classes."""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path
from typing import Any

from videohoi.errors import UsageError
from videohoi.vocabulary import Vocabulary, hico_det
from videohoi.vocabulary.grammar import participle
from videohoi.vocabulary.nearest import did_you_mean, nearest_names, normal_form
from videohoi.vocabulary.word_list import read_word_list

OWN_WORDS = "own words"
_ENDINGS = (".yaml", ".yml")
_SLIP = 0.7
"""similarity from which an unknown verb is taken for a slip of the pen: ``hodl`` is 0.75 from ``hold``"""
_ARTICLES = frozenset({"a", "an", "the"})
_JOINING = frozenset({"and", "or", "not", "no", "without", "never"})
"""words that make two phrases of one, or none"""
_LETTERS = " _-'"
"""what a phrase has beside letters and digits"""
Phrases = tuple[tuple[str, str], ...]


def vocabulary_of(config: Any) -> Vocabulary:
    """The vocabulary of a pipeline's config: ``model.words`` where it says some, else HICO-DET's.

    Raises:
        UsageError: as ``requested_vocabulary``.
    """
    words = getattr(getattr(config, "model", None), "words", None)
    return hico_det() if words is None else requested_vocabulary(str(words))


def is_word_list(text: str) -> bool:
    """``--vocab`` names a file."""
    return text.strip().lower().endswith(_ENDINGS)


def requested_vocabulary(text: str) -> Vocabulary:
    """What ``--vocab`` asks for: phrases as ``hold cup, drink from bottle``, or the file of a word list.

    Verbs may be new, unless they look like a slip of a known one (a word list takes those too). Objects must be classes
    that the detectors find; their class ids stay, so every object of HICO-DET is listed.

    Raises:
        UsageError: no phrase, a phrase without an object that the detector finds, a likely slip, a phrase twice.
        ConfigError: a word list that cannot be read.
    """
    if is_word_list(text):
        return _on_detector_classes(read_word_list(Path(text.strip()).expanduser()))
    phrases = [part for part in (part.strip() for part in text.split(",")) if part]
    if not phrases:
        raise UsageError(
            f"--vocab {text!r}: expected phrases as 'hold cup, drink from bottle', or a word list FILE.yaml"
        )
    return _vocabulary(tuple(_phrase(phrase) for phrase in phrases))


def _phrase(phrase: str) -> tuple[str, str]:
    """(verb, object) of ``sit on a dining table``: the object is the longest known name at the end."""
    parts = [part for part in normal_form(phrase).split("_") if part not in _ARTICLES]
    strange = next((letter for letter in phrase if not (letter.isalnum() or letter in _LETTERS)), None)
    if strange is not None:
        raise UsageError(f"--vocab {phrase!r}: {strange!r} is no part of a word; separate phrases with commas")
    for cut in range(1, len(parts)):
        thing = _known_object("_".join(parts[cut:]))
        if thing is not None:
            return _verb(phrase, parts[:cut]), thing
    if len(parts) == 1 and _known_object(parts[0]) is not None:
        raise UsageError(f"--vocab {phrase!r}: what is done with it is missing; expected 'VERB OBJECT' as 'hold cup'")
    raise _no_object(repr(phrase), parts[-1] if parts else "")


def _known_object(name: str) -> str | None:
    base = hico_det()
    return name if name in base.objects else dict(base.object_synonyms).get(name)


def _no_object(asked: str, word: str) -> UsageError:
    base = hico_det()
    hint = did_you_mean(nearest_names(word, base.objects, dict(base.object_synonyms)))
    names = ", ".join(name.replace("_", " ") for name in base.objects)
    return UsageError(
        f"--vocab {asked}: expected 'VERB OBJECT' with an object that the detector finds{hint}; its classes: {names}"
    )


def _verb(phrase: str, parts: list[str]) -> str:
    base, name = hico_det(), "_".join(parts)
    joining = next((part for part in parts if part in _JOINING), None)
    if joining is not None:
        raise UsageError(
            f"--vocab {phrase!r}: expected one verb and one object that are seen, without {joining!r}; separate "
            "phrases with commas, or give a word list FILE.yaml for a verb of that name"
        )
    known = {normal_form(participle(verb)): verb for verb in base.verbs}
    known |= dict(base.verb_synonyms) | {verb: verb for verb in base.verbs}
    if name in known:
        return known[name]
    alike = [other for other in known if other.count("_") == name.count("_")]
    slips = difflib.get_close_matches(name, alike, n=3, cutoff=_SLIP)
    if slips:
        hint = did_you_mean(dict.fromkeys(known[slip] for slip in slips))
        raise UsageError(f"--vocab: unknown verb {name!r}{hint} To use it as a new verb, give a word list FILE.yaml")
    return name


def _vocabulary(pairs: Phrases) -> Vocabulary:
    base = hico_det()
    _refuse_twice(pairs)
    verbs = tuple(dict.fromkeys(verb for verb, _ in pairs))
    return replace(
        base,
        name=OWN_WORDS,
        verbs=verbs,
        interactions=tuple((verbs.index(verb), base.objects.index(thing)) for verb, thing in pairs),
        source="--vocab",
        licence="yours",
        version=1,
        no_interaction_verb=base.no_interaction_verb if base.no_interaction_verb in verbs else None,
        verb_synonyms=tuple(pair for pair in base.verb_synonyms if pair[1] in verbs),
    )


def _refuse_twice(pairs: Phrases) -> None:
    twice = [f"{verb} {thing}" for number, (verb, thing) in enumerate(pairs) if (verb, thing) in pairs[:number]]
    if twice:
        raise UsageError(f"--vocab: {twice[0]!r} is asked for twice, maybe by a synonym; remove one")


def _on_detector_classes(words: Vocabulary) -> Vocabulary:
    """A word list with its objects at the detector's class ids."""
    things = []
    for name in words.objects:
        thing = _known_object(name)
        if thing is None:
            raise _no_object(f"word list {words.name!r}, object {name!r}", name)
        things.append(thing)
    base = hico_det()
    ids = [base.objects.index(thing) for thing in things]
    if ids[words.person_id] != base.person_id:
        raise UsageError(
            f"--vocab: the detector's human is {base.objects[base.person_id]!r}; name it so in the word list"
        )
    interactions = tuple((verb, ids[obj]) for verb, obj in words.interactions)
    _refuse_twice(tuple((words.verbs[verb], base.objects[obj]) for verb, obj in interactions))
    return replace(
        words,
        objects=base.objects,
        person_id=base.person_id,
        interactions=interactions,
        object_synonyms=base.object_synonyms,
    )
