import json
from dataclasses import dataclass

import numpy as np
import pytest

from videohoi.errors import SinkError
from videohoi.sink.run_report import write_report
from videohoi.structures import Phase


@dataclass(frozen=True)
class Stage:
    name: str
    seconds: float


def test_report_is_plain_sorted_and_rounded(tmp_path):
    report = {
        "z": 1 / 3,
        "a": {"count": np.int64(3), "values": np.array([0.5, np.nan]), "phase": Phase.END, "folder": tmp_path},
        "stages": (Stage("detect", 0.1234567891),),
        "names": frozenset({"b", "a"}),
        "none": None,
        "flag": np.bool_(True),
    }
    write_report(tmp_path / "report.json", report)
    text = (tmp_path / "report.json").read_text()
    assert json.loads(text) == {
        "a": {"count": 3, "values": [0.5, None], "phase": "end", "folder": str(tmp_path)},
        "flag": True,
        "names": ["a", "b"],
        "none": None,
        "stages": [{"name": "detect", "seconds": 0.123457}],
        "z": 0.333333,
    }
    assert text.startswith('{\n  "a": {\n')
    assert text.index('"flag"') < text.index('"names"') < text.index('"z"')


def test_a_failed_report_leaves_nothing(tmp_path, no_space_at_sync):
    with pytest.raises(SinkError, match=r"report\.json.*full"):
        write_report(tmp_path / "report.json", {"a": 1})
    assert list(tmp_path.iterdir()) == []
