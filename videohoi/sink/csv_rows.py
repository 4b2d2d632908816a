"""Rows of a CSV file as bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence


def csv_bytes(rows: Iterable[Sequence[object]]) -> bytes:
    """``rows`` as UTF-8 CSV (RFC 4180 quoting, lines end in a plain newline)."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    # File names that are not valid Unicode reach Python as lone surrogates, which UTF-8 cannot hold.
    return text.getvalue().encode("utf-8", errors="backslashreplace")
