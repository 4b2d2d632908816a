"""A report as a page: well-formed, stands alone, and nothing in it is taken for markup."""

from xml.etree import ElementTree

import numpy as np
import pytest

from videohoi.evaluate.html_page import html_page
from videohoi.evaluate.report import Plot, Report, ReportTable, Series, curve, percent, table_of
from videohoi.evaluate.svg import svg_of

SVG = "{http://www.w3.org/2000/svg}"


def plotted(**changes):
    series = (Series("a <b>", ((0.0, 0.0), (0.5, 1.0), (1.0, 0.5))),)
    return Plot(**({"title": "T & t", "x_label": "x", "y_label": "y", "series": series} | changes))


def test_a_line_goes_through_its_points():
    root = ElementTree.fromstring(svg_of(plotted()))
    (line,) = root.findall(f"{SVG}polyline")
    points = [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]
    assert len(points) == 3
    assert points[0][0] < points[1][0] < points[2][0]
    assert points[1][1] < points[2][1] < points[0][1]  # up is a smaller y
    assert "a <b>" in [text.text for text in root.iter(f"{SVG}text")]


def test_bars_are_as_high_as_their_value():
    bars = (Series("a", ((0.0, 4.0), (1.0, 2.0))), Series("b", ((0.0, 0.0),)))
    root = ElementTree.fromstring(svg_of(plotted(kind="bars", series=bars)))
    heights = [float(bar.get("height")) for bar in root.iter(f"{SVG}rect")][:3]
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.11)
    assert heights[2] == 0.0


def test_named_bars_stay_inside_the_axes_and_carry_their_names():
    names = tuple(f"action-{number}" for number in range(25))
    bars = tuple(Series(name, tuple((float(x), 0.5) for x in range(25))) for name in ("scenario 1", "scenario 2"))
    root = ElementTree.fromstring(svg_of(plotted(kind="bars", series=bars, names=names)))
    rows = list(root.iter(f"{SVG}rect"))[:50]
    lines = root.findall(f"{SVG}line")
    left, right = float(lines[0].get("x1")), float(lines[0].get("x2"))
    for row in rows:
        assert left <= float(row.get("x")) < float(row.get("x")) + float(row.get("width")) <= right + 0.1
    assert [text.text for text in root.iter(f"{SVG}text") if (text.text or "").startswith("action-")] == list(names)
    _, _, width, height = map(float, root.get("viewBox").split())
    assert all(0 <= float(text.get("x")) <= width and 0 < float(text.get("y")) < height for text in
               root.iter(f"{SVG}text"))  # fmt: skip


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [(34, "0 10 20 30 40 50"), (7, "0 2 4 6 8 10"), (100, "0 20 40 60 80 100"), (0.3, "0 0.2 0.4 0.6 0.8 1"),
     (12, "0 2.5 5 7.5 10 12.5")],
)  # fmt: skip
def test_the_vertical_axis_has_round_numbers(highest, ticks):
    series = (Series("a", ((0.0, 0.0), (1.0, highest))),)
    root = ElementTree.fromstring(svg_of(plotted(series=series)))
    numbers = [text.text for text in root.iter(f"{SVG}text") if text.get("text-anchor") == "end"]
    assert " ".join(numbers) == ticks


@pytest.mark.parametrize("series", [(), (Series("none", ()),)])
def test_a_plot_of_nothing_has_its_axes(series):
    for kind in ("lines", "bars"):
        assert ElementTree.fromstring(svg_of(plotted(kind=kind, series=series))).findall(f"{SVG}line")


def test_text_is_never_markup():
    table = ReportTable("<t>", ("<c>",), (("<script>alert(1)</script>",),))
    page = html_page(Report("<title>", {"<k>": "<v>"}, (table,), (plotted(),), ("<note>",)))
    for raw in ("<script", "<t>", "<c>", "<k>", "<v>", "<note>", "<b>"):
        assert raw not in page
    assert "&lt;note&gt;" in page


def test_figures_are_percent_with_two_decimals_and_unknown_ones_a_dash():
    assert [percent(value) for value in (0.12345, None, float("nan"))] == ["12.35", "-", "-"]
    table = table_of("t", "mode", {"default": {"full": 0.5}, "known_object": {"full": 0.25, "rare": np.nan}})
    assert table.columns == ("mode", "full", "rare")
    assert table.rows == (("default", "50.00", "-"), ("known_object", "25.00", "-"))


def test_points_that_are_no_numbers_leave_a_line():
    assert curve("a", [0.0, 0.5, 1.0], [1.0, float("nan"), 0.0]).points == ((0.0, 1.0), (1.0, 0.0))
