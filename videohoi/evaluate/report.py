"""What an evaluation found, ready to be shown: tables, plots and every figure, whatever it is shown as."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ReportTable:
    """A titled table of text; the first column names the row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Series:
    """One line of a plot."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Plot:
    """A titled plot of lines (``kind`` "lines") or of bars, one series a group (``kind`` "bars")."""

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    kind: str = "lines"
    diagonal: bool = False
    """a thin line of y = x, for reliability"""
    names: tuple[str, ...] = ()
    """of x = 0, 1, 2 .. where the horizontal axis of bars shows categories"""


@dataclass(frozen=True)
class Report:
    """The result of one evaluation."""

    title: str
    settings: Mapping[str, str]
    """what was scored by which rules, by name"""
    tables: tuple[ReportTable, ...]
    plots: tuple[Plot, ...] = ()
    notes: tuple[str, ...] = ()
    """what was left out, counted; one line each"""
    record: Mapping[str, Any] = field(default_factory=dict)
    """every figure, for JSON"""

    def to_dict(self) -> dict[str, Any]:
        """Title, settings, notes and every figure, for JSON."""
        return {"title": self.title, "settings": dict(self.settings), "notes": list(self.notes), **self.record}


def percent(value: float | None) -> str:
    """``12.34``, or ``-`` where unknown; papers give HOI figures in percent with two decimals."""
    return "-" if value is None or math.isnan(value) else f"{100 * value:.2f}"


def table_of(title: str, first: str, rows: Mapping[str, Mapping[str, float]]) -> ReportTable:
    """Rows of named shares, in percent."""
    names: list[str] = []
    for values in rows.values():
        names += [name for name in values if name not in names]
    body = tuple((row, *(percent(values.get(name)) for name in names)) for row, values in rows.items())
    return ReportTable(title, (first, *names), body)


def curve(name: str, xs: Sequence[float], ys: Sequence[float]) -> Series:
    """A series without the points that are not numbers."""
    return Series(name, tuple((x, y) for x, y in zip(xs, ys, strict=True) if not (math.isnan(x) or math.isnan(y))))
