"""``videohoi data``: what a data set has and lacks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from videohoi.commands.tables import print_table

if TYPE_CHECKING:  # it loads numpy
    from videohoi.datasets.check import DataReport

data_app = typer.Typer(
    help="Data sets for training and evaluation: what is there, what is missing.", no_args_is_help=True
)
_COLOURS = {"ok": "green", "differs": "yellow", "missing": "red", "broken": "red"}


@data_app.callback()
def data() -> None:
    """Data sets for training and evaluation: what is there, what is missing."""


@data_app.command("check")
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The data set's folder.")],
    kind: Annotated[
        str | None,
        typer.Option("--kind", "-k", help="`hico-det`, `vcoco`, `vidhoi` or `folder`. Default: what its files say."),
    ] = None,
) -> None:
    """Read a data set in full and say what is missing and where to get it, and what each split would train on.

    A plain folder holds `images/`, `annotations.jsonl` and, for your own words, `vocabulary.yaml`.

    For example:

        videohoi data check hico/

        videohoi data check my-pictures/ --kind folder

    Exit code: 0 complete; 1 something is missing or broken.
    """
    raise typer.Exit(check_data(folder, kind))


def check_data(folder: Path, kind: str | None) -> int:
    """Print what a data set folder contains and lacks; 1 when something required is missing or broken."""
    from videohoi.datasets.check import check_folder

    report = check_folder(folder, kind)
    console = Console(highlight=False)
    table = Table(title=escape(f"{report.layout.title} in {folder}"), title_justify="left")
    for column in ("part", "state", "detail"):
        table.add_column(column, overflow="fold")
    for finding in report.findings:
        state = f"[{_COLOURS[finding.status]}]{finding.status}[/]"
        table.add_row(finding.part, state, escape(finding.detail))
    print_table(console, table)
    for source in dict.fromkeys(finding.get for finding in report.findings if finding.get):
        console.print(escape(f"get {source}"), soft_wrap=True)
    if report.filters:
        print_table(console, _split_table(report))
    return 0 if report.complete else 1


def _split_table(report: DataReport) -> Table:
    table = Table(title="What training sees under each zero-shot split", title_justify="left")
    for column in ("split", "unseen classes", "pictures kept", "pairs kept", "pictures removed", "pairs removed"):
        table.add_column(column, justify="left" if column == "split" else "right")
    for row in report.filters:
        figures = (len(row.split.unseen), len(row.images), row.pairs.sum(), row.removed_images, row.removed_pairs)
        table.add_row(row.split.title, *(str(figure) for figure in figures))
    return table
