"""Ranges of settings: the type of each number states the allowed values, which are checked when settings are built."""

from __future__ import annotations

import math
import typing
from dataclasses import dataclass, fields
from typing import Annotated, Any

from videohoi.errors import ConfigError


@dataclass(frozen=True)
class Range:
    """Finite numbers that a setting may have; both ends are included unless ``above``."""

    least: float
    most: float = math.inf
    above: bool = False
    """``least`` itself is not allowed"""
    unlimited: bool = False
    """infinity is allowed: no limit"""

    def __contains__(self, value: object) -> bool:
        """Whether ``value`` is a number in the range; NaN is not."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        if math.isinf(value):
            return self.unlimited and value > 0
        return (value > self.least if self.above else value >= self.least) and value <= self.most

    def __str__(self) -> str:
        low = f"above {self.least:g}" if self.above else f"{self.least:g}"
        if math.isinf(self.most):
            return f"a number {low}" if self.above else f"a number of {low} or more"
        return f"a number {low} and up to {self.most:g}" if self.above else f"a number from {low} to {self.most:g}"


Share = Annotated[float, Range(0.0, 1.0)]
"""a probability, a score, an IoU"""
Positive = Annotated[float, Range(0.0, above=True)]
NotNegative = Annotated[float, Range(0.0)]
MOST_SECONDS = 1e6
"""longest span of time of any setting: eleven days"""
Seconds = Annotated[float, Range(0.0, MOST_SECONDS)]
PositiveSeconds = Annotated[float, Range(0.0, MOST_SECONDS, above=True)]
Count = Annotated[int, Range(1, 1_000_000)]
"""how many; at least one"""
Threads = Annotated[int, Range(1, 1024)]


def check_ranges(settings: Any, section: str) -> None:
    """Check every number of a settings dataclass against its range; call it in ``__post_init__``. None passes.

    Raises:
        ConfigError: one line that names the key, its value and the range.
    """
    for name, allowed in ranges_of(type(settings)).items():
        value = getattr(settings, name)
        values = value if isinstance(value, tuple) else (value,)
        if value is not None and not all(each in allowed for each in values):
            raise ConfigError(f"{section}.{name}={value!r}: expected {allowed}")


def ranges_of(kind: type) -> dict[str, Range]:
    """The range of each field of a settings dataclass that has one, also inside ``| None`` and a tuple."""
    hints = typing.get_type_hints(kind, include_extras=True)
    ranges = ((field.name, _range_in(hints[field.name])) for field in fields(kind))
    return {name: allowed for name, allowed in ranges if allowed is not None}


def _range_in(hint: Any) -> Range | None:
    if isinstance(metadata := getattr(hint, "__metadata__", None), tuple):
        return next((each for each in metadata if isinstance(each, Range)), None)
    inner = (_range_in(each) for each in typing.get_args(hint))
    return next((each for each in inner if each is not None), None)
