"""How a claim is measured: first the same answer, then subject and peers in turn in one process, round by round.

Absolute times move with the machine's load; a ratio of two calls a moment apart moves far less. So every round calls
each contestant once, in an order that rotates, and what is reported is the median over rounds of the per-round ratio,
with the smallest and the largest beside it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROUNDS = 5
"""least number of rounds of a published figure"""


class NotEqualError(Exception):
    """Subject and peer give different answers: there is no ratio to speak of."""


@dataclass(frozen=True)
class Options:
    """What the caller asked for."""

    peer_path: Path | None = None
    """folder with local checkouts of peers, each under its own name; None: peers from packages and references only"""
    rounds: int = ROUNDS
    quick: bool = False
    """equality only, on small inputs: no figure is taken"""

    def checkout(self, name: str) -> Path | None:
        """The local checkout ``name`` below ``peer_path``, if there is one."""
        folder = None if self.peer_path is None else self.peer_path / name
        return folder if folder is not None and folder.is_dir() else None


@dataclass(frozen=True)
class Contestant:
    """A name and the call that is timed; the call does ``units`` units of work (frames, calls)."""

    name: str
    call: Callable[[], object]
    units: int = 1


@dataclass(frozen=True)
class Timing:
    """Seconds per unit of one contestant, one number a round."""

    name: str
    seconds: tuple[float, ...]

    @property
    def median_seconds(self) -> float:
        """Median over rounds."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Row:
    """One line of the results: what was measured against what, and whether the goal was met."""

    case: str
    """the input, as ``20 objects``"""
    equality: str
    """what was compared before timing, in words with counts"""
    timings: tuple[Timing, ...] = ()
    """the subject first, then its peers"""
    goals: Mapping[str, float] = field(default_factory=dict)
    """peer name to the least ratio asked for"""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """other numbers of this case, named with their units"""
    met: bool | None = None
    """for cases without a ratio: whether ``figures`` meet the goal; None where there is none"""
    absent: tuple[str, ...] = ()
    """peers that could not be run here, each with the reason"""

    def ratio(self, peer: str) -> tuple[float, float, float]:
        """(median, smallest, largest) over rounds of peer seconds over subject seconds."""
        subject = self.timings[0].seconds
        theirs = next(timing for timing in self.timings if timing.name == peer).seconds
        ratios = [their / mine for their, mine in zip(theirs, subject, strict=True)]
        return statistics.median(ratios), min(ratios), max(ratios)

    @property
    def goal_met(self) -> bool | None:
        """Every goal of this row; None without any."""
        names = {timing.name for timing in self.timings}
        reached = [self.ratio(peer)[0] >= goal for peer, goal in self.goals.items() if peer in names]
        if self.met is not None:
            reached.append(self.met)
        return all(reached) if reached else None


@dataclass(frozen=True)
class Claim:
    """A claim: ``check`` compares answers and raises ``NotEqualError``; ``measure`` checks again, then times."""

    name: str
    text: str
    """what is claimed, with the goal"""
    check: Callable[[Options], str]
    """compares on small inputs (a few seconds); returns what was compared"""
    measure: Callable[[Options], Sequence[Row]]
    """the rows of the results; no row without equality"""


def interleave(
    contestants: Sequence[Contestant], rounds: int = ROUNDS, least_seconds: float = 0.05
) -> tuple[Timing, ...]:
    """Time ``contestants`` in turn over ``rounds`` rounds; each is called until ``least_seconds`` have passed.

    One uncounted call of each comes first, so that nothing is compiled or loaded under the clock.
    """
    seconds: list[list[float]] = [[] for _ in contestants]
    repeats = [_repeats(contestant, least_seconds) for contestant in contestants]
    for number in range(rounds):
        for index in _rotated(len(contestants), number):
            seconds[index].append(_timed(contestants[index], repeats[index]))
    return tuple(Timing(c.name, tuple(values)) for c, values in zip(contestants, seconds, strict=True))


def _repeats(contestant: Contestant, least_seconds: float) -> int:
    contestant.call()
    once = _timed(contestant, 1) * contestant.units
    return max(1, round(least_seconds / max(once, 1e-9)))


def _timed(contestant: Contestant, repeats: int) -> float:
    started = time.perf_counter()
    for _ in range(repeats):
        contestant.call()
    return (time.perf_counter() - started) / (repeats * contestant.units)


def _rotated(count: int, by: int) -> list[int]:
    return [(index + by) % count for index in range(count)]
