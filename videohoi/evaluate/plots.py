"""Plots of a report as inline SVG, drawn by matplotlib (extra ``plots``): lines, or bars over numbers or names."""

from __future__ import annotations

import io
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING

from videohoi.evaluate.report import Plot, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE_INCHES = (4.2, 3.0)
NAMES_INCHES = 0.6
"""more height where the horizontal axis has names, which are written slantwise"""
SLANT_DEGREES = 50
NAMES_POINTS = 7
BARS_WIDTH = 0.8
"""share of the space between two places that their bars fill"""
HEADROOM = 1.05
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's palette: distinguishable with any colour vision"""
HOW_TO_INSTALL = "plots are left out because matplotlib is not installed; pip install 'videohoi[plots]'"


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def svg_of(plot: Plot) -> str:
    """An ``<svg>`` element; raises ``ImportError`` without matplotlib."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    width, height = SIZE_INCHES
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": plot.title, "font.size": 9, "text.parse_math": False}):
        figure = Figure(figsize=(width, height + (NAMES_INCHES if plot.names else 0)), layout="constrained")
        _draw(plot, figure.add_subplot())
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Title": plot.title})
    text = written.getvalue()
    return text[text.index("<svg") :]


def _draw(plot: Plot, axes: Axes) -> None:
    axes.set(title=plot.title, xlabel=plot.x_label, ylabel=plot.y_label)
    axes.grid(axis="y", color="#dddddd")
    axes.set_axisbelow(True)
    axes.set_prop_cycle(color=COLOURS)
    (_bars if plot.kind == "bars" else _lines)(plot.series, axes)
    axes.set_ylim(0, _top([y for series in plot.series for _, y in series.points]))
    if plot.names:
        axes.set_xticks(range(len(plot.names)), plot.names, rotation=SLANT_DEGREES, ha="right", rotation_mode="anchor")
        axes.tick_params(axis="x", labelsize=NAMES_POINTS)
        axes.set_xlim(-0.5, len(plot.names) - 0.5)
    if plot.diagonal:
        axes.plot((0, 1), (0, 1), color="#999999", linestyle="--", linewidth=1)
    if plot.series:
        axes.legend(frameon=False)


def _top(values: list[float]) -> float:
    """Upper end of the vertical axis: 1 for shares, else a little above the largest."""
    high = max([0.0, *values])
    return 1.0 if high <= 1 else high * HEADROOM


def _lines(series: tuple[Series, ...], axes: Axes) -> None:
    for one in series:
        axes.plot([x for x, _ in one.points], [y for _, y in one.points], label=one.name)


def _bars(series: tuple[Series, ...], axes: Axes) -> None:
    """Bars at each x, series side by side."""
    places = sorted({x for one in series for x, _ in one.points})
    wide = BARS_WIDTH * min((b - a for a, b in pairwise(places)), default=1.0) / max(len(series), 1)
    for number, one in enumerate(series):
        shift = (number - (len(series) - 1) / 2) * wide
        axes.bar([x + shift for x, _ in one.points], [y for _, y in one.points], width=wide, label=one.name)
