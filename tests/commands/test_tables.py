"""Tables on narrow and wide terminals: no word is lost, none is broken."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from rich.table import Table

from videohoi.commands.tables import print_table

ROWS = [
    ("person 1", "stand on", "snowboard 2", "0.00 - 6.41"),
    ("person 12", "talk on", "cell phone 31", "1.00 - 2.00, 3.00 - 4.00, +17"),
]


def printed(width):
    table = Table(title="clip.mp4", title_justify="left")
    for header in ("human", "verb", "object", "from - to"):
        table.add_column(header)
    for row in ROWS:
        table.add_row(*row)
    table.caption = "and 3 more in segments.csv"
    console = Console(file=io.StringIO(), width=width)
    print_table(console, table)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_every_word_is_whole_at_any_width(width):
    words = set(re.split(r"[\s│]+", printed(width)))
    for row in ROWS:
        for cell in row:
            assert set(cell.replace(",", " ").split()) <= {word.strip(",") for word in words} | set(words), cell
    assert max(len(line) for line in printed(width).splitlines()) <= width


def test_a_narrow_terminal_gets_a_list():
    assert "┃" in printed(100)
    lines = printed(24).splitlines()
    assert "person 1" in lines
    assert "  verb: stand on" in lines


@pytest.mark.parametrize("command", [["doctor"], ["models"], ["vocab", "list"], ["vocab", "splits"]])
def test_commands_fit_forty_columns(command, monkeypatch, capsys):
    from videohoi.cli import main
    from videohoi.models import doctor

    monkeypatch.setattr(doctor, "OPTIONAL", ())
    monkeypatch.setenv("COLUMNS", "40")
    main(command)
    out = capsys.readouterr().out
    assert "┃" not in out
    assert "starter" in out or "hico" in out.lower()
