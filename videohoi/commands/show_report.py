"""A report on the terminal, as JSON and as an HTML page."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from videohoi.commands.tables import print_table
from videohoi.evaluate.html_page import html_page
from videohoi.evaluate.report import Report
from videohoi.files import write_whole
from videohoi.pipeline.interrupts import interrupts_raise
from videohoi.sink.run_report import write_report


def show_report(report: Report, json_file: Path | None, html_file: Path | None) -> None:
    """Print the tables and write the requested files.

    Raises:
        SinkError: a file cannot be written.
    """
    console = Console(highlight=False)
    console.print(report.title, markup=False)
    for name, value in report.settings.items():
        console.print(f"{name}: {value}", markup=False, soft_wrap=True)
    for section in report.tables:
        table = Table(title=section.title, title_justify="left")
        for position, column in enumerate(section.columns):
            table.add_column(column, justify="left" if position == 0 else "right")
        for row in section.rows:
            table.add_row(*row)
        print_table(console, table)
    for note in report.notes:
        console.print(note, markup=False, soft_wrap=True)
    with interrupts_raise():
        if json_file is not None:
            write_report(json_file, report.to_dict())
        if html_file is not None:
            write_whole(html_file, html_page(report))
