"""``videohoi data``: is a data set complete? The work is in ``commands/data_report.py``, imported when it is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

data_app = typer.Typer(
    help="Data sets for training and evaluation: what is there, what is missing.", no_args_is_help=True
)


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
    from videohoi.commands.data_report import check_data

    raise typer.Exit(check_data(folder, kind))
