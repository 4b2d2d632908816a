"""Fixtures of the detector tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from red_cell_graph import red_cell_model


@pytest.fixture
def red_cells(tmp_path: Path) -> Path:
    """File of the dynamic uint8 graph that finds red cells."""
    path = tmp_path / "red_cells.onnx"
    path.write_bytes(red_cell_model().SerializeToString())
    return path
