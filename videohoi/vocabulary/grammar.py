"""English of the prompts: ``ride`` -> ``riding``, ``an umbrella``, ``cell_phone`` -> ``cell phone``."""

from __future__ import annotations

_VOWELS = "aeiou"
_SAME_BEFORE_ING = ("ee", "oe", "ye")
"""see -> seeing, canoe -> canoeing, dye -> dyeing: the final e is sounded"""
_IRREGULAR = {"be": "being", "control": "controlling", "begin": "beginning", "picnic": "picnicking",
              "singe": "singeing", "prefer": "preferring", "refer": "referring", "admit": "admitting",
              "commit": "committing"}  # fmt: skip
"""stressed on the last syllable or otherwise against the rules; monosyllables follow the rules"""


def readable(name: str) -> str:
    """A stored name as words: ``hair_drier`` -> ``hair drier``; of ``ball/sports_ball`` the first choice."""
    return name.split("/")[0].split("(")[0].replace("_", " ").strip()


def participle(verb: str) -> str:
    """Present participle of a stored verb; its particles stay: ``sit_on`` -> ``sitting on``."""
    head, *rest = readable(verb).split()
    return " ".join([_head_participle(head), *rest])


def _head_participle(verb: str) -> str:
    if verb in _IRREGULAR:
        return _IRREGULAR[verb]
    if verb.endswith("ing") and any(letter in _VOWELS + "y" for letter in verb[:-3]):
        return verb  # polishing is one already, swing is not
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(_SAME_BEFORE_ING):
        return verb[:-1] + "ing"
    return verb + (verb[-1] if _doubles(verb) else "") + "ing"


def _doubles(verb: str) -> bool:
    """One vowel between consonants at the end of a word of one syllable: sit -> sitting, but open -> opening."""
    sounds = verb.replace("qu", "q")
    if len(sounds) < 3 or sounds[-1] in _VOWELS + "wxy" or sounds[-2] not in _VOWELS or sounds[-3] in _VOWELS:
        return False
    return sum(letter in _VOWELS for letter in sounds) == 1


def article(noun: str, vowels: str = _VOWELS) -> str:
    """``a`` or ``an`` by the first letter of ``noun``."""
    return "an" if noun[:1].lower() in vowels else "a"
