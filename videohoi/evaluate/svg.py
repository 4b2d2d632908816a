"""Plots of a report as inline SVG: lines, or bars over numbers or names, with axes and legend. No library or script."""

from __future__ import annotations

import math
from html import escape
from itertools import pairwise

from videohoi.evaluate.report import Plot, Series

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 28, 58
NAMES_HEIGHT = 62
"""more room below where the horizontal axis has names, which are written slantwise"""
SLANT_DEGREES = -50
TICKS = 5
ROUND_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's palette: told apart with any colour vision"""


def svg_of(plot: Plot) -> str:
    """An ``<svg>`` element."""
    frame = _Frame(plot)
    draw = _bars if plot.kind == "bars" else _lines
    diagonal = [(frame.low_x, frame.low_x), (frame.high_x, frame.high_x)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {frame.total_height}" role="img" '
        f'aria-label="{escape(plot.title, quote=True)}">',
        f'<text x="{LEFT}" y="16" class="title">{escape(plot.title)}</text>',
        *_axes(plot, frame),
        *([frame.line(diagonal, "#999", 'stroke-dasharray="4 3"')] if plot.diagonal else []),
        *draw(plot.series, frame),
        *_legend(plot.series, frame),
        "</svg>",
    ]
    return "\n".join(parts)


class _Frame:
    """From values to pixels of the picture."""

    def __init__(self, plot: Plot) -> None:
        if plot.names:
            self.low_x, self.high_x = -0.5, len(plot.names) - 0.5
        else:
            self.low_x, self.high_x = _extent([x for series in plot.series for x, _ in series.points])
        self.high_y = _rounded_up(_extent([y for series in plot.series for _, y in series.points])[1])
        self.width, self.height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        self.below = NAMES_HEIGHT if plot.names else 0
        self.total_height = HEIGHT + self.below

    def x(self, value: float) -> float:
        return LEFT + self.width * (value - self.low_x) / (self.high_x - self.low_x)

    def y(self, value: float) -> float:
        return TOP + self.height * (1 - value / self.high_y)

    def line(self, points: list[tuple[float, float]], colour: str, extra: str = "") -> str:
        where = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        return f'<polyline points="{where}" fill="none" stroke="{colour}" stroke-width="1.6" {extra}/>'


def _extent(values: list[float]) -> tuple[float, float]:
    """Both ends of an axis: 0 to 1 for shares, else 0 to the largest."""
    low, high = min([0.0, *values]), max([0.0, *values])
    return low, 1.0 if 0 < high <= 1 or high == 0 else high


def _rounded_up(high: float) -> float:
    """The next value above that ``TICKS`` round steps reach."""
    power = 10.0 ** math.floor(math.log10(high / TICKS))
    return TICKS * power * next(step for step in ROUND_STEPS if step * power * TICKS >= high * (1 - 1e-9))


def _axes(plot: Plot, frame: _Frame) -> list[str]:
    parts, bottom = [], HEIGHT - BOTTOM
    for tick in range(TICKS + 1):
        up = frame.high_y * tick / TICKS
        left, right, y = LEFT, WIDTH - RIGHT, frame.y(up)
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 5}" y="{y + 4:.1f}" text-anchor="end">{up:.3g}</text>')
    parts += _names(plot.names, frame) if plot.names else _numbers(frame)
    middle, label_y = LEFT + frame.width / 2, bottom + frame.below + 30
    parts.append(f'<text x="{middle}" y="{label_y}" text-anchor="middle">{escape(plot.x_label)}</text>')
    turned = f'transform="rotate(-90 12 {TOP + frame.height / 2})" x="12" y="{TOP + frame.height / 2}"'
    return [*parts, f'<text {turned} text-anchor="middle">{escape(plot.y_label)}</text>']


def _numbers(frame: _Frame) -> list[str]:
    places = [frame.low_x + (frame.high_x - frame.low_x) * tick / TICKS for tick in range(TICKS + 1)]
    y = HEIGHT - BOTTOM + 14
    return [f'<text x="{frame.x(place):.1f}" y="{y}" text-anchor="middle">{place:.3g}</text>' for place in places]


def _names(names: tuple[str, ...], frame: _Frame) -> list[str]:
    y = HEIGHT - BOTTOM + 12
    return [
        f'<text x="{frame.x(place) + 3:.1f}" y="{y}" text-anchor="end" font-size="9" '
        f'transform="rotate({SLANT_DEGREES} {frame.x(place) + 3:.1f} {y})">{escape(name)}</text>'
        for place, name in enumerate(names)
    ]


def _lines(series: tuple[Series, ...], frame: _Frame) -> list[str]:
    return [frame.line(list(one.points), COLOURS[n % len(COLOURS)]) for n, one in enumerate(series) if one.points]


def _bars(series: tuple[Series, ...], frame: _Frame) -> list[str]:
    """Bars at each x, series side by side."""
    places = sorted({x for one in series for x, _ in one.points})
    step = min((b - a for a, b in pairwise(places)), default=frame.high_x - frame.low_x)
    wide = 0.8 * frame.width * step / (frame.high_x - frame.low_x) / max(len(series), 1)
    return [
        f'<rect x="{frame.x(x) + (n - len(series) / 2) * wide:.1f}" y="{frame.y(y):.1f}" width="{wide:.1f}" '
        f'height="{frame.y(0) - frame.y(y):.1f}" fill="{COLOURS[n % len(COLOURS)]}"/>'
        for n, one in enumerate(series)
        for x, y in one.points
    ]


def _legend(series: tuple[Series, ...], frame: _Frame) -> list[str]:
    parts, x = [], float(LEFT)
    for number, one in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f'<rect x="{x:.0f}" y="{frame.total_height - 18}" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{x + 14:.0f}" y="{frame.total_height - 9}">{escape(one.name)}</text>')
        x += 26 + 6.5 * len(one.name)
    return parts
