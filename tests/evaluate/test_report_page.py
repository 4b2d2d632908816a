"""A report as a page: well-formed, stands alone, and nothing in it is taken for markup."""

from xml.etree import ElementTree

import numpy as np
import pytest

from videohoi.evaluate.html_page import html_page
from videohoi.evaluate.plots import svg_of
from videohoi.evaluate.report import Plot, Report, ReportTable, Series, curve, percent, table_of

SVG = "{http://www.w3.org/2000/svg}"


def plotted(**changes):
    series = (Series("a <b>", ((0.0, 0.0), (0.5, 1.0), (1.0, 0.5))),)
    return Plot(**({"title": "T & t", "x_label": "x", "y_label": "y", "series": series} | changes))


def texts(root):
    return [text.text for text in root.iter(f"{SVG}text")]


def test_a_line_goes_through_its_points():
    pytest.importorskip("matplotlib", reason="the plots extra (matplotlib) is not installed")
    root = ElementTree.fromstring(svg_of(plotted()))
    lines = [path.get("d").split() for path in root.iter(f"{SVG}path") if "#0072b2" in (path.get("style") or "")]
    points = [(float(x), float(y)) for x, y in zip(lines[0][1::3], lines[0][2::3], strict=True)]
    assert len(points) == 3
    assert points[0][0] < points[1][0] < points[2][0]
    assert points[1][1] < points[2][1] < points[0][1]  # up is a smaller y
    assert {"a <b>", "T & t", "x", "y"} <= set(texts(root))


def test_bars_are_as_high_as_their_value():
    pytest.importorskip("matplotlib", reason="the plots extra (matplotlib) is not installed")
    bars = (Series("a", ((0.0, 4.0), (1.0, 2.0))), Series("b", ((0.0, 0.0),)))
    root = ElementTree.fromstring(svg_of(plotted(kind="bars", series=bars)))
    filled = [path for path in root.iter(f"{SVG}path") if "fill: #0072b2" in (path.get("style") or "")][:2]
    heights = [max(rows) - min(rows) for rows in ([float(n) for n in path.get("d").split()[2::3]] for path in filled)]
    assert heights[0] == pytest.approx(2 * heights[1], rel=0.01)


def test_named_bars_carry_their_names():
    pytest.importorskip("matplotlib", reason="the plots extra (matplotlib) is not installed")
    names = tuple(f"action-{number}" for number in range(25))
    bars = tuple(Series(name, tuple((float(x), 0.5) for x in range(25))) for name in ("scenario 1", "scenario 2"))
    root = ElementTree.fromstring(svg_of(plotted(kind="bars", series=bars, names=names)))
    assert [text for text in texts(root) if (text or "").startswith("action-")] == list(names)


@pytest.mark.parametrize("series", [(), (Series("none", ()),)])
def test_a_plot_of_nothing_has_its_axes(series):
    pytest.importorskip("matplotlib", reason="the plots extra (matplotlib) is not installed")
    for kind in ("lines", "bars"):
        assert "y" in texts(ElementTree.fromstring(svg_of(plotted(kind=kind, series=series))))


def test_without_matplotlib_the_page_says_what_is_left_out(monkeypatch):
    monkeypatch.setattr("videohoi.evaluate.html_page.can_draw", lambda: False)
    page = html_page(Report("t", {}, (), (plotted(),), ()))
    assert "pip install &#x27;videohoi[plots]&#x27;" in page
    assert "<svg" not in page


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
