"""report.json: what a run did, in one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from videohoi.files import write_whole
from videohoi.sink.rounding import plain

REPORT_DIGITS = 6
"""decimals of the report's floats: a microsecond where the value is in seconds"""


def write_report(path: Path | str, mapping: Mapping[str, Any]) -> None:
    """Write ``mapping`` as JSON with sorted keys; the file appears whole or not at all.

    NaN and infinities become null. Raises ``SinkError`` when ``path`` cannot be written.
    """
    text = json.dumps(plain(mapping, REPORT_DIGITS), indent=2, sort_keys=True, allow_nan=False)
    write_whole(path, f"{text}\n")
