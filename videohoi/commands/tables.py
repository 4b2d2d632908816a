"""Tables on a terminal of any width: where the words do not fit into columns, each row becomes a short list."""

from __future__ import annotations

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text


def print_table(console: Console, table: Table) -> None:
    """Print ``table``, or its rows as lists where a column would have to break words."""
    widths = _longest_words(console, table)
    borders = (3 if table.box else 2) * len(widths) + 1
    if sum(widths) + borders <= console.width:
        for column, width in zip(table.columns, widths, strict=True):
            column.min_width = width  # rich would break a word before it takes a cell from a wider column
        console.print(table)
        return
    if table.title is not None:
        console.print(table.title, style="bold italic")
    headers = [_text(column.header) for column in table.columns]
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        console.print(_text(cells[0]), style="bold")
        for header, cell in zip(headers[1:], cells[1:], strict=True):
            text = _text(cell)
            if text.plain.strip():
                console.print(Text.assemble("  ", header, ": " if header.plain else "", text))
    if table.caption is not None:
        console.print(table.caption, style="italic")


def _longest_words(console: Console, table: Table) -> list[int]:
    """Cells of the longest word of each column."""
    options = console.options.update(max_width=10_000)
    return [
        max(Measurement.get(console, options, _text(cell)).minimum for cell in (column.header, *column.cells))
        for column in table.columns
    ]


def _text(cell: object) -> Text:
    return cell if isinstance(cell, Text) else Text.from_markup(str(cell))
