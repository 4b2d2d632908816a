"""Phrases that people type, as ``drink from the bottle``: one verb, and one object that a detector finds."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from videohoi.errors import UsageError
from videohoi.names import did_you_mean, nearest_names, normal_form
from videohoi.vocabulary import Vocabulary, hico_det
from videohoi.vocabulary.grammar import participle

Phrase = tuple[str, str]
"""(verb, object)"""
_LEFT_OUT = frozenset({"a", "an", "the", "my", "your", "his", "her", "its", "our", "their", "is", "are"})
_WHO = frozenset({"he", "she", "they", "i", "we", "you", "who", "someone", "somebody"})
_JOINING = frozenset({"and", "or", "not", "no", "without", "never"})
"""words that join two phrases or negate one"""
_LETTERS = " _-"
"""characters allowed besides letters and digits"""
_LONG, _ALIKE = 6, 0.8
"""words of at least 6 letters and a difflib ratio of 0.8 are slips; shorter verbs resemble others (stack, stick)"""
_OWN_VERBS = (
    "bow", "bury", "dive", "fling", "play", "pray", "ruin", "saddle", "sand", "sell", "ship", "sift", "sing", "skip",
    "slip", "snip", "spit", "strike", "string", "time", "weave", "weld",
)  # fmt: skip
"""verbs of their own, though one letter away from a known verb"""
_VERBS_AND_THINGS = frozenset({"bowl", "phone", "plant", "ship", "ski"})
"""names of objects that are verbs too"""
_WORD_LIST = "give a word list FILE.yaml"


def read_phrase(phrase: str) -> Phrase:
    """(verb, object) of ``sit on a dining table``: the object is the longest known name at the end.

    Articles and the person (``person holding cup``) are left out; a known verb may end in -ing.

    Raises:
        UsageError: no verb, no object that the detector finds, more than one of them, or a likely slip.
    """
    strange = next((letter for letter in phrase if not (letter.isalnum() or letter in _LETTERS)), None)
    if strange is not None:
        raise UsageError(f"--vocab {phrase!r}: {strange!r} is not part of a word; separate phrases with commas")
    parts = [part for part in normal_form(phrase).split("_") if part not in _LEFT_OUT]
    person = hico_det().objects[hico_det().person_id]
    while len(parts) > 1 and (parts[0] in _WHO or known_object(parts[0]) == person):
        parts = parts[1:]
    for cut in range(1, len(parts)):
        thing = known_object("_".join(parts[cut:]))
        if thing is not None:
            return _verb(phrase, parts[:cut], thing), thing
    if len(parts) == 1 and known_object(parts[0]) is not None:
        raise UsageError(f"--vocab {phrase!r}: the verb is missing; expected 'VERB OBJECT' as 'hold cup'")
    raise no_object(repr(phrase), parts[-1] if parts else "")


def known_object(name: str) -> str | None:
    """The detector's class of that name or synonym, with or without spaces; None if there is none."""
    names = _object_names()
    return names.get(name) or names.get(name.replace("_", ""))


@cache
def _object_names() -> Mapping[str, str]:
    base = hico_det()
    names = dict(base.object_synonyms) | {name: name for name in base.objects}
    return {name.replace("_", ""): thing for name, thing in names.items()} | names


def no_object(asked: str, word: str) -> UsageError:
    """The message about ``asked``, whose ``word`` is no class of the detector."""
    base = hico_det()
    hint = did_you_mean(nearest_names(word, base.objects, dict(base.object_synonyms)))
    names = ", ".join(name.replace("_", " ") for name in base.objects)
    return UsageError(
        f"--vocab {asked}: expected 'VERB OBJECT' with an object that the detector finds{hint}; its classes: {names}"
    )


def _verb(phrase: str, parts: Sequence[str], thing: str) -> str:
    name, known = "_".join(parts), _verb_names(hico_det())
    if known.get(name) == hico_det().no_interaction_verb:
        raise UsageError(
            f"--vocab {phrase!r}: nothing would be reported, as it stands for no interaction; ask for a verb"
        )
    if name in known:
        return known[name]
    _refuse_more_than_one(phrase, parts, thing)
    slips = [verb for spelling, verb in known.items() if _is_slip_of_one_word(name, spelling)]
    if slips and parts[0] not in {form for verb in _OWN_VERBS for form in (verb, participle(verb))}:
        hint = did_you_mean(dict.fromkeys(slips[:3]))
        raise UsageError(f"--vocab: unknown verb {name!r}{hint} To use it as a new verb, {_WORD_LIST}")
    return name


def _refuse_more_than_one(phrase: str, parts: Sequence[str], thing: str) -> None:
    joining = next((part for part in parts if part in _JOINING), None)
    if joining is not None:
        raise UsageError(
            f"--vocab {phrase!r}: expected one verb and one object, without {joining!r}; separate "
            f"phrases with commas, or {_WORD_LIST} for a verb of that name"
        )
    number = next((part for part in parts if not part[0].isalpha()), None)
    if number is not None:
        raise UsageError(f"--vocab {phrase!r}: {number!r} is not a verb; expected 'VERB OBJECT' as 'hold cup'")
    nouns = parts[1:] if parts[0] in _VERBS_AND_THINGS else parts
    other = next((name for run in _runs(nouns) if (name := known_object(run)) is not None), None)
    endings = ("_".join(parts[at:]) for at in range(1, len(parts)))
    ending = next((verb for verb in endings if verb in _verb_names(hico_det())), None)
    if other is not None or ending is not None:
        what = (
            f"{other!r} is another object besides {thing!r}"
            if other is not None
            else f"{ending!r} is a verb of its own"
        )
        raise UsageError(
            f"--vocab {phrase!r}: {what}; expected 'VERB OBJECT' as 'hold cup', commas between phrases, or "
            f"{_WORD_LIST} for a verb of that name"
        )


def _runs(parts: Sequence[str]) -> Iterator[str]:
    for begin in range(len(parts)):
        for end in range(len(parts), begin, -1):
            yield "_".join(parts[begin:end])


@cache
def _verb_names(base: Vocabulary) -> Mapping[str, str]:
    """Spelling -> verb: names, synonyms, -ing forms of both."""
    names = dict(base.verb_synonyms) | {verb: verb for verb in base.verbs}
    return {normal_form(participle(name)): verb for name, verb in names.items()} | names


def _is_slip_of_one_word(name: str, known: str) -> bool:
    words, others = name.split("_"), known.split("_")
    if len(words) != len(others):
        return False
    different = [(word, other) for word, other in zip(words, others, strict=True) if word != other]
    return len(different) == 1 and _is_slip(*different[0])


def _is_slip(word: str, known: str) -> bool:
    """Long words that are much alike; short words with two neighbours swapped, or one letter added or missing."""
    least = min(len(word), len(known))
    if word[0] == known[0] and least >= _LONG:
        return difflib.SequenceMatcher(None, word, known).ratio() >= _ALIKE
    same = next((at for at in range(least) if word[at] != known[at]), least)
    if len(word) == len(known):
        return word[same + 2 :] == known[same + 2 :] and word[same : same + 2] == known[same : same + 2][::-1]
    short, long = sorted((word, known), key=len)
    return same > 0 and short[same:] == long[same + 1 :]
