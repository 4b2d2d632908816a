"""Words for people: stored and shown forms of names, what a misspelt one may have meant, counts, safe addresses."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence

_SECRET_OPTION = re.compile(r"([?&;](?:[^=&;]*(?:pass|pwd|token|secret|key|auth|sig|user|login)[^=&;]*)=)[^&;#]*", re.I)
"""a query option whose name suggests a secret"""
OFFERED = 3
"""most names that an error offers"""
_CUTOFF = 0.6
"""difflib's similarity below which two words are not a typo of each other"""
_SURE = 0.85
"""similarity of a slip of one letter in a word of five or more: better than any word that merely contains it"""


def normal_form(word: str) -> str:
    """How names are stored: lower case, words joined by underscores."""
    return "_".join(word.strip().lower().replace("_", " ").replace("-", " ").split())


def screen_name(word: str) -> str:
    """A verb or class as people read it, in tables and pictures: ``stand_on`` is "stand on"."""
    return word.replace("_", " ")


def counted(number: float, one: str, many: str = "") -> str:
    """``1 frame``, ``2 frames``; ``many`` where the plural takes more than an s."""
    text = str(number) if isinstance(number, int) else f"{number:g}"
    return f"{text} {one if number == 1 else many or f'{one}s'}"


def nearest_names(word: str, names: Iterable[str], aliases: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Up to three of ``names`` that ``word`` may have meant, best first.

    Slips of a letter come first, then names that contain it as a whole word (``sit`` offers ``sit_on``), then names
    and ``aliases`` (other spelling -> name) that look like it.
    """
    wanted = normal_form(word)
    spellings = {normal_form(name): name for name in names}
    known = set(spellings.values())
    spellings |= {alias: name for alias, name in (aliases or {}).items() if name in known}
    containing = [name for spelling, name in spellings.items() if wanted and wanted in spelling.split("_")]
    slips = difflib.get_close_matches(wanted, spellings, n=1, cutoff=_SURE)
    similar = difflib.get_close_matches(wanted, spellings, n=2 * OFFERED, cutoff=_CUTOFF)
    best_first = (*(spellings[slip] for slip in slips), *containing, *(spellings[near] for near in similar))
    return tuple(dict.fromkeys(best_first))[:OFFERED]


def did_you_mean(names: Iterable[str]) -> str:
    """``; did you mean a or b?``, or nothing when there are no ``names``."""
    offered = " or ".join(names)
    return f"; did you mean {offered}?" if offered else ""


def search_names(word: str, names: Sequence[str], aliases: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """All ``names`` that contain ``word`` or have an alias that does, in their order; else the nearest ones."""
    wanted = normal_form(word)
    through_alias = {name for alias, name in (aliases or {}).items() if wanted in alias}
    containing = tuple(name for name in names if wanted in normal_form(name) or name in through_alias)
    return containing or nearest_names(word, names, aliases)


def redact_credentials(address: str) -> str:
    """``address`` with user, password and secret query options replaced by ``***``; other text comes back as it is.

    Everything between ``://`` and the last ``@`` goes: passwords with unescaped ``/``, ``?`` or ``@`` are common, and
    hiding too much is better than too little.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    host = rest.rpartition("@")[2]
    return _SECRET_OPTION.sub(r"\1***", f"{scheme}://{'***@' if host != rest else ''}{host}")
