"""Finding the word that was meant: exact names, synonyms, and the nearest ones for an error message."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

OFFERED = 3
"""words an error offers at most; more are no help"""
_CUTOFF = 0.6
"""difflib's similarity below which two words are not a typo of each other"""
_SURE = 0.85
"""similarity of a slip of one letter in a word of five or more: better than any word that merely contains it"""


def normal_form(word: str) -> str:
    """How names are stored: lower case, words joined by underscores."""
    return "_".join(word.strip().lower().replace("_", " ").replace("-", " ").split())


def nearest_names(word: str, names: Sequence[str], aliases: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Up to three of ``names`` that ``word`` may have meant, best first.

    Slips of a letter come first, then names that contain it as a whole word (``sit`` offers ``sit_on``), then names
    and ``aliases`` (other spelling -> name) that look like it.
    """
    wanted = normal_form(word)
    spellings = {normal_form(name): name for name in names}
    spellings |= {alias: name for alias, name in (aliases or {}).items() if name in names}
    containing = [name for spelling, name in spellings.items() if wanted and wanted in spelling.split("_")]
    slips = difflib.get_close_matches(wanted, spellings, n=1, cutoff=_SURE)
    similar = difflib.get_close_matches(wanted, spellings, n=2 * OFFERED, cutoff=_CUTOFF)
    return tuple(
        dict.fromkeys([*(spellings[found] for found in slips), *containing, *(spellings[found] for found in similar)])
    )[:OFFERED]


def did_you_mean(found: Iterable[str]) -> str:
    """``; did you mean a or b?``, or nothing when nothing was found."""
    words = " or ".join(found)
    return f"; did you mean {words}?" if words else ""


def search_names(word: str, names: Sequence[str], aliases: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """All ``names`` that contain ``word`` or have an alias that does, in their order; else the nearest ones."""
    wanted = normal_form(word)
    through_alias = {name for alias, name in (aliases or {}).items() if wanted in alias}
    found = tuple(name for name in names if wanted in normal_form(name) or name in through_alias)
    return found or nearest_names(word, names, aliases)
