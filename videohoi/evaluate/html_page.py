"""A report as one HTML page that stands alone: no script, no other file, plots drawn inside."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from videohoi.evaluate.plots import HOW_TO_INSTALL, can_draw, svg_of
from videohoi.evaluate.report import Plot, Report, ReportTable

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; margin: .5rem 0; } td, th { padding: .25rem .7rem; text-align: right; }
td:first-child, th:first-child { text-align: left; } tr { border-bottom: 1px solid #ddd; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: 1rem; }
svg { width: 100%; height: auto; }
dt { font-weight: 600; float: left; clear: left; width: 11rem; } dd { margin-left: 11.5rem; }
""".strip()


def html_page(report: Report) -> str:
    """The whole page."""
    title = escape(report.title)
    settings = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in report.settings.items())
    parts = [
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>',
        f"<h1>{title}</h1><dl>{settings}</dl>",
        *(_table(table) for table in report.tables),
        _plots(report.plots) if report.plots else "",
        f"<h2>Notes</h2><ul>{''.join(f'<li>{escape(note)}</li>' for note in report.notes)}</ul>"
        if report.notes
        else "",
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _plots(plots: Sequence[Plot]) -> str:
    if not can_draw():
        return f"<h2>Plots</h2><p>{escape(HOW_TO_INSTALL)}</p>"
    return f'<h2>Plots</h2><div class="plots">{"".join(svg_of(plot) for plot in plots)}</div>'


def _table(table: ReportTable) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in table.columns)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    return f"<h2>{escape(table.title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
