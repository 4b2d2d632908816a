import json
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.fixture
def shared_json():
    """Reads a JSON file of the shared folder; skips when it is absent."""

    def read(name: str) -> Any:
        path = SHARED / name
        if not path.is_file():
            pytest.skip(f"../shared/data/{name} is not beside this project")
        return json.loads(path.read_text(encoding="utf-8"))

    return read
