"""One JSON object of a truth file: typed access to its fields; each failure names file, field and what was expected."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import TruthError


class TruthRecord:
    """One JSON object with its position in the file, which every message names."""

    def __init__(self, values: Any, file: Path, where: str) -> None:
        self._file = file
        self._where = where
        if not isinstance(values, dict):
            raise TruthError(f"{file}: {where or 'whole file'}: expected an object, got {type(values).__name__}")
        self._values = values

    def wrong(self, name: str, expected: str) -> TruthError:
        """The error for field ``name``."""
        place = f"{self._where}.{name}" if self._where else name
        got = f"got {self._values[name]!r}" if name in self._values else "it is missing"
        return TruthError(f"{self._file}: {place}: expected {expected}, {got}")

    def has(self, name: str) -> bool:
        """The field is there."""
        return name in self._values

    def text(self, name: str) -> str:
        """A non-empty string."""
        value = self._values.get(name)
        if not isinstance(value, str) or not value:
            raise self.wrong(name, "a non-empty string")
        return value

    def optional_text(self, name: str) -> str | None:
        """A non-empty string or null; the field itself must be there."""
        return None if name in self._values and self._values[name] is None else self.text(name)

    def number(self, name: str) -> float:
        """A finite number."""
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise self.wrong(name, "a finite number")
        return float(value)

    def count(self, name: str) -> int:
        """A whole number >= 0."""
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.wrong(name, "a whole number >= 0")
        return value

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._values.get(name)
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def one_of(self, name: str, options: Iterable[str]) -> str:
        """A string among ``options``."""
        allowed = tuple(options)
        value = self._values.get(name)
        if not isinstance(value, str) or value not in allowed:
            raise self.wrong(name, f"one of {', '.join(allowed)}")
        return value

    def records(self, name: str) -> list[TruthRecord]:
        """A list of objects."""
        values = self._values.get(name)
        if not isinstance(values, list):
            raise self.wrong(name, "a list")
        prefix = f"{self._where}.{name}" if self._where else name
        return [TruthRecord(value, self._file, f"{prefix}[{row}]") for row, value in enumerate(values)]

    def box(self, name: str, width_px: int, height_px: int) -> NDArray[np.float64]:
        """A (4,) box with an area, inside the picture."""
        values = self._values.get(name)
        numbers = isinstance(values, list) and len(values) == 4 and all(type(v) in (int, float) for v in values)
        box = np.array(values if numbers else [math.nan] * 4, np.float64)
        x1, y1, x2, y2 = box
        if not (0 <= x1 < x2 <= width_px and 0 <= y1 < y2 <= height_px):
            raise self.wrong(name, f"four numbers x1 < x2, y1 < y2 inside the {width_px}x{height_px} picture")
        return box
