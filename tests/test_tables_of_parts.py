"""Help, ``models``, ``doctor`` and the docs show what the rooms' tables hold."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from videohoi.cli import main
from videohoi.compile.registry import ENGINES
from videohoi.decode.registry import BACKENDS, SOURCES, SourceRequest
from videohoi.detect.registry import KINDS
from videohoi.models.doctor import OPTIONAL
from videohoi.models.methods import METHODS
from videohoi.sink.registry import OUTPUTS

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("TERMINAL_WIDTH", "400")


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    main(words)
    return " ".join(capsys.readouterr().out.split())


def test_help_names_every_recorded_input_every_detector_and_every_output(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "annotate", "--help")
    for kind in [kind for kind in SOURCES if not kind.is_live] + list(KINDS):
        assert f"{kind.usage}: {kind.what}" in text
    assert [output.file for output in OUTPUTS if output.file not in text] == []


def test_models_lists_every_method_detector_and_engine(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "models")
    names = [*METHODS, *(kind.usage for kind in KINDS), *ENGINES]
    assert [name for name in names if name not in text] == []


def test_doctor_looks_at_what_engines_and_backends_need() -> None:
    looked_at = {package.module for package in OPTIONAL}
    assert {kind.package for kind in ENGINES.values()} - {""} <= looked_at
    assert {backend.extra for backend in BACKENDS.values()} - {""} <= looked_at


def test_the_page_of_the_docs_has_every_row() -> None:
    pytest.importorskip("mkdocs", reason="needs the docs extra")
    spec = importlib.util.spec_from_file_location("reference_pages", ROOT / "docs" / "reference_pages.py")
    assert spec is not None
    assert spec.loader is not None
    pages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)
    rows = pages.parts().splitlines()
    names = [kind.usage for kind in (*SOURCES, *KINDS)] + [*BACKENDS, *ENGINES] + [output.name for output in OUTPUTS]
    assert [name for name in names if not any(row.startswith(f"| `{name}` | ") for row in rows)] == []


def test_the_source_of_the_how_to_page_reads(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how_to" / "own_source.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    namespace: dict[str, type] = {}
    exec(code, namespace)
    log = tmp_path / "drive.bag"
    log.write_bytes(bytes([10]) * 320 * 240 * 3 + bytes([20]) * 320 * 240 * 3)
    source = namespace["RobotLog"](SourceRequest(f"robot://{log}"))
    source.open()
    frames = list(source.frames())
    source.close()
    assert [int(np.mean(frame.image)) for frame in frames] == [10, 20]
    assert [frame.pts_seconds for frame in frames] == [0.0, pytest.approx(0.1)]
