"""Numbers and values as they stand in a file: rounded, finite, plain."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np

TIME_DIGITS = 6
"""decimals of seconds in JSON: a microsecond, finer than the usual container clock of 1/90000 s"""
CSV_TIME_DIGITS = 4
"""decimals of seconds in CSV"""
SCORE_DIGITS = 4
"""decimals of scores"""
PIXEL_DIGITS = 2
"""decimals of box corners"""


class Rounding:
    """Rounds measured numbers for JSON and CSV; counts those that were NaN or infinite."""

    def __init__(self) -> None:
        self.non_finite = 0

    def real(self, value: float, digits: int) -> float | None:
        """``value`` with ``digits`` decimals; None, and counted, when it is NaN or infinite."""
        number = float(value)
        if not math.isfinite(number):
            self.non_finite += 1
            return None
        return round(number, digits)

    def reals(self, values: np.ndarray[Any, np.dtype[np.floating[Any]]], digits: int) -> list[float | None]:
        """``real`` of each element of a 1-D array."""
        numbers = values.astype(np.float64)  # rounding in float32 would print 0.9300000071525574
        if np.isfinite(numbers).all():
            rounded: list[float | None] = np.round(numbers, digits).tolist()
            return rounded
        return [self.real(number, digits) for number in numbers]

    def field(self, value: float, digits: int) -> str:
        """CSV field of ``value``: fixed decimals; empty when it is NaN or infinite."""
        number = self.real(value, digits)
        return "" if number is None else f"{number:.{digits}f}"


def plain(value: Any, digits: int | None = None) -> Any:
    """``value`` as JSON can say it: dict, list, str, int, float, bool or None.

    Arrays and tuples become lists, enums their value, dataclasses dicts, NaN and infinities None, and whatever else
    (paths, versions) its text. Floats are rounded to ``digits`` decimals where given.
    """
    if isinstance(value, Enum):
        return plain(value.value, digits)
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist(), digits)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return value if digits is None else round(value, digits)
    if value is None or isinstance(value, bool | int | str):
        return value
    return _plain_container(value, digits)


def _plain_container(value: Any, digits: int | None) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name), digits) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, digits) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(item, digits) for item in value), key=str)
    return str(value)
